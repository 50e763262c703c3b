"""What a refused connection means, by libpq's message."""

import pytest

from utils.database.server.refusals import is_refused_option


@pytest.mark.parametrize(
    ("message", "is_it_the_setting"),
    [
        ('FATAL:  unrecognized configuration parameter "event_triggers"', True),
        ('FATAL:  permission denied to set parameter "event_triggers"', True),
        ('FATAL:  too many connections for database "postgres"', False),
        ("connection to server at 127.0.0.1, port 1 failed: Connection refused", False),
    ],
)
def test_a_connection_is_tried_without_a_setting_only_where_that_was_refused(
    message: str, is_it_the_setting: bool
) -> None:
    assert is_refused_option(message) is is_it_the_setting
