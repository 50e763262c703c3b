"""Settings and access rules of the servers: small, without durability, reached through their door alone."""

from __future__ import annotations

from pathlib import Path

from local_cloud.aurora.postgres.tls import ServerTls

CONFIGURATION = """\
listen_addresses = ''
port = {number}
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
max_connections = 60
shared_buffers = 24MB
dynamic_shared_memory_type = mmap
max_wal_senders = 4
wal_level = replica
max_wal_size = 256MB
min_wal_size = 2MB
fsync = off
synchronous_commit = off
full_page_writes = on
autovacuum_max_workers = 1
max_worker_processes = 4
max_parallel_workers = 2
hba_file = '{hba}'
password_encryption = 'scram-sha-256'
log_destination = 'stderr'
logging_collector = off
log_statement = 'ddl'
log_line_prefix = '%m:%r:%u@%d:[%p]: '
log_timezone = 'UTC'
timezone = 'UTC'
ssl = on
ssl_cert_file = '{certificate}'
ssl_key_file = '{key}'
rdsadmin.engine_version = '{engine_version}'
"""

# The passwords are random and this machine's alone; libpq pays for every iteration at every login.
_SCRAM_ITERATIONS = (16, "scram_iterations = 1\n")

# Only the door reaches the socket, and it has judged the token of whom the server trusts here: rds_iam members may not
# use a password (IAM takes precedence); the master holds that role only to grant it, unless it logs in by token itself.
OPEN_ACCESS = """\
local rdsadmin,replication,all rdsadmin scram-sha-256
local rdsadmin all reject
local all "{master}" {method}
local all +rds_iam trust
local all all scram-sha-256
"""
CLOSED_ACCESS = """\
local rdsadmin,replication,all rdsadmin scram-sha-256
"""


KEEPING_WAL = "wal_keep_size = '4GB'\n"


def server_configuration(engine_version: str, socket_dir: Path, number: int, hba_file: Path, tls: ServerTls) -> str:
    """Return the text of postgresql.conf; `number` tells the servers' sockets in the folder apart.

    The doors end TLS: the servers have it on so that `SHOW ssl` says so, as on AWS.
    """
    since, line = _SCRAM_ITERATIONS
    own = line if int(engine_version.partition(".")[0]) >= since else ""
    text = CONFIGURATION.format(
        socket_dir=socket_dir,
        number=number,
        hba=hba_file,
        certificate=tls.certificate,
        key=tls.key,
        engine_version=engine_version,
    )
    return text + own
