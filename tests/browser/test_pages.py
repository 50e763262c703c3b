"""The pages in a real Chromium: nobody is asked for anything, nothing runs over, and axe finds nothing."""

import json
import re
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from tooling.chromium import Window, asked_for, document, paper, picture
from tooling.environments import LOCAL

AXE = LOCAL / "node/node_modules/axe-core/axe.min.js"
WIDE, NARROW = Window(1400, 1000), Window(400, 1000, dark=True)
_MEASURES = """
<script>
const past = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1);
const cut = [...document.querySelectorAll("body *")].filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1
  && getComputedStyle(e).display != "inline" && !(e instanceof SVGElement));
top.document.documentElement.replaceChildren(top.document.createTextNode(JSON.stringify({
  width: innerWidth, dark: matchMedia("(prefers-color-scheme: dark)").matches,
  over: [...past, ...cut].map(e => e.outerHTML.slice(0, 200)),
})));
</script>"""
_AXE = """
<script>
axe.run(document, {resultTypes: ["violations", "incomplete"]}).then(found => {
  const told = kind => found[kind].map(rule => [rule.id, rule.impact, rule.nodes.map(node => node.html.slice(0, 200))]);
  top.document.documentElement.replaceChildren(top.document.createTextNode(JSON.stringify(
    {passes: found.passes.length, violations: told("violations"), incomplete: told("incomplete")})));
});
</script>"""


def with_scripts(page: Path, scripts: str, width: int) -> Path:
    """Make a copy of a page in which scripts may run and all details are open, and which ends with these."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text(encoding="utf-8"))
    text = text.replace("<details>", "<details open>").replace("</body>", f"{scripts}</body>")
    copy = page.with_name(f"with-scripts-{page.name}")
    copy.write_text(framed(text, width), encoding="utf-8")
    return copy


def framed(text: str, width: int) -> str:
    """Put a page into a frame of that width: Chromium has no window narrower than 500 pixels but for pictures."""
    return f'<!doctype html><iframe width="{width}" height="1000" style="border: 0" srcdoc="{escape(text)}"></iframe>'


def told(page: Path, scripts: str, window: Window) -> Any:
    """Return what the scripts put in place of the page, as JSON."""
    shown = document(with_scripts(page, scripts, window.width), window)
    return json.loads(unescape(re.sub(r"<[^>]*>", "", shown)))


def test_opening_a_page_asks_nobody_for_anything(page: Path) -> None:
    assert asked_for(page) == []


def test_what_a_page_would_ask_for_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "asking.html"
    page.write_text('<!doctype html><title>x</title><img alt="x" src="http://127.0.0.1:9/there.png">')
    assert asked_for(page) == ["http://127.0.0.1:9/there.png"]


@pytest.mark.parametrize("window", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_runs_over(page: Path, window: Window) -> None:
    found = told(page, _MEASURES, window)
    assert (found["width"], found["dark"]) == (window.width, window.dark)
    assert found["over"] == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: ./test.sh does that")
@pytest.mark.parametrize("window", [WIDE, NARROW], ids=["light", "dark"])
def test_axe_finds_nothing(page: Path, window: Window) -> None:
    found = told(page, f"<script>{AXE.read_text(encoding='utf-8')}</script>{_AXE}", window)
    assert found["passes"] > 20
    assert found["violations"] == []
    assert found["incomplete"] == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: ./test.sh does that")
def test_axe_would_find_what_is_wrong(page: Path) -> None:
    wrong = page.read_text(encoding="utf-8").replace('lang="en"', "").replace("--quiet: #59636e", "--quiet: #d1d9e0")
    page.write_text(wrong, encoding="utf-8")
    found = told(page, f"<script>{AXE.read_text(encoding='utf-8')}</script>{_AXE}", WIDE)
    assert {"html-has-lang", "color-contrast"} <= {rule for rule, _, _ in found["violations"]}


def test_a_page_is_shown_and_printed(page: Path, tmp_path: Path) -> None:
    picture(page, tmp_path / "page.png", NARROW)
    paper(page, tmp_path / "page.pdf")
    assert (tmp_path / "page.png").read_bytes()[:4] == b"\x89PNG"
    assert (tmp_path / "page.pdf").read_bytes()[:5] == b"%PDF-"
