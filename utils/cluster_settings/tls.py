"""What a cluster's parameters force on connections, and whether one set of them lets in more than another."""

from collections.abc import Mapping

# All of them belong to the cluster's parameter group: Aurora PostgreSQL has none in those of instances.
FORCE, LOWEST_VERSION, CIPHERS = "rds.force_ssl", "ssl_min_protocol_version", "ssl_ciphers"
TLS_PARAMETERS = (FORCE, LOWEST_VERSION, CIPHERS)
# What stands where a group says nothing.
_DEFAULTS = {FORCE: "0", LOWEST_VERSION: "TLSv1.2"}
_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_YES = {"1", "on", "true", "yes"}
_NOTHING = "AWS's default"


def weaker_tls(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Name what lets in more than before, such as `rds.force_ssl 0, before 1`."""
    is_weaker = {
        FORCE: _is_forced(before) and not _is_forced(after),
        LOWEST_VERSION: _lowest(after) < _lowest(before),
        CIPHERS: CIPHERS in before and not _ciphers(after) <= _ciphers(before),
    }
    return [
        f"{name} {after.get(name, _NOTHING)}, before {before.get(name, _NOTHING)}"
        for name, found in is_weaker.items()
        if found
    ]


def _is_forced(parameters: Mapping[str, str]) -> bool:
    return parameters.get(FORCE, _DEFAULTS[FORCE]).lower() in _YES


def _lowest(parameters: Mapping[str, str]) -> int:
    version = parameters.get(LOWEST_VERSION) or _DEFAULTS[LOWEST_VERSION]
    # A version that is not known yet is newer than all that are.
    return _VERSIONS.index(version) if version in _VERSIONS else len(_VERSIONS)


def _ciphers(parameters: Mapping[str, str]) -> set[str]:
    # Without the parameter it is AWS's list, which no list of people's is known to hold.
    return set(parameters.get(CIPHERS, _NOTHING).replace(",", ":").split(":"))
