"""How boto3 clients are made: explicit retries and time-outs, a user agent, a record of the calls, one clock."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.config import Config

if TYPE_CHECKING:
    from botocore.model import OperationModel

USER_AGENT = "aurora-restore-pipeline/0.1"

# botocore's default retry mode changed between releases, so it is said here.
CLIENT_CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 4},
    user_agent_extra=USER_AGENT,
)

# For what may be left undone: a step must not run out of time over it.
BEST_EFFORT_CONFIG = CLIENT_CONFIG.merge(
    Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
)

# For a function that another one waits for: it ends within its minute; whoever waits has no time for two of these.
FUNCTION_CONFIG = CLIENT_CONFIG.merge(Config(read_timeout=65, retries={"mode": "standard", "total_max_attempts": 1}))


class ApiCalls:
    """The AWS calls that a step made, in order, such as `rds:DescribeDBClusters`; for the audit row."""

    def __init__(self) -> None:
        self._calls: list[str] = []

    def record(self, model: "OperationModel", **_: Any) -> None:
        """Take a call from botocore's `before-call` event."""
        self._calls.append(f"{model.service_model.service_name}:{model.name}")

    def taken(self) -> list[str]:
        """Return the calls since the last time, and forget them."""
        calls, self._calls = self._calls, []
        return calls


class ServiceClock:
    """The time by RDS's own clock, which also dates its snapshots: ages and budgets need no synchronised clocks."""

    def __init__(self) -> None:
        self._latest: datetime | None = None
        self._heard_at = 0.0

    def record(self, parsed: dict[str, Any], **_: Any) -> None:
        """Take the `Date` header from botocore's `after-call` event."""
        date = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if date:
            self._latest, self._heard_at = parsedate_to_datetime(date), time.monotonic()

    def now(self) -> datetime:
        """Return the time of RDS's latest answer and the whole seconds since; this machine's before the first one."""
        if self._latest is None:
            return datetime.now(UTC)
        return self._latest + timedelta(seconds=int(time.monotonic() - self._heard_at))
