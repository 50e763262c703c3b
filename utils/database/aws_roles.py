"""Which roles are AWS's own.

Names: the AuroraUserGuide ("Understanding the rds_superuser role", write forwarding, RDS Proxy), and psql's list of the
roles of a cluster. The prefix alone proves nothing: whoever has CREATEROLE can create a role rds_something.
"""

AWS_ROLES = (
    "rdsadmin",
    "rdsproxyadmin",
    "rdsrepladmin",
    "rdstopmgr",
    "rdswriteforwarduser",
    "rds_ad",
    "rds_extension",
    "rds_iam",
    "rds_password",
    "rds_replication",
    "rds_reserved",
    "rds_superuser",
)
# SQL: whether the role of this row of pg_roles is AWS's or PostgreSQL's. From PostgreSQL 16 on AWS's roles give nobody
# ADMIN but those of the groups that are meant to be granted.
SYSTEM_ROLE = "(pg_roles.rolname LIKE 'pg\\_%%' OR pg_roles.rolname = ANY(%(aws)s))"
OF_AWS = {"aws": list(AWS_ROLES)}
_RESERVED_PREFIXES = ("rds", "pg_")


def is_reserved(name: str) -> bool:
    """Tell whether a user of ours must not have this name."""
    return name.lower().startswith(_RESERVED_PREFIXES)
