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
# SQL: whether a role with AWS's name, which the master may alter, is somebody else's. From PostgreSQL 16 on the master
# has ADMIN on nothing that AWS logs in as. Before that whoever has CREATEROLE may make such a role: AWS's own are no
# members of production's roles or of rds_superuser, have no members of production's, create nothing and own nothing.
MADE_UP = r"""(current_setting('server_version_num')::int >= 160000 OR pg_roles.rolcreaterole OR pg_roles.rolcreatedb
    OR EXISTS (SELECT FROM pg_auth_members JOIN pg_roles AS held ON held.oid = roleid WHERE member = pg_roles.oid
        AND (held.rolname = 'rds_superuser' OR held.rolname NOT LIKE 'pg\_%%' AND held.rolname <> ALL(%(aws)s)))
    OR EXISTS (SELECT FROM pg_auth_members JOIN pg_roles AS joined ON joined.oid = member WHERE roleid = pg_roles.oid
        AND NOT joined.rolsuper)
    OR EXISTS (SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = pg_roles.oid
        AND deptype = 'o'))"""
_RESERVED_PREFIXES = ("rds", "pg_")


def is_reserved(name: str) -> bool:
    """Tell whether a user of ours must not have this name."""
    return name.lower().startswith(_RESERVED_PREFIXES)
