"""The names of one environment of an account and Region."""

from dataclasses import dataclass

from utils.operation.model import Helper, StepName

_GUIDES = "aurora-restore"
HELPERS = tuple(helper.value.lower().replace(" ", "-") for helper in Helper)
# What the functions are called after their environment.
STEPS = (*(step.value.lower().replace(" ", "-") for step in StepName), *HELPERS)


@dataclass(frozen=True)
class Names:
    """What all names begin with: the guide's word, and in an environment beside another one its own name as well."""

    prefix: str = _GUIDES

    @classmethod
    def beside(cls, environment: str) -> "Names":
        """Return those of an environment that has its own name in all of them."""
        return cls(f"{_GUIDES}-{environment}")

    @property
    def are_guides(self) -> bool:
        """Whether they are the guide's."""
        return self.prefix == _GUIDES

    @property
    def prerequisites(self) -> str:
        """The stack of the prerequisites."""
        return self.of("prerequisites")

    @property
    def pipeline(self) -> str:
        """The pipeline's stack."""
        return self.prefix

    @property
    def tables(self) -> tuple[str, str]:
        """The tables that outlive the pipeline's stack."""
        return self.of("state"), self.of("audit")

    @property
    def mark(self) -> str:
        """The value of the tags by which clusters and snapshots are this environment's."""
        return "true" if self.are_guides else self.prefix.removeprefix(f"{_GUIDES}-")

    def of(self, what: str) -> str:
        """Return the name of one thing, such as a function or a role."""
        return f"{self.prefix}-{what}"
