"""Whether proxies and event subscriptions, which are people's and which no run makes, are there."""

from collections.abc import Mapping, Sequence
from functools import partial

from utils.aws.target.attached import AttachedReader
from utils.cluster_settings.model import TargetSettings
from utils.cluster_settings.origins import Origin
from utils.errors import SettingNotFound
from utils.preflight.looks import Preflight


def look_at_attached(
    preflight: Preflight, attached: AttachedReader, settings: TargetSettings, origins: Mapping[str, Origin]
) -> None:
    """Refuse proxies and subscriptions that are not there; those of an old target were seen on it a moment ago."""
    proxies = [item.proxy for item in settings.proxies or []]
    if proxies and origins.get("proxies") is not Origin.OLD_TARGET:
        preflight.look("proxies", lambda: _check("target.proxies", "RDS Proxy", proxies, attached.proxy_names()))
    subscriptions = [item.name for item in settings.event_subscriptions or []]
    if subscriptions and origins.get("event_subscriptions") is not Origin.OLD_TARGET:
        check = partial(_check, "target.event_subscriptions", "event subscription", subscriptions)
        preflight.look("event subscriptions", lambda: check(list(attached.subscribed())))


def _check(field: str, kind: str, wanted: Sequence[str], known: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in known]
    if missing:
        raise SettingNotFound(
            f"no {kind} {', '.join(missing)} in the target Region",
            field=field,
            expected="existing ones",
            action="make it, or name in the request what is there ([] for nothing)",
        )
