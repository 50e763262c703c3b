"""Whatever stands in a member of a request: the local Aurora refuses it as RDS does, or takes it, and does not fail."""

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from local_cloud.aurora import LocalAurora
from local_cloud.aurora.operations.registry import OPERATIONS
from local_cloud.aurora.wire.model import operation_model

ODD = ("", "x" * 300, "٤", "²", "-1", "1e400", "nan", "a\x00b", "arn:aws:rds:::", "true", "[]", "Ü", "0", "9" * 40)
# For each member; the next one gets the next.
MOST = 4
AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=AKID/20261126/eu-odd-1/rds/aws4_request, SignedHeaders=host, Signature=0"


def answered(aurora: LocalAurora, form: dict[str, str]) -> tuple[int, str]:
    request = urllib.request.Request(  # noqa: S310
        aurora.endpoint, urllib.parse.urlencode(form).encode(), {"Authorization": AUTHORIZATION}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            text = refused.read().decode()
            ElementTree.fromstring(text)  # noqa: S314
            return refused.code, text


def members_of(shape: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every text, number and truth value of a request by its name in the form, with something usual in it."""
    for name, member in shape.members.items():
        path = f"{prefix}{member.serialization.get('name', name)}"
        while member.type_name == "list":
            path, member = f"{path}.{member.member.serialization.get('name', 'member')}.1", member.member
        if member.type_name == "structure":
            yield from members_of(member, f"{path}.")
        else:
            yield path, {"integer": "1", "boolean": "true", "double": "1"}.get(member.type_name, "usual")


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_odd_member_is_refused_or_taken(aurora: LocalAurora, name: str) -> None:
    model = operation_model(name)
    assert model
    assert model.input_shape
    usual = dict(members_of(model.input_shape))
    needed = {path: usual.get(path, "usual") for path in model.input_shape.required_members}
    failures = [
        (path, odd, answer)
        for number, path in enumerate(usual)
        for odd in (ODD * 2)[number % len(ODD) :][:MOST]
        if (answer := answered(aurora, {"Action": name, **needed, path: odd}))[0] >= 500
    ]
    assert failures == []
