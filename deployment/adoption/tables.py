"""The state and the audit table that were there before the pipeline: used as they are, with what they lack added.

They stay outside the stack, which reads their names and never deletes them.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deployment.account import Account, Refused, if_there, told
from deployment.adoption.existing import Existing, changed, confirm_adoption, refuse_obstacles, tell

_Keys = list[tuple[str, str, str]]
_KEYS: dict[str, _Keys] = {
    "state": [("operation_id", "HASH", "S")],
    "audit": [("operation_id", "HASH", "S"), ("timestamp", "RANGE", "S")],
}
_TTL = "ttl"
_SHORTLY = {"Delay": 2, "MaxAttempts": 300}


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table as it is, and what is still to be changed of it."""

    name: str
    part: str
    on_demand: bool
    key: str
    recoverable: bool
    expires_by: str
    has_expired_rows: bool
    protected: bool
    obstacle: str | None

    def as_existing(self, key_arn: str, *, protect: bool) -> Existing:
        """Return it as it is told to people."""
        return Existing(
            title=f"table {self.name}",
            stays="every row",
            changes=[
                *changed("billing", "on demand" if self.on_demand else "provisioned", "on demand"),
                *changed("encryption", self.key or "DynamoDB's own key", key_arn),
                *changed("point-in-time recovery", self.recoverable, True),
                *self._told_of_expiry(),
                *(changed("deletion protection", self.protected, True) if protect else []),
            ],
            obstacle=self.obstacle,
        )

    @property
    def can_expire(self) -> bool:
        """Whether expiry by `ttl` is to be switched on."""
        return not self.expires_by and not self.has_expired_rows

    def _told_of_expiry(self) -> list[str]:
        if self.has_expired_rows:
            left = "rows whose ttl is over would go at once; aws dynamodb update-time-to-live, when that is wanted"
            return [f"expiry of rows by {_TTL}: off, left so ({left})"]
        if self.expires_by not in ("", _TTL):
            left = f"a table has one such attribute, and the pipeline's rows have {_TTL}: they stay"
            return [f"expiry of rows by {self.expires_by}: on, left so ({left})"]
        return changed(f"expiry of rows by {_TTL}", bool(self.expires_by), True)


def find_tables(account: Account, prefix: str) -> list[Table]:
    """Return those of the two that are there; raises botocore's errors."""
    client = account.client("dynamodb")
    found = []
    for part, keys in _KEYS.items():
        name = f"{prefix}-{part}"
        answer = if_there(client.describe_table, "ResourceNotFoundException", TableName=name)
        if answer is None:
            continue
        described = answer["Table"]
        backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        expiry = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        expires_by = expiry["AttributeName"] if expiry["TimeToLiveStatus"] in {"ENABLED", "ENABLING"} else ""
        found.append(
            Table(
                name=name,
                part=part,
                on_demand=described.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST",
                key=described.get("SSEDescription", {}).get("KMSMasterKeyArn", ""),
                recoverable=recovery == "ENABLED",
                expires_by=expires_by,
                has_expired_rows=not expires_by and _has_expired_rows(client, name),
                protected=bool(described.get("DeletionProtectionEnabled")),
                obstacle=_obstacle(account, name, keys, described),
            )
        )
    return found


def _has_expired_rows(client: Any, table: str) -> bool:
    pages = client.get_paginator("scan").paginate(
        TableName=table,
        Select="COUNT",
        FilterExpression="#ttl < :now",
        ExpressionAttributeNames={"#ttl": _TTL},
        ExpressionAttributeValues={":now": {"N": str(int(time.time()))}},
    )
    return any(page["Count"] for page in pages)


def _obstacle(account: Account, name: str, wanted: _Keys, described: Mapping[str, Any]) -> str | None:
    types = {one["AttributeName"]: one["AttributeType"] for one in described["AttributeDefinitions"]}
    keys = [(one["AttributeName"], one["KeyType"], types[one["AttributeName"]]) for one in described["KeySchema"]]
    if keys != wanted:
        return (
            f"has the key {_words(keys)}, expected {_words(wanted)}: keep its rows (aws dynamodb create-backup "
            f"--table-name {name} --region {account.region}), delete it, then run this again"
        )
    if replicas := [replica["RegionName"] for replica in described.get("Replicas", [])]:
        return (
            f"has replicas in {', '.join(replicas)}, expected a table of one Region, as the pipeline's key is: remove "
            f"them (aws dynamodb update-table --table-name {name} --region {account.region} --replica-updates …), then "
            "run this again"
        )
    if described["TableStatus"] not in {"ACTIVE", "UPDATING"}:
        return f"is {described['TableStatus']}: wait for the end of that, then run this again"
    return None


def _words(keys: _Keys) -> str:
    return " and ".join(f"{name} ({kind}, {type_})" for name, kind, type_ in keys)


def adopt_tables(
    account: Account, prefix: str, key_arn: str, *, protect: bool, ask: Callable[[str], str] | None
) -> tuple[str, list[Table]]:
    """Say what becomes of tables that are there; return the value of ExistingTables, and the tables to be mended.

    Raises `Refused`; `ask` None asks nothing.
    """
    with told():
        found = find_tables(account, prefix)
    if not found:
        return "none", []
    shown = [table.as_existing(key_arn, protect=protect) for table in found]
    refuse_obstacles(shown)
    tell(shown, "used by the pipeline's stack, which never deletes them; the changes (->) come before it is deployed")
    if ask is not None:
        confirm_adoption(account, ask)
    return "-and-".join(table.part for table in found), found


def mend(account: Account, table: Table, key_arn: str, *, protect: bool) -> None:
    """Give a table what the template's have, one change after the other; raises `Refused`."""
    client = account.client("dynamodb")
    changes: list[dict[str, Any]] = []
    if not table.on_demand:
        changes.append({"BillingMode": "PAY_PER_REQUEST"})
    if table.key != key_arn:
        changes.append({"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key_arn}})
    if protect and not table.protected:
        changes.append({"DeletionProtectionEnabled": True})
    try:
        with told():
            for change in changes:
                _wait(client, table.name)
                client.update_table(TableName=table.name, **change)
            _wait(client, table.name)
            if not table.recoverable:
                client.update_continuous_backups(
                    TableName=table.name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
                )
            if table.can_expire:
                client.update_time_to_live(
                    TableName=table.name, TimeToLiveSpecification={"AttributeName": _TTL, "Enabled": True}
                )
    except Refused as error:
        raise Refused(
            f"table {table.name}: {error}; its rows are as they were. Mend that, then run this again: it does the rest"
        ) from None


def _wait(client: Any, table: str) -> None:
    client.get_waiter("table_exists").wait(TableName=table, WaiterConfig=_SHORTLY)
