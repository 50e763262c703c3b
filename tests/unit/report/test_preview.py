"""What a run would do, before it does: settings with their source, snapshots and why not, protection, checks, time."""

from typing import Any

import pytest

from tests.fakes import away_from_default
from tests.fakes.aws import REPLACEABLE_TAG, FakeAws
from tests.fakes.rds_items import tag_list
from utils import tags
from utils.operation.store import RunDurations
from utils.report.messages import message_for_success
from utils.report.preview_text import Tone, lines_of, lines_of_output
from utils.report.summary import summarise


def planned(aws: FakeAws, **request: Any) -> dict[str, Any]:
    aws.start(dry_run=True, **request)
    preview: dict[str, Any] = summarise(aws.operation).as_json()["preview"]
    return preview


@pytest.fixture
def lived_in(aws: FakeAws) -> FakeAws:
    """A target that three runs have replaced, with more snapshots than are kept."""
    aws.has_old_target(Port=5433, IAMDatabaseAuthenticationEnabled=True)
    for number in range(1, 4):
        final = tags.own_tags(tags.Role.FINAL, f"night-{number}", "staging")
        aws.west.has_snapshot(f"final-{number}", "staging", hours_old=24 * number, tags=final)
        seconds = {"copy": 600 * number, "restore": 900, "total": 3600}
        run = RunDurations(operation_id=f"night-{number}", finished_at=aws.clock.now(), seconds=seconds)
        aws.operations.remember_run("us-west-2", "staging", run)
    aws.east.has_snapshot("preupgrade-prod", hours_old=0.2)
    return aws


def test_every_setting_is_told_as_it_is_and_as_it_will_be_and_from_where(lived_in: FakeAws) -> None:
    asked = {"port": 6000, "instances": {"count": 3}, "engine_version": "17.5"}
    settings = {item["name"]: item for item in planned(lived_in, target=asked)["settings"]}

    def told(name: str) -> tuple[Any, Any, str]:
        return settings[name]["before"], settings[name]["after"], settings[name]["source"]

    assert told("port") == (5433, 6000, "the request")
    assert told("members.staging-3") == (None, True, "the request")
    assert told("members.staging-1.instance_class") == ("db.r8g.large", "db.r8g.large", "the old target")
    assert told("engine_version") == ("17.4", "17.5", "the request")
    assert told("subnet_group") == ("default", "default", "the old target")
    assert told("iam_authentication") == (True, True, "the old target")
    assert told("deletion_protection") == (False, False, "the old target")
    assert settings["kms_key_id"]["source"] in {"the stack", "the old target"}


def test_what_is_lost_kept_made_and_pruned_is_named(lived_in: FakeAws) -> None:
    preview = planned(lived_in, keep_final_snapshots=2)
    names = lived_in.operation.identifiers
    assert preview["deletes"] == ["staging", "staging-1", "staging-2"]
    assert preview["makes"] == [
        names.copy_id, names.final_snapshot_id, "staging", "staging-1", "staging-2",
    ]  # fmt: skip
    assert preview["keeps"] == ["final-1"]
    assert preview["prunes"] == ["final-2", "final-3"]
    assert preview["protects"] == [
        f"final snapshot {names.final_snapshot_id} is available before anything is deleted",
        "earlier final snapshots that stay: final-1",
    ]
    assert [item["identifier"] for item in preview["rejected"]] == ["preupgrade-prod"]


def test_what_the_plan_says_will_be_pruned_is_what_is_pruned(lived_in: FakeAws) -> None:
    assert planned(lived_in, keep_final_snapshots=4)["prunes"] == []


def test_data_that_nothing_protects_is_said_to_be_lost(aws: FakeAws) -> None:
    aws.has_old_target(DeletionProtection=True)
    preview = planned(aws, final_snapshot=False, override_deletion_protection=True)
    assert preview["protects"] == [
        "none: final_snapshot is false, and what the old target holds is lost for good",
        "deletion protection is on and is switched off, as override_deletion_protection allows",
    ]


def test_without_an_old_target_nothing_is_lost(aws: FakeAws) -> None:
    preview = planned(aws)
    assert (preview["protects"], preview["deletes"]) == (["there is no old target: nothing is lost"], [])
    assert {item["before"] for item in preview["settings"]} == {None}


def test_the_time_is_the_middle_of_earlier_runs_over_the_same_target(lived_in: FakeAws) -> None:
    preview = planned(lived_in)
    assert preview["expected_minutes"] == {"copy": 20.0, "restore": 15.0, "total": 60.0}
    assert preview["earlier_runs"] == 3
    text = "\n".join(lines_of(preview))
    assert "copy 20 min, restore 15 min, total 60 min (the middle of 3 earlier runs)" in text


