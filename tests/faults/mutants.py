"""Breaks a deployed function on purpose: its package gets a `utils` of its own with one thing changed."""

import contextlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults.laboratory import Laboratory


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A function that is broken: in `file` it has `broken` instead of `whole`."""

    step: str
    file: str
    whole: str
    broken: str

    @property
    def function(self) -> str:
        """The function's name."""
        return f"aurora-restore-{self.step}"


@contextlib.contextmanager
def deployed(lab: Laboratory, mutant: Mutant) -> Iterator[None]:
    """Deploy a mutant, and the whole function again afterwards."""
    functions = lab.world.client("lambda")
    handler = {path.name: path.read_text() for path in Path("lambda_functions", mutant.function).glob("*.py")}
    utils = {str(path): path.read_text() for path in Path("utils").rglob("*") if path.suffix in {".py", ".pem"}}
    assert utils[mutant.file].count(mutant.whole) == 1, f"{mutant.file} has not once {mutant.whole!r}"
    utils[mutant.file] = utils[mutant.file].replace(mutant.whole, mutant.broken)
    functions.update_function_code(FunctionName=mutant.function, ZipFile=_zip(handler | utils))
    try:
        yield
    finally:
        functions.update_function_code(FunctionName=mutant.function, ZipFile=_zip(handler))


def _zip(files: dict[str, str]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        for name, text in files.items():
            package.writestr(name, text)
    return archive.getvalue()
