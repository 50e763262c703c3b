"""Makes the README's pictures from a run of the local cloud: `.local/envs/dev/bin/python -m docs.pictures [OPERATION]`.

Needs `eval "$(./local.sh env)"` with a run in it.
"""

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from deployment.account import Account
from restore_command import commands
from restore_command.evidence.drilling import drills
from restore_command.output import Output
from restore_command.pipeline import Pipeline

FOLDER = Path(__file__).with_name("pictures")
_WIDTH = 110


def main(operation: str | None) -> None:
    """Make the pictures of an operation, by default the newest."""
    pipeline = Pipeline(Account.of_environment(None))
    FOLDER.mkdir(exist_ok=True)
    _keep("show", lambda output: commands.show(pipeline, output, operation))
    _keep("drills", lambda output: drills(pipeline, output, days=90, fresh_days=30, html=None))


def _keep(command: str, run: Callable[[Output], int]) -> None:
    output = Output(as_json=False)
    output.console = Console(file=io.StringIO(), width=_WIDTH, record=True, force_terminal=True, highlight=False)
    run(output)
    picture = output.console.export_svg(title=f"./restore.sh {command}", unique_id=command)
    # Rich's picture would fetch a font.
    (FOLDER / f"{command}.svg").write_text(re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
