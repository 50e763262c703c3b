"""Settings and access rules of the servers: small, without durability, TLS only."""

from __future__ import annotations

from pathlib import Path

from local_cloud.aurora.postgres.tls import ServerTls

CONFIGURATION = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 60
shared_buffers = 24MB
max_wal_senders = 4
wal_level = replica
max_wal_size = 256MB
min_wal_size = 32MB
fsync = off
synchronous_commit = off
full_page_writes = on
autovacuum_max_workers = 1
max_worker_processes = 4
max_parallel_workers = 2
ssl = on
ssl_cert_file = '{certificate}'
ssl_key_file = '{key}'
hba_file = '{hba}'
password_encryption = 'scram-sha-256'
log_destination = 'stderr'
logging_collector = off
log_statement = 'ddl'
log_line_prefix = '%m:%r:%u@%d:[%p]: '
log_timezone = 'UTC'
timezone = 'UTC'
"""

# rds_iam members may not use a password (IAM takes precedence); the master holds that role only to grant it
OPEN_ACCESS = """\
hostssl rdsadmin,replication,all rdsadmin 127.0.0.1/32 scram-sha-256
hostssl rdsadmin all 127.0.0.1/32 reject
hostssl all "{master}" 127.0.0.1/32 scram-sha-256
hostssl all +rds_iam 127.0.0.1/32 reject
hostssl all all 127.0.0.1/32 scram-sha-256
"""
CLOSED_ACCESS = """\
hostssl rdsadmin,replication,all rdsadmin 127.0.0.1/32 scram-sha-256
"""


def server_configuration(port: int, hba_file: Path, tls: ServerTls) -> str:
    """Return the text of postgresql.conf."""
    return CONFIGURATION.format(port=port, certificate=tls.certificate, key=tls.key, hba=hba_file)
