"""What an operation has changed until now, as its row has it: the one place that messages take such words from."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydantic import BaseModel, ConfigDict

from utils.errors import SO_FAR, PermanentError
from utils.operation.model import Operation
from utils.operation.records import BringBackRecord, OperationError, SwapRecord
from utils.words import outage

NOTHING = "nothing was changed"


class Changes(BaseModel):
    """The changes by kind: identifiers of RDS, empty where nothing was done."""

    model_config = ConfigDict(frozen=True)

    target: str
    taken: str = ""
    taken_finished: bool = False
    copied: str = ""
    copy_finished: bool = False
    pruned: tuple[str, ...] = ()
    had_old_target: bool = False
    is_replaced: bool = True
    old_target_started: bool = False
    final_snapshot: str = ""
    final_snapshot_lost: bool = False
    protection_switched_off: bool = False
    protection_given_back: bool = False
    cluster_stays: bool = False
    deleted: tuple[str, ...] = ()
    deletion_finished: bool = False
    gone_by_others: bool = False
    half_restored: tuple[str, ...] = ()
    not_brought_back: str = ""
    brought_back: str = ""
    restored: bool = False
    restore_finished: bool = False
    master_password_replaced: bool = False
    swap: str = ""
    renamed: bool = False
    restarted: bool = False

    def sentences(self) -> list[str]:
        """Return the same in words, in the order of the steps."""
        final = "is lost" if self.final_snapshot_lost else "was taken" if self.deleted else "was started"
        what = "the old target" if self.is_replaced else "the cluster"
        deleted = f"{what} was deleted" if self.deletion_finished else f"the deletion of {what} has begun"
        on_again = " and on again" if self.protection_given_back else ""
        parts = (
            (self.taken, f"snapshot {self.taken} of the source was {'taken' if self.taken_finished else 'started'}"),
            (self.copied, f"snapshot copy {self.copied} was {'made' if self.copy_finished else 'started'}"),
            (self.pruned, f"older snapshots were deleted: {', '.join(self.pruned)}"),
            (self.old_target_started, f"old target {self.target} was started, as it was stopped"),
            (self.final_snapshot, f"final snapshot {self.final_snapshot} {final}"),
            (self.protection_switched_off, f"the old target's deletion protection was switched off{on_again}"),
            (self.deleted, f"{deleted}: {', '.join(self.deleted)}{', but not the cluster' * self.cluster_stays}"),
            (self.gone_by_others, "somebody else deleted or renamed the old target"),
            (self.half_restored, f"half-restored and deleted again: {', '.join(self.half_restored)}"),
            (
                self.deleted and self.is_replaced and not (self.restored or self.brought_back),
                "the restore was not started",
            ),
            (
                self.restored,
                f"the restore of {self.target} was {'finished' if self.restore_finished else 'started'}",
            ),
            (self.brought_back, self.brought_back),
            (self.not_brought_back, f"the old data was not brought back: {self.not_brought_back}"),
            (self.swap, self.swap),
            (self.restarted, "the new cluster was stopped and started for its certificate"),
            (self.master_password_replaced, "the master password that came with the snapshot was replaced"),
        )
        said = [sentence for is_so, sentence in parts if is_so]
        if not said:
            return [NOTHING]
        if self.had_old_target and not (self.deleted or self.gone_by_others or self.renamed):
            touched = self.old_target_started or self.final_snapshot or self.protection_switched_off
            said.append(f"{what} was not {'deleted' if touched else 'touched'}")
        return said

    def in_words(self) -> str:
        """Return the sentences as one."""
        return "; ".join(self.sentences())


def without_a_plan(message: str) -> str:
    """Say what a run changed that failed before it had a plan."""
    _, _, changed_earlier = message.partition(SO_FAR)
    if changed_earlier in ("", NOTHING):
        return "Nothing was changed: the run stopped before it had a plan."
    return "This run changed nothing: what is said above was changed before, by the operation that it was to resume."


def changed_so_far(operation: Operation) -> Changes:
    """Read from the row what the operation has changed; what may have begun counts as begun."""
    names, begun = operation.identifiers, operation.begun
    copied, deletion, restore = operation.copied, operation.deletion, operation.restore
    archive, users = operation.archive, operation.users
    is_destroying = deletion is not None and deletion.destroying_since is not None
    stays = deletion is not None and deletion.cluster_stays
    has_final_snapshot = begun.final_snapshot_requested or (deletion is not None and deletion.final_snapshot_arn)
    archived = archive.pruned if archive else []
    return Changes(
        target=names.target_cluster_id if operation.is_switched else operation.restored_cluster_id,
        taken=operation.snapshot.identifier if begun.new_snapshot_requested else "",
        taken_finished=operation.snapshot.taken_at is not None,
        copied=names.copy_id if begun.copy_requested or (copied and copied.arn) else "",
        copy_finished=bool(copied and copied.finished_at),
        pruned=tuple(sorted({*begun.pruned, *archived})),
        had_old_target=operation.plan.delete_target or operation.is_swap,
        is_replaced=operation.retires is None,
        old_target_started=begun.old_target_started,
        final_snapshot=names.final_snapshot_id if has_final_snapshot else "",
        final_snapshot_lost=begun.final_snapshot_lost,
        protection_switched_off=deletion is not None and deletion.protection_switched_off,
        protection_given_back=deletion is not None and deletion.protection_given_back,
        cluster_stays=stays,
        deleted=(*([] if stays else [names.target_cluster_id]), *deletion.deleted_members)
        if deletion and is_destroying
        else (),
        deletion_finished=bool(deletion and deletion.finished_at) or operation.bring_back is not None,
        gone_by_others=bool(operation.plan.delete_target and deletion and deletion.finished_at and not is_destroying),
        half_restored=tuple(begun.half_restored),
        not_brought_back=begun.not_brought_back,
        brought_back=brought_back_in_words(operation),
        restored=begun.restore_requested or bool(restore and restore.cluster_arn),
        restore_finished=bool(restore and restore.finished_at and operation.bring_back is None),
        swap=_swap_in_words(operation),
        renamed=operation.swap is not None and operation.swap.begun_at is not None,
        restarted=operation.swap is not None and operation.swap.restarted_at is not None,
        master_password_replaced=operation.bring_back is None
        and users is not None
        and users.master_reset_at is not None,
    )


def brought_back_in_words(operation: Operation) -> str:
    """Say how far the old data is back; nothing where nobody brought it back."""
    record, target_id = operation.bring_back, operation.identifiers.target_cluster_id
    if record is None:
        return ""
    if record.finished_at is None:
        return f"the old data is not back: {target_id} is being restored from its final snapshot"
    known = f"; {', '.join(record.logins)} can log in" if record.logins else ""
    unknown = f"; it does not know the passwords of the secrets for {', '.join(record.refused)}"
    return (
        f"the old data is back: {target_id} is available with its settings, its users and their passwords as they were"
        f"{known}{unknown if record.refused else ''}"
    )


def _swap_in_words(operation: Operation) -> str:
    names, record = operation.identifiers, operation.swap
    if names.swap is None or record is None or record.begun_at is None:
        return ""
    before, after = ("the restored cluster", "the old") if operation.undoes else ("the old target", "the new")
    if record.rolled_back_at is not None:
        return (
            f"the exchange of names was taken back: {before} serves as {names.target_cluster_id} again"
            f"{_after_an_outage(record)}"
        )
    if record.switched_at is None:
        return f"{before} was put aside as {names.swap.aside}, and {names.target_cluster_id} may be nobody's name"
    proven = "is proven" if record.first_answer_at else "is not proven"
    return (
        f"{after} cluster has the name {names.target_cluster_id} and {proven} under it, {before} is {names.swap.aside}"
    )


def _after_an_outage(record: SwapRecord) -> str:
    seconds = record.outage_seconds
    return f", after {outage(seconds, record.outage_uncertainty_seconds)} without an answer" if seconds else ""


def with_what_came_after(error: OperationError | None, operation: Operation) -> OperationError | None:
    """Have the error say what the pipeline did about it: what it says of names and clusters was so before."""
    if error is not None and operation.bring_back is not None:
        return _first_error(error, operation.bring_back, operation)
    if error is not None and operation.begun.not_brought_back:
        since = f"since then: the old data was not brought back: {operation.begun.not_brought_back}"
        return error.model_copy(update={"message": f"{error.message}; {since}"})
    if error is not None and (to_do := _about_the_names(operation)):
        return error.model_copy(update={"message": f"{error.message}; now: {to_do}"})
    if error is None or operation.swap is None or operation.swap.rolled_back_at is None:
        return error
    return error.model_copy(update={"message": f"{error.message}; since then: {changed_so_far(operation).swap}"})


def _about_the_names(operation: Operation) -> str:
    """Say what a person does about an exchange of names that ended half-way; nothing unless the name may be nobody's.

    Where the execution was stopped, or its time was over, no state of the machine could take the exchange back.
    """
    names, record = operation.identifiers, operation.swap
    if names.swap is None or record is None or record.begun_at is None:
        return ""
    if record.rolled_back_at is not None or record.first_answer_at is not None:
        return ""
    target_id, aside = names.target_cluster_id, names.swap.aside
    before, after = ("restored", "old") if operation.undoes else ("old", "new")
    if record.switched_at is not None:
        where = f"the {after} cluster has the name {target_id} and is not proven under it, the {before} one is {aside}"
        back = f"rename {target_id} to {names.swap.beside}, then {aside} to {target_id}"
    else:
        where = f"nobody may serve as {target_id}: the {before} cluster is {aside} or about to be"
        back = f"rename {aside} to {target_id} once it is available"
    return (
        f"{where}. Resume the operation at once, which finishes the exchange or takes it back; or have the {before} "
        f"data serve again by hand: {back} (aws rds modify-db-cluster --apply-immediately --db-cluster-identifier … "
        "--new-db-cluster-identifier …)"
    )


def _first_error(error: OperationError, record: BringBackRecord, operation: Operation) -> OperationError:
    """Return why the new cluster failed, with what became of the old data since."""
    because = record.because
    since = brought_back_in_words(operation)
    if record.finished_at is None:
        later = record.error or error
        what = later.message.partition(SO_FAR)[0]
        since = f"{since}, which failed at {later.step or 'its end'} with {later.name}: {what}"
        since += "; resume the operation to go on with that, or start a new run, which restores the source's data"
    else:
        since += "; when the cause is removed, start a new run: this operation is over"
    return because.model_copy(update={"message": f"{because.message}; since then: {since}"})


@contextmanager
def telling(changes: Callable[[], str]) -> Iterator[None]:
    """Have a permanent error say what `changes` has by then, unless it says already that nothing was changed."""
    try:
        yield
    except PermanentError as error:
        changed = changes()
        if changed != NOTHING or not says_nothing_was_changed(str(error)):
            error.so_far(changed)
        raise


def says_nothing_was_changed(message: str) -> bool:
    """Tell whether a message ends with that, without being told."""
    return message.endswith(f"; {NOTHING}")
