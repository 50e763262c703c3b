"""Whether connections to the new cluster are held to as much as those to the old one."""

from collections.abc import Mapping

from utils.cluster_settings.tls import weaker_tls
from utils.errors import TargetNotBuildable
from utils.preflight.looks import Preflight

_NAME = "TLS of connections"


def look_at_tls(
    preflight: Preflight, before: Mapping[str, str] | None, wanted: Mapping[str, str], *, was_asked_for: bool
) -> None:
    """Refuse parameters that let in more than before; where the request asks for their group, say it only."""
    weaker = weaker_tls(before or {}, wanted)
    if weaker and was_asked_for:
        preflight.warn(
            _NAME,
            "; ".join(weaker),
            expected="what was forced on connections before",
            do="nothing, if that is meant: the request asks for it",
        )
        return
    preflight.look(
        _NAME, lambda: _refuse(weaker), found=lambda _: ", ".join(map(" ".join, wanted.items())) or "as AWS's"
    )


def _refuse(weaker: list[str]) -> None:
    if weaker:
        raise TargetNotBuildable(
            f"a parameter group with {'; '.join(weaker)}",
            field="target.cluster_parameter_group",
            expected="a group that forces on connections what was forced before",
            action="name such a group of the version's family, or set the parameter in it; then start a new run",
        )
