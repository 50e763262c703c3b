"""Headless Chromium, where one is installed: what a page looks like, what becomes of it, and what it asks for."""

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    # No name is looked up, so that neither a page nor Chromium itself reaches anybody.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)  # fmt: skip
_SECONDS = 120.0
# What Chromium asks for of its own accord is of no page.
_ITS_OWN = (None, "not an origin")


class NoChromium(Exception):
    """No Chromium is installed; the message says what to install."""


@dataclass(frozen=True)
class Window:
    """Width and height in pixels, and whether its user likes it dark."""

    width: int
    height: int
    dark: bool = False


def chromium() -> str:
    """Return the command; raises `NoChromium`."""
    for name in _NAMES:
        found = shutil.which(name)
        if found is not None:
            return found
    raise NoChromium(f"no Chromium found ({', '.join(_NAMES)}): install one (Debian: apt install chromium)")


def picture(page: Path, file: Path, window: Window) -> None:
    """Write what a window shows of a page, as PNG."""
    _run(page, window, f"--screenshot={file.absolute()}")


def paper(page: Path, file: Path) -> None:
    """Write a page as it is printed, as PDF."""
    _run(page, Window(800, 600), "--no-pdf-header-footer", f"--print-to-pdf={file.absolute()}")


def document(page: Path, window: Window) -> str:
    """Return what a page is once its scripts have ended."""
    return _run(page, window, "--virtual-time-budget=60000", "--dump-dom")


def asked_for(page: Path) -> list[str]:
    """Return the addresses that a page asks for when it is opened, that of the page left out."""
    with tempfile.TemporaryDirectory(prefix="chromium-") as folder:
        log = Path(folder) / "network.json"
        _run(page, Window(800, 600), f"--log-net-log={log}", "--dump-dom")
        events = json.loads(log.read_text(encoding="utf-8"))["events"]
    asked = [event.get("params", {}) for event in events]
    return sorted({item["url"] for item in asked if "url" in item and item.get("initiator") not in _ITS_OWN})


def _run(page: Path, window: Window, *options: str) -> str:
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        looks = f"--blink-settings=preferredColorScheme={0 if window.dark else 1}"
        size, own = f"--window-size={window.width},{window.height}", f"--user-data-dir={profile}"
        command = [chromium(), *_QUIET, *as_root, own, size, looks, *options, page.absolute().as_uri()]
        return subprocess.run(command, check=True, timeout=_SECONDS, capture_output=True, text=True).stdout
