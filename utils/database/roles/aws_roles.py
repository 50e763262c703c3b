"""Which roles are AWS's own.

The prefix alone proves nothing: whoever has CREATEROLE can create a role rds_something.
"""

# What is known of each name, and from where. Aurora may have others: `find_logins` says what an unknown login does.
AWS_ROLES = (
    # AuroraUserGuide, "Understanding the rds_superuser role", IAM and Kerberos authentication. Only rdsadmin logs in.
    "rdsadmin",
    "rds_ad",
    "rds_iam",
    "rds_password",
    "rds_replication",
    "rds_superuser",
    # AuroraUserGuide, "Quotas and limitations for RDS Proxy": a login, made when a proxy gets the cluster as target.
    "rdsproxyadmin",
    # Release notes of RDS for PostgreSQL 17.1, 16.5, 15.9, 14.14: for reserved connections. Does not log in.
    "rds_reserved",
    # No guide names it; Babelfish's dump program, which AWS writes, leaves it out, and so do tools for Aurora (pgbelt).
    "rdswriteforwarduser",
    # No guide names these; published pg_dumpall outputs of RDS for PostgreSQL do, rdstopmgr with LOGIN, the others
    # without. Nothing tells whether Aurora has rdsrepladmin.
    "rdsrepladmin",
    "rdstopmgr",
    "rds_extension",
)
# SQL: whether the role of this row of pg_roles is AWS's or PostgreSQL's. From PostgreSQL 16 on AWS's roles give nobody
# ADMIN but those of the groups that are meant to be granted.
SYSTEM_ROLE = "(pg_roles.rolname LIKE 'pg\\_%%' OR pg_roles.rolname = ANY(%(aws)s))"
OF_AWS = {"aws": list(AWS_ROLES)}
# From PostgreSQL 16 on it takes ADMIN on a role to alter it, before that CREATEROLE, but for a few attributes.
MAY_ALTER = """(CASE WHEN current_setting('server_version_num')::int >= 160000
    THEN NOT pg_roles.rolsuper AND pg_has_role(pg_roles.oid, 'MEMBER WITH ADMIN OPTION')
    ELSE NOT pg_roles.rolsuper AND NOT pg_roles.rolreplication END)"""
_RESERVED_PREFIXES = ("rds", "pg_")


def is_reserved(name: str) -> bool:
    """Tell whether a user of ours must not have this name."""
    return name.lower().startswith(_RESERVED_PREFIXES)
