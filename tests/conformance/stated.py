"""Comparing what an endpoint says with what a fact states."""


class NotAsStated(AssertionError):
    """An endpoint's answer is not what the fact states."""


def equal(found: object, stated: object, what: str) -> None:
    """Fail unless the endpoint said what the fact states."""
    if found != stated:
        raise NotAsStated(f"{what}: {found!r}, not {stated!r}")


def true(holds: object, what: str) -> None:
    """Fail, with what was found instead, unless something holds."""
    if not holds:
        raise NotAsStated(what)
