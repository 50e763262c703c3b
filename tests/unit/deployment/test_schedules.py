"""The requests of the schedules are judged before a night is lost to one of them."""

import pytest

from deployment.account import Refused
from deployment.schedule import check_requests_of_schedules

STACK = {
    "ScheduleState": "ENABLED",
    "SourceRegion": "us-east-1",
    "SourceClusterId": "prod",
    "TargetClusterId": "staging",
}
WRONG = '{"target": {"cluster": "qa"}}'


def test_every_schedule_that_there_is_has_a_request_that_a_run_would_take() -> None:
    further = {"ScheduleExpression3": "rate(1 day)", "ScheduleInput3": '{"target": {"cluster_id": "qa"}}'}
    check_requests_of_schedules(STACK | further, "us-west-2")
    with pytest.raises(Refused, match=r"every scheduled run would be refused. ScheduleInput3: "):
        check_requests_of_schedules(STACK | further | {"ScheduleInput3": WRONG}, "us-west-2")
    with pytest.raises(Refused, match=r"every scheduled run would be refused. ScheduleInput: "):
        check_requests_of_schedules(STACK | {"ScheduleInput": WRONG}, "us-west-2")


def test_a_schedule_that_is_not_there_or_off_is_not_judged() -> None:
    check_requests_of_schedules(STACK | {"ScheduleInput3": WRONG}, "us-west-2")
    further = {"ScheduleExpression3": "rate(1 day)", "ScheduleInput3": WRONG}
    check_requests_of_schedules(STACK | further | {"ScheduleState": "DISABLED"}, "us-west-2")
