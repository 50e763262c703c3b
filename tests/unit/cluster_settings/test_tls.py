"""What lets in more than before is told by name; what forces more, or was AWS's own before, is nobody's harm."""

import pytest

from utils.cluster_settings.tls import weaker_tls

FORCE, VERSION, CIPHERS = "rds.force_ssl", "ssl_min_protocol_version", "ssl_ciphers"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({FORCE: "1"}, {FORCE: "0"}, "rds.force_ssl 0, before 1"),
        ({FORCE: "on"}, {}, "rds.force_ssl AWS's default, before on"),
        ({VERSION: "TLSv1.2"}, {VERSION: "TLSv1.1"}, "ssl_min_protocol_version TLSv1.1, before TLSv1.2"),
        ({VERSION: "TLSv1.3"}, {}, "ssl_min_protocol_version AWS's default, before TLSv1.3"),
        ({}, {VERSION: "TLSv1"}, "ssl_min_protocol_version TLSv1, before AWS's default"),
        ({CIPHERS: "A,B"}, {CIPHERS: "A,C"}, "ssl_ciphers A,C, before A,B"),
        ({CIPHERS: "A"}, {}, "ssl_ciphers AWS's default, before A"),
    ],
)
def test_what_lets_in_more_is_named(before: dict[str, str], after: dict[str, str], said: str) -> None:
    assert weaker_tls(before, after) == [said]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({FORCE: "0"}, {FORCE: "1"}),
        ({FORCE: "0"}, {}),
        ({FORCE: "1"}, {FORCE: "ON"}),
        ({VERSION: "TLSv1.2"}, {}),
        ({VERSION: ""}, {VERSION: "TLSv1.2"}),
        ({VERSION: "TLSv1.3"}, {VERSION: "TLSv1.4"}),
        ({CIPHERS: "A,B"}, {CIPHERS: "B"}),
        ({CIPHERS: "A,B"}, {CIPHERS: "B:A"}),
        ({}, {CIPHERS: "A"}),
    ],
)
def test_what_forces_as_much_or_more_is_not(before: dict[str, str], after: dict[str, str]) -> None:
    assert weaker_tls(before, after) == []


def test_all_that_lets_in_more_is_named() -> None:
    before = {FORCE: "1", VERSION: "TLSv1.3", CIPHERS: "A"}
    assert len(weaker_tls(before, {FORCE: "0", VERSION: "TLSv1", CIPHERS: "A,NULL"})) == 3