@pytest.mark.parametrize(
    ("strategy", "minutes", "runs"),
    [
        ("replace", {"copy": 20.0, "restore": 15.0, "total": 60.0}, 3),
        ("swap", {"copy": 1.0, "swap": 8.0, "total": 9.0}, 1),
    ],
)
def test_what_swaps_took_says_nothing_of_a_run_that_replaces(
    lived_in: FakeAws, strategy: str, minutes: dict[str, float], runs: int
) -> None:
    swap = {"copy": 60, "total": 540, "swap": 480}
    run = RunDurations(operation_id="swap-1", finished_at=lived_in.clock.now(), seconds=swap)
    lived_in.operations.remember_run("us-west-2", "staging", run)

    preview = planned(lived_in, strategy=strategy)

    assert list(preview["expected_minutes"].items()) == list(minutes.items())
    assert preview["earlier_runs"] == runs


def test_a_run_that_succeeded_is_remembered_for_the_next_plan(aws: FakeAws) -> None:
    aws.west.has_cluster("staging", tags=REPLACEABLE_TAG)
    assert planned(aws)["expected_minutes"] == {}


def test_people_read_it_part_by_part_and_colours_are_the_readers_business(lived_in: FakeAws) -> None:
    lived_in.west.quotas["ManualClusterSnapshots"] = 4
    preview = planned(lived_in, target={"port": 6000}, keep_final_snapshots=2)
    plain = "\n".join(lines_of(preview))
    width = max(len(setting["name"]) for setting in preview["settings"])
    for said in (
        "A run would\n   1. take snapshot prod-nightly of prod, 1 hours old",
        f"  ~ {'port':<{width}} 5433 -> 6000  (the request)",
        f"    {'subnet_group':<{width}} default  (the old target)",
        "Deleted\n  - staging\n  - staging-1\n  - staging-2",
        "Pruned at the end\n  - final-2\n  - final-3",
        "Other snapshots, and why not\n  - preupgrade-prod: taken by AWS before an upgrade",
        "  pass engine version             17.4 is offered",
        "  warn quota of snapshots         3 of 4 manual cluster snapshots, and 2 to come\n       expected room for",
    ):
        assert said in plain, plain
    assert "\x1b" not in plain
    marked = "\n".join(lines_of(preview, lambda tone, text: f"<{tone.value}>{text}</>"))
    assert f"<{Tone.BAD.value}>" not in marked
    assert "<heading>Settings</>" in marked
    assert "<good>pass</> engine version" in marked
    assert "<attention>warn</> quota of snapshots" in marked
    assert "<attention>final-2</>" in marked


def test_the_message_of_a_dry_run_holds_all_of_it(lived_in: FakeAws) -> None:
    lived_in.start(dry_run=True)
    text = message_for_success(summarise(lived_in.operation)).text
    assert text.startswith("Dry run: nothing was changed.\n\nA run would\n")
    assert "Checks\n  pass snapshot" in text


def test_the_output_of_an_earlier_pipeline_still_tells_its_actions() -> None:
    assert lines_of_output({"plan": ["copy it"]}) == ["", "A run would", "   1. copy it"]


def test_a_run_that_is_no_dry_run_has_no_preview_in_its_output(lived_in: FakeAws) -> None:
    lived_in.start()
    assert "preview" not in summarise(lived_in.operation).as_json()
    assert lived_in.operation.plan.prunes == ["final-3"]


def test_a_change_past_the_end_of_the_line_is_shown_as_one(lived_in: FakeAws) -> None:
    long = {f"key-{number}": "v" * 20 for number in range(5)}
    lived_in.west.clusters["staging"]["TagList"] += tag_list(long | {"zz": "old"})
    preview = planned(lived_in, target={"tags": long | {"zz": "new"}})
    (line,) = [line for line in lines_of(preview) if line[4:].startswith("tags ")]
    assert line.startswith("  ~ tags ")
    assert line.endswith("...  (the request)")


def test_an_instance_that_goes_is_one_line_and_the_requests_wish(lived_in: FakeAws) -> None:
    preview = planned(lived_in, target={"instances": {"count": 1}})
    gone = [setting for setting in preview["settings"] if setting["name"].startswith("members.staging-2")]
    assert gone == [{"name": "members.staging-2", "before": True, "after": None, "source": "the request"}]


def test_what_holds_more_than_a_value_reads_as_words(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    text = "\n".join(lines_of(planned(aws, override_deletion_protection=True)))
    assert "min_capacity=0, max_capacity=8, seconds_until_auto_pause=600" in text
    assert "identifier=reports, kind=READER, static_members=(a-reader, a..." in text
    assert "role_arn=arn:aws:iam::123456789012:role/import, feature=s3Im..." in text
    assert not [line for line in text.splitlines() if "{'" in line or "['" in line]
