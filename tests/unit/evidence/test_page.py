"""The page of a run: one file, no script, and whatever a database or a request says is text."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.unit.evidence.runs import BROKEN, a_restore, at, rows
from tests.unit.operations import an_operation
from utils.evidence import page as pages
from utils.evidence.compiling import evidence_of
from utils.evidence.model import Evidence, Phase
from utils.evidence.page import bars_of, page_of
from utils.operation.model import OperationStatus

SCRIPT = "<script>alert('x')</script>"
# Elements without an end.
_VOID = {"meta", "rect"}


class Seen(HTMLParser):
    """Elements and attributes of a page; every element is closed where it was opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag in _VOID or self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


def evidence() -> Evidence:
    return evidence_of(a_restore(), rows(), at(35))


def planted(value: Any) -> Any:
    """Put a script into every text of a document, as if names and messages were somebody's attack."""
    if isinstance(value, dict):
        return {planted(key) if "." in key else key: planted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [planted(item) for item in value]
    is_free = isinstance(value, str) and not re.match(r"\d{4}-\d\d-\d\dT", value) and value not in FIXED
    return f"{value}{SCRIPT}\"' onload=x {{{{ 7 * 7 }}}}" if is_free else value


FIXED = {
    "1", "restored", "SUCCEEDED", "FAILED", "failed", "the request", "the old target", "AWS's default", "pass", "warn",
    "for a person", "snapshot",
}  # fmt: skip


def test_the_page_tells_the_verdict_the_objectives_and_what_was_not_tested() -> None:
    seen = Seen(page_of(evidence()))

    for words in (
        "RESTORED", "staging was restored from prod", "33 min 00 s", "the request has no objective",
        "What was not tested",
        "Whether an application works on the copy", "logs in, can read, can write", "at least 10", "invalid indexes",
        "s3://b/post-restore-sql/mask.sql", "rds:DescribeDBClusterSnapshots (2)", "CloudTrail",
    ):  # fmt: skip
        assert words in seen.text, words


def test_settings_that_change_are_a_table_and_those_that_stay_are_counted() -> None:
    whole = evidence()
    changed, stays = (whole.settings.changes[0].model_copy(update=update) for update in (
        {"name": "port", "before": 5432, "after": 5433}, {"name": "storage_type", "before": "aurora", "after": "aurora"}
    ))  # fmt: skip
    settings = whole.settings.model_copy(update={"changes": [changed, stays]})
    text = " ".join(Seen(page_of(whole.model_copy(update={"settings": settings}))).text.split())
    assert "port54325433" in text.replace(" ", "")
    assert "1 setting stays" in text
    assert "storage_type: aurora" in text


def test_a_failed_run_tells_why_and_how_to_go_on() -> None:
    operation = an_operation(status=OperationStatus.FAILED, error=BROKEN, finished_at=at(20))
    seen = Seen(page_of(evidence_of(operation, [], at(21))))

    assert "found failed, expected available" in seen.text
    assert "./restore.sh resume nightly-1" in seen.text
    assert "The audit trail has no entry." in seen.text


def test_nothing_that_comes_from_elsewhere_is_markup() -> None:
    attacked = Evidence.model_validate(planted(evidence().model_dump(mode="json")))

    page = page_of(attacked)

    seen = Seen(page)
    assert "<script" not in page
    assert seen.of("script", "iframe", "object", "embed", "link", "img", "form") == []
    assert seen.text.count(SCRIPT) > 30
    assert not any(name.startswith("on") for _, attributes in seen.elements for name in attributes)
    assert "49" not in re.findall(r"\{\{ 7 \* 7 \}\}|\b49\b", seen.text)


def test_it_opens_without_a_request_to_anybody() -> None:
    page = page_of(evidence())
    (policy,) = [
        item["content"] for item in Seen(page).of("meta") if item.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert not re.search(r"\b(src|href|action)=|url\(|@import|https?://", page)


def test_it_can_be_read_by_those_who_do_not_see_it() -> None:
    seen = Seen(page_of(evidence()))

    assert seen.of("html") == [{"lang": "en"}]
    assert len(seen.of("main")) == len(seen.of("h1")) == 1
    assert all(item.get("role") == "img" and item.get("aria-label") for item in seen.of("svg"))
    assert len(seen.of("caption")) == len(seen.of("table"))
    assert all(item.get("scope") in {"row", "col"} for item in seen.of("th"))
    levels = [int(tag[1]) for tag, _ in seen.elements if re.fullmatch(r"h\d", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))


_STYLE = (Path(pages.__file__).with_name("style.css")).read_text(encoding="utf-8")
_READ = [("text", "ground"), ("text", "panel"), ("quiet", "ground"), ("text", "good-panel"), ("text", "bad-panel")] + [
    (tone, ground)
    for tone in ("good", "bad", "warn")
    for ground in ("ground", "panel", f"{tone}-panel")
]  # fmt: skip
_SEEN = [(colour, "panel") for colour in ("work", "waiting", "approval")]


def schemes() -> dict[str, dict[str, str]]:
    """Return the colours of light, dark and paper by their names."""
    found = re.findall(r"(?:@media ([^{]+))?(?:\{ )?:root \{([^}]*)\}", _STYLE)
    return {media.strip() or "light": dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", body)) for media, body in found}


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""

    def luminance(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_text_can_be_read_and_pictures_seen_in_light_dark_and_on_paper() -> None:
    found = schemes()
    assert list(found) == ["light", "(prefers-color-scheme: dark)", "print"]
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    too_faint = {
        (scheme, front, back): round(ratio, 2)
        for scheme, colours in found.items()
        for pairs, least in ((_READ, 4.5), (_SEEN, 3.0))
        for front, back in pairs
        if (ratio := contrast(colours[front], colours[back])) < least
    }
    assert too_faint == {}


def test_what_stands_is_told_with_its_price_and_what_is_not_known_of_it() -> None:
    seen = Seen(page_of(evidence()))
    for words in (
        "storage of staging", "20 GiB at $0.1 a month", "$2.00", "1 x db.r8g.large, by the hour", "not known",
        "snapshot copy copy-1", "$0.42", "$2.42", "Estimated from AWS's list prices for us-east-1",
    ):  # fmt: skip
        assert words in seen.text, words


def test_the_picture_shows_a_phase_where_it_lies_with_work_first() -> None:
    timeline = evidence().timeline
    work, waiting = bars_of(timeline[1], timeline)

    assert (work.kind, work.x, work.width) == ("work", 30.3, 45.5)
    assert (waiting.kind, waiting.x, waiting.width) == ("waiting", 75.8, 227.3)


@pytest.mark.parametrize("seconds", [0.0, 0.001])
def test_a_moment_is_still_to_be_seen(seconds: float) -> None:
    phase = Phase(
        name="check", started_at=at(0), finished_at=at(0), work_seconds=seconds, waiting_seconds=0, approval_seconds=0
    )
    assert [bar.width >= 2 for bar in bars_of(phase, [phase])] == [True] * bool(seconds)
