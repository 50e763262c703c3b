import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.identifiers import (
    CLUSTER_ID_PATTERN,
    derived_identifier,
    instance_identifier,
    is_snapshot_arn,
    region_and_account,
)

ARN = "arn:aws:rds:us-east-1:123456789012:cluster-snapshot:"
# RDS's rule for snapshots and instances, spelled otherwise than the product does.
RDS_NAME = re.compile(r"[a-z]([a-z0-9]|-(?=[a-z0-9])){0,62}")
cluster_ids = st.from_regex(r"[a-z](-?[a-z0-9]){0,62}", fullmatch=True).filter(lambda name: len(name) <= 63)
operation_ids = st.text(min_size=1, max_size=80)


@given(cluster_ids)
def test_cluster_ids_that_rds_takes_are_taken(cluster_id: str) -> None:
    assert re.fullmatch(CLUSTER_ID_PATTERN, cluster_id)


@given(st.text(st.sampled_from("aZ9-_.: \n"), max_size=70))
def test_no_other_cluster_id_is_taken(text: str) -> None:
    taken = re.fullmatch(CLUSTER_ID_PATTERN, text) is not None
    assert taken == (RDS_NAME.fullmatch(text.lower()) is not None)


@given(cluster_ids, operation_ids)
def test_a_snapshots_name_is_valid_and_always_the_same(cluster_id: str, operation_id: str) -> None:
    for prefix in ("aurora-restore-copy", "aurora-restore-final"):
        name = derived_identifier(prefix, cluster_id, operation_id)
        assert RDS_NAME.fullmatch(name)
        assert name.startswith(prefix)
        assert name == derived_identifier(prefix, cluster_id, operation_id)


def test_a_snapshots_name_ends_with_twelve_digits_of_the_operations_hash() -> None:
    assert (
        derived_identifier("aurora-restore-copy", "staging", "nightly-1") == "aurora-restore-copy-staging-e9673773e793"
    )


def test_the_longest_names_are_as_long_as_rds_takes() -> None:
    longest = "x" * 63
    assert len(derived_identifier("aurora-restore-final", longest, "nightly")) == 63
    assert [len(instance_identifier(longest, number)) for number in (1, 15)] == [63, 63]


@given(cluster_ids, st.lists(operation_ids, min_size=2, max_size=2, unique=True))
def test_two_operations_never_share_a_name(cluster_id: str, operations: list[str]) -> None:
    one, other = (derived_identifier("aurora-restore-copy", cluster_id, operation) for operation in operations)
    assert one != other


@given(cluster_ids)
def test_instances_have_valid_names_of_their_own(cluster_id: str) -> None:
    names = [instance_identifier(cluster_id, number) for number in range(1, 17)]
    assert len(set(names)) == 16
    assert all(RDS_NAME.fullmatch(name) for name in names)


@pytest.mark.parametrize("name", ["nightly", "rds:prod-2026-11-22-03-00", "awsbackup:job-1a2b"])
def test_a_snapshots_arn_tells_its_region_and_account(name: str) -> None:
    assert is_snapshot_arn(ARN + name)
    assert region_and_account(ARN + name) == ("us-east-1", "123456789012")


@pytest.mark.parametrize("text", ["nightly", ARN, "arn:aws:rds:us-east-1:123456789012:snapshot:x", ARN + "x\n"])
def test_other_text_is_no_snapshot_arn(text: str) -> None:
    assert not is_snapshot_arn(text)
    with pytest.raises(ValueError, match="not the ARN of a DB cluster snapshot"):
        region_and_account(text)
