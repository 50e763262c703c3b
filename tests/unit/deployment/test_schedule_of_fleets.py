"""The schedules' requests are judged before they are deployed."""

import json

import pytest

from deployment.account import Refused
from deployment.schedule import check_requests_of_schedules

PARAMETERS = {"SourceClusterId": "shop-production", "TargetClusterId": "shop-staging", "FleetScheduleState": "ENABLED"}


def fleet(**asked: object) -> dict[str, str]:
    return {**PARAMETERS, "FleetScheduleInput": json.dumps(asked)}


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        (PARAMETERS, "request: found operations and operations_from, or neither; expected one of them"),
        (fleet(operations=[{}, {"keep_copys": 1}]), "operations[1]: keep_copys: found an unknown field"),
        (fleet(operations=[{}, {}]), "operations[1].target.cluster_id: found shop-staging, which operations[0] has as"),
        (fleet(operations_from="lists/weekly.json"), "operations_from: String should match pattern"),
        ({**PARAMETERS, "FleetScheduleInput": "{"}, "found no JSON"),
    ],
    ids=["nothing", "one wrong request", "a target twice", "no place in S3", "no JSON"],
)
def test_a_schedule_whose_fleets_would_be_refused_is_refused(parameters: dict[str, str], told: str) -> None:
    with pytest.raises(Refused) as refused:
        check_requests_of_schedules(parameters, "us-west-2")
    assert "FleetScheduleState=ENABLED, but every scheduled fleet would be refused" in str(refused.value)
    assert told in str(refused.value)


def test_a_schedule_may_name_a_list_in_s3_and_one_that_is_off_anything() -> None:
    check_requests_of_schedules(fleet(operations_from="s3://lists/fleets/weekly.json"), "us-west-2")
    check_requests_of_schedules(fleet(operations=[{"target": {"cluster_id": "one"}}]), "us-west-2")
    check_requests_of_schedules({**fleet(operations=7), "FleetScheduleState": "DISABLED"}, "us-west-2")
