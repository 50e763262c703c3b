"""What a function's cold start loads, beside `import boto3` in the same run: CPU seconds of a fresh process.

Each is started as often as `--times` says, one after the other in turns, and the least is shown: what is more is the
machine's. Needs the development environment (./test.sh makes it):
.local/envs/dev/bin/python -m benchmarks.cold_import --help
"""

import argparse
import resource
import subprocess
import sys
from pathlib import Path

_REPOSITORY = Path(__file__).parents[1]
_SDK = "boto3"


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=7, help="processes of each (default 7)")
    times = parser.parse_args().times
    handlers = sorted((_REPOSITORY / "lambda_functions").glob("*/*.py"))
    modules = {_SDK: _REPOSITORY} | {handler.stem: handler.parent for handler in handlers}
    least = dict.fromkeys(modules, float("inf"))
    nothing = float("inf")
    for _ in range(times):
        nothing = min(nothing, _seconds("sys", _REPOSITORY))
        for module, folder in modules.items():
            least[module] = min(least[module], _seconds(module, folder))
    print("| import | CPU seconds | of `import boto3` |\n|---|---:|---:|")
    for module, seconds in least.items():
        print(f"| `{module}` | {seconds - nothing:.2f} | {(seconds - nothing) / (least[_SDK] - nothing):.2f} |")


def _seconds(module: str, folder: Path) -> float:
    """Return the CPU seconds of a process that imports `module`, the interpreter's own start among them."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(  # noqa: S603 - this interpreter, and names from this repository
        [sys.executable, "-c", f"import {module}"], env={"PYTHONPATH": f"{folder}:{_REPOSITORY}"}, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
