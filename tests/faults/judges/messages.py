"""Whether people were told once of everything, or more often only where the last step could not know that it had."""

import re

from tests.faults.cases import ASK, CLOSING, Case
from tests.faults.playing import Played
from tests.integration.stage.mailbox import Message
from utils.identifiers import digest_of

_LANE = re.compile(r"lane-\d+")
_OF_A_RUN = re.compile(r"lane-\d+-[a-z]+-([0-9a-f]{8})")  # its old cluster, the undone one, its drill's


def problems_of_messages(run: Played, case: Case, stops: int) -> list[str]:
    """Say how many messages there were instead of one for each end."""
    received = run.laboratory.world.mailbox.messages()[run.messages :]
    sent = [message for message in received if is_of(run.lane, run.operations, message)]
    expected = run.situation.messages + stops + run.more_messages
    # The last step tells people at least once: a second time if it could not know that it had done so.
    at_least_once = any(one.location.step.startswith(CLOSING) for one in case.faults)
    # A person who knows of the question may answer it before the message about it is sent.
    answered_early = any(one.location.step == f"{CLOSING}-{ASK}" for one in case.faults)
    if (
        len(sent) == expected
        or (at_least_once and len(sent) > expected)
        or (answered_early and len(sent) + 1 == expected)
    ):
        return []
    return [f"{len(sent)} messages instead of {expected}: {[message.subject for message in sent]}"]


def is_of(lane: str, operations: list[str], message: Message) -> bool:
    """Tell by the subject, which has the target where there was a plan; a plan's text names other lanes' copies too."""
    made = _OF_A_RUN.search(message.subject)
    if made and made[1] not in map(digest_of, operations):
        return False  # a second message, late, of a run before
    named = _LANE.search(message.subject)
    return named[0] == lane if named else any(name in message.text for name in [lane, *operations])
