"""A connection to the restored database does not wait for ever for a server that is gone without a word."""

import socket
import sys
from contextlib import closing

import pytest
from pydantic import SecretStr

from tests.unit.database.shop_server import MASTER, PASSWORD
from utils.database.server.connection import DatabaseServer, connected


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other words for it")
def test_silence_ends_a_connection_within_a_minute(running: DatabaseServer) -> None:
    with (
        connected(running, "postgres", MASTER, SecretStr(PASSWORD)) as connection,
        closing(socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM)) as tcp,
    ):
        assert tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
        idle, interval, count, user_timeout = (tcp.getsockopt(socket.IPPROTO_TCP, option) for option in options)
    assert idle + interval * count <= 60
    assert user_timeout == 60_000
