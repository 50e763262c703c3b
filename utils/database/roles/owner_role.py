"""The weak role that owns what the application's users and the master own in the snapshot."""

from dataclasses import dataclass, replace

from utils.database.roles.profiles import PRIVILEGES, Privileges, Profile

OWNER_ROLE = "aurora_restore_owner"
# The names of logins that scripts and checks run as begin with it.
SCRIPT_LOGIN = "aurora_restore_script"
# Its views and SECURITY DEFINER routines do what they did as the application's; a new owner needs CREATE.
_PRIVILEGES = replace(PRIVILEGES[Profile.APPLICATION], schemas=("CREATE", "USAGE"), definer_routines=("EXECUTE",))


@dataclass(frozen=True, kw_only=True)
class OwnerRole:
    """Nobody logs in as it; devops users are members of it, and so alter what it owns."""

    name: str = OWNER_ROLE
    privileges: Privileges = _PRIVILEGES
