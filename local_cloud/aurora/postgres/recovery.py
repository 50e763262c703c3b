"""Recovery to a point in time: a copy of the data, and the WAL that its server has written since."""

from __future__ import annotations

from datetime import datetime

from local_cloud.aurora.postgres.host import PostgresHost
from local_cloud.aurora.postgres.volume import Volume

# Recovery ends before the first commit after the moment, and reads whole segments.
END_OF_WAL = ("SELECT txid_current()", "SELECT pg_switch_wal()")
# `current`: a source never changes its timeline.
_CONFIGURATION = """\
restore_command = 'cp "{wal}/%f" "%p"'
recovery_target_time = '{until}'
recovery_target_action = 'promote'
recovery_target_timeline = 'current'
hot_standby = off
"""


def recovery_configuration(source: Volume, until: datetime) -> str:
    """Return what postgresql.conf needs to replay the source's WAL up to a moment (real time)."""
    return _CONFIGURATION.format(wal=source.data / "pg_wal", until=until.isoformat())


def begin_recovery(host: PostgresHost, volume: Volume) -> None:
    """Have the next start of a server over this volume recover, as its configuration says."""
    signal_file = volume.data / "recovery.signal"
    signal_file.touch(mode=0o600)
    host.hand_over(signal_file)
