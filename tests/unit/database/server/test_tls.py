"""Only the restored cluster is talked to: a server of another CA, another name, or without TLS gets no password."""

import dataclasses
import hashlib
import io
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from pydantic import SecretStr

from local_cloud.aurora.postgres.tls import make_tls
from tests.unit.database.shop_server import MASTER, PASSWORD
from utils.database.rds_ca import renew
from utils.database.server.connection import DatabaseServer, connected
from utils.database.server.tls import SHIPPED_CA_FILE, Tls, TlsMode
from utils.errors import DatabaseChangeRefused, DatabaseLoginRefused, DatabaseNotTrusted, DatabaseUnavailable


def log_in(server: DatabaseServer, database: str = "postgres", password: str = PASSWORD) -> str:
    with connected(server, database, MASTER, SecretStr(password)) as connection:
        return str(connection.info.ssl_attribute("protocol"))


def trusting(server: DatabaseServer, **tls: object) -> DatabaseServer:
    return dataclasses.replace(server, tls=dataclasses.replace(server.tls, **tls))  # type: ignore[arg-type]


@pytest.fixture
def plain_server() -> Iterator[DatabaseServer]:
    """Somebody who answers "no TLS" and would gladly take a password."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with listener.accept()[0] as client:
                client.recv(8)
                client.sendall(b"N")
                client.recv(64)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield DatabaseServer(host="127.0.0.1", port=listener.getsockname()[1])
        thread.join(5)


def test_the_right_ca_and_name_let_us_in(running: DatabaseServer) -> None:
    assert log_in(running).startswith("TLSv1.")


def test_a_certificate_of_another_ca_is_refused(running: DatabaseServer, tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "server").mkdir()
    other = make_tls(tmp_path / "public", tmp_path / "server").ca
    with pytest.raises(DatabaseNotTrusted, match="SSL error"):
        log_in(trusting(running, ca_file=other))
    with pytest.raises(DatabaseNotTrusted, match="certificate verify failed"):
        log_in(trusting(running, ca_file=SHIPPED_CA_FILE))


def test_a_certificate_for_another_name_is_refused(running: DatabaseServer) -> None:
    with pytest.raises(DatabaseNotTrusted, match="does not match host name"):
        log_in(_under_another_name(running))


def _under_another_name(server: DatabaseServer) -> DatabaseServer:
    # Linux connects 0.0.0.0 to this machine: the same server, but not the name in its certificate.
    return dataclasses.replace(server, host="0.0.0.0")  # noqa: S104


@pytest.mark.parametrize("mode", list(TlsMode))
def test_a_server_without_tls_is_refused_in_every_mode(plain_server: DatabaseServer, mode: TlsMode) -> None:
    with pytest.raises(DatabaseNotTrusted, match="server does not support SSL"):
        log_in(trusting(plain_server, mode=mode))


def test_a_missing_ca_file_is_refused(running: DatabaseServer, tmp_path: Path) -> None:
    with pytest.raises(DatabaseNotTrusted, match="root certificate file"):
        log_in(trusting(running, ca_file=tmp_path / "nothing.pem"))


def test_require_takes_any_certificate_but_still_tls(running: DatabaseServer) -> None:
    server = trusting(_under_another_name(running), mode=TlsMode.REQUIRE, ca_file=SHIPPED_CA_FILE)
    assert log_in(server).startswith("TLSv1.")


def test_what_is_no_matter_of_trust_stays_what_it_was(running: DatabaseServer) -> None:
    with pytest.raises(DatabaseLoginRefused):
        log_in(running, password="another-password")
    with pytest.raises(DatabaseChangeRefused, match='database "nowhere" does not exist'):
        log_in(running, "nowhere")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(DatabaseUnavailable):
        log_in(DatabaseServer(host="127.0.0.1", port=port))


def test_a_database_that_is_shut_to_a_user_does_not_open_by_trying_again(
    running: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise psycopg2.OperationalError(
            'FATAL:  permission denied for database "ledger"\nDETAIL:  User does not have CONNECT privilege.\n'
        )

    monkeypatch.setattr(psycopg2, "connect", refuse)
    with pytest.raises(DatabaseChangeRefused, match="grant CONNECT"):
        log_in(running, "ledger")


def test_verify_full_with_the_shipped_bundle_is_the_default() -> None:
    assert Tls().parameters()["sslmode"] == "verify-full"
    assert Tls().parameters()["sslrootcert"].endswith("rds_ca/global-bundle.pem")


def test_the_shipped_bundle_is_what_its_readme_says() -> None:
    text, readme = renew.BUNDLE.read_text(), renew.README.read_text()
    assert f"| {hashlib.sha256(text.encode()).hexdigest()} |" in readme
    assert re.search(r"\| Certificates \| (\d+) \|", readme)
    assert f"| Certificates | {len(renew.found_in(text))} |" in readme


def test_the_bundle_has_the_cas_of_both_regions_of_the_examples() -> None:
    assert len(renew.found_in(renew.BUNDLE.read_text())) >= renew.FEWEST
    assert renew.BUNDLE.stat().st_size < 250_000


def test_the_official_address_is_asked_over_tls(monkeypatch: pytest.MonkeyPatch, files: Path) -> None:
    asked: list[str] = []

    def urlopen(url: str, timeout: int) -> io.BytesIO:
        asked.append(f"{url} {timeout}")
        return io.BytesIO(SHIPPED_CA_FILE.read_bytes())

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    monkeypatch.setattr("sys.argv", ["renew.py"])
    renew.main()
    assert asked == ["https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem 30"]
    assert (files / "bundle.pem").exists()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(renew, "BUNDLE", tmp_path / "bundle.pem")
    monkeypatch.setattr(renew, "README", tmp_path / "README.md")
    (tmp_path / "README.md").write_text("before\n<!-- bundle:start -->\nold\n<!-- bundle:end -->\nafter\n")
    return tmp_path


def test_a_renewed_bundle_is_written_with_its_table(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = files / "fetched.pem"
    fetched.write_text("a comment\r\n" + SHIPPED_CA_FILE.read_text().replace("\n", "\r\n"))
    monkeypatch.setattr("sys.argv", ["renew.py", str(fetched)])
    renew.main()
    assert renew.BUNDLE.read_text() == SHIPPED_CA_FILE.read_text()
    readme = renew.README.read_text()
    assert readme.startswith("before\n")
    assert "| Taken from | fetched.pem |" in readme
    assert readme.endswith("<!-- bundle:end -->\nafter\n")


def test_a_file_with_too_few_certificates_changes_nothing(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (files / "few.pem").write_text("".join(renew.found_in(SHIPPED_CA_FILE.read_text())[:3]))
    monkeypatch.setattr("sys.argv", ["renew.py", str(files / "few.pem")])
    with pytest.raises(SystemExit, match="only 3 certificates"):
        renew.main()
    assert not renew.BUNDLE.exists()


def test_a_ca_of_somebody_else_changes_nothing(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (files / "public").mkdir()
    (files / "server").mkdir()
    other = make_tls(files / "public", files / "server").ca
    (files / "mixed.pem").write_text(SHIPPED_CA_FILE.read_text() + other.read_text())
    monkeypatch.setattr("sys.argv", ["renew.py", str(files / "mixed.pem")])
    with pytest.raises(SystemExit, match="not a CA of Amazon RDS"):
        renew.main()
    assert not renew.BUNDLE.exists()
