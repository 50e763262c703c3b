"""What stands after an operation, and what AWS's list prices say that it costs; docs/costs.md has the same prices.

Prices in USD for us-east-1: https://aws.amazon.com/rds/aurora/pricing/.
"""

from utils.cluster_settings.model import TargetSettings
from utils.evidence.model import Costs, Standing
from utils.operation.model import Operation
from utils.report.summary import Summary
from utils.words import counted

STORAGE_GIB_MONTH = {"aurora": 0.10, "aurora-iopt1": 0.225}
CAPACITY_HOUR = {"aurora": 0.12, "aurora-iopt1": 0.156}  # of one unit of Serverless v2
SNAPSHOT_GIB_MONTH = 0.021
HOURS_OF_A_MONTH = 730
OF_A_DRILL = "All that a drill made is removed once it has ended; an hour of it costs"
SERVERLESS = "db.serverless"
BASIS = (
    "Estimated from AWS's list prices for us-east-1, without free tiers and discounts, for a month in which all of it "
    "stays. Not in it: hours of instances other than Serverless v2, whose price depends on class and Region; I/O, "
    "traffic and automated backups. A snapshot costs less where its blocks are shared with older ones."
)


def costs_of(operation: Operation, summary: Summary) -> Costs:
    """Return what stands because of the operation, each with its price of a month, and the sum of what is known."""
    if operation.request.is_drill:
        hour = hour_in_words(operation.plan.settings, operation.snapshot.storage_gib)
        return Costs(basis=f"{OF_A_DRILL} {hour}. {BASIS}", standing=[], monthly_usd=0.0)
    standing = [*_restored(operation), *_old_cluster(operation, summary), *_snapshots(operation, summary)]
    known = [item.monthly_usd for item in standing if item.monthly_usd is not None]
    return Costs(basis=BASIS, standing=standing, monthly_usd=round(sum(known), 2))


def hour_in_words(settings: TargetSettings, storage_gib: int) -> str:
    """Say what an hour of a cluster costs by the same prices, as far as they are known."""
    price = STORAGE_GIB_MONTH[_storage_type(settings)] * storage_gib / HOURS_OF_A_MONTH
    storage = f"${price:.2f} for {storage_gib} GiB of storage" if storage_gib else "its storage"
    return ", ".join([storage, *(_hour_of(settings, name, number) for name, number in settings.classes.items())])


def _hour_of(settings: TargetSettings, name: str, number: int) -> str:
    what, capacity = counted(number, f"instance of {name}", f"instances of {name}"), settings.serverless_v2
    if name != SERVERLESS or capacity is None:
        return f"{what} by the price of the class"
    least = number * capacity.min_capacity * CAPACITY_HOUR[_storage_type(settings)]
    return f"${least:.2f} at least for {what}"


def _restored(operation: Operation) -> list[Standing]:
    if operation.restore is None or operation.restore.cluster_arn is None:
        return []
    name, settings = operation.restored_cluster_id, operation.plan.settings
    gib, price = operation.snapshot.storage_gib, STORAGE_GIB_MONTH[_storage_type(settings)]
    storage = Standing(
        what=f"storage of {name}", amount=f"{gib} GiB at ${price:g} a month", monthly_usd=round(gib * price, 2)
    )
    has_instances = bool(operation.restore.instance_ids)
    return [storage, *(_instances(name, settings) if has_instances else [])]


def _old_cluster(operation: Operation, summary: Summary) -> list[Standing]:
    name, old = summary.old_cluster, operation.old_target
    if name is None or old is None:
        return []
    hours = summary.keep_old_hours
    until = "until you delete it" if hours is None else f"for {hours:g} hours"
    storage = Standing(what=f"storage of the old cluster {name}", amount=f"{until}; its size is not known to the run")
    return [storage, *_instances(name, old.settings)]


def _instances(cluster: str, settings: TargetSettings) -> list[Standing]:
    return [_of_class(cluster, settings, name, number) for name, number in settings.classes.items()]


def _of_class(cluster: str, settings: TargetSettings, name: str, number: int) -> Standing:
    what, capacity = f"{counted(number, 'instance')} of {cluster}", settings.serverless_v2
    if name != SERVERLESS or capacity is None:
        return Standing(what=what, amount=f"{number} x {name or 'a class of its own'}, by the hour")
    price = CAPACITY_HOUR[_storage_type(settings)]
    least = number * (capacity.min_capacity) * price * HOURS_OF_A_MONTH
    amount = f"{number} x {name}, never less than {capacity.min_capacity:g} units at ${price:g} an hour"
    return Standing(what=what, amount=amount, monthly_usd=round(least, 2))


def _snapshots(operation: Operation, summary: Summary) -> list[Standing]:
    gib = operation.snapshot.storage_gib
    copied, final = summary.copied, summary.final_snapshot
    copy = Standing(
        what=f"snapshot copy {_name(copied)}",
        amount=f"{gib} GiB at ${SNAPSHOT_GIB_MONTH:g} a month, at most",
        monthly_usd=round(gib * SNAPSHOT_GIB_MONTH, 2),
    )
    last = Standing(
        what=f"final snapshot {_name(final)}", amount="the old target's size, which is not known to the run"
    )
    return [*([copy] if copied else []), *([last] if final else [])]


def _storage_type(settings: TargetSettings) -> str:
    return settings.storage_type or "aurora"


def _name(arn: str | None) -> str:
    return (arn or "").rpartition(":")[2]
