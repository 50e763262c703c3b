"""Makes the README's pictures from a run of the local cloud: `.local/envs/dev/bin/python -m docs.pictures [OPERATION]`.

Needs `eval "$(./local.sh env)"` with a run in it. Those of the pages need a Chromium, and stay as they are without.
"""

import io
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from deployment.account import Account
from restore_command import commands
from restore_command.evidence.drilling import Wanted, drills
from restore_command.evidence.reporting import Form, report
from restore_command.output import Output, SafeConsole
from restore_command.pipeline import Pipeline
from tooling.chromium import NoChromium, Window, chromium, picture

FOLDER = Path(__file__).with_name("pictures")
_WIDTH = 110
_PAGES = {
    "page": Window(1100, 1250),
    "page-dark": Window(1100, 1250, dark=True),
    "page-narrow": Window(400, 1250, dark=True),
}
_PERIOD = Wanted(days=90, fresh_days=30)


def main(operation: str | None) -> None:
    """Make the pictures of an operation, by default the newest."""
    pipeline = Pipeline(Account.of_environment(None))
    FOLDER.mkdir(exist_ok=True)
    _keep("show", lambda output: commands.show(pipeline, output, operation))
    _keep("drills", lambda output: drills(pipeline, output, _PERIOD, None))
    try:
        chromium()
    except NoChromium as error:
        sys.stderr.write(f"The pictures of the pages stay as they are: {error}\n")
        return
    _keep_pages(pipeline, operation)


def _keep_pages(pipeline: Pipeline, operation: str | None) -> None:
    output = Output(as_json=False)
    output.console = SafeConsole(file=io.StringIO())
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        page, over_time = Path(folder) / "report.html", Path(folder) / "drills.html"
        report(pipeline, output, operation, Form.HTML, page)
        drills(pipeline, output, _PERIOD, over_time)
        for name, window in _PAGES.items():
            picture(page, FOLDER / f"{name}.png", window)
        picture(over_time, FOLDER / "page-over-time.png", Window(1100, 700))


def _keep(command: str, run: Callable[[Output], int]) -> None:
    output = Output(as_json=False)
    output.console = SafeConsole(file=io.StringIO(), width=_WIDTH, record=True, force_terminal=True, highlight=False)
    run(output)
    picture = output.console.export_svg(title=f"./restore.sh {command}", unique_id=command)
    # Rich's picture would fetch a font.
    (FOLDER / f"{command}.svg").write_text(re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
