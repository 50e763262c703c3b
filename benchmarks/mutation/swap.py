"""Puts a changed module's code into a process that has imported it: functions there, constants wherever they went."""

import gc
import inspect
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from psycopg2.sql import Composable

from benchmarks.mutation.changes import Change

_SIMPLE = (str, bytes, int, float, type(None), timedelta, re.Pattern, Composable)


class CannotSwap(Exception):
    """Only an import of the changed module shows what the change does."""


def functions_swapped(module: ModuleType, change: Change) -> bool:
    """Give the module's functions their changed code; False if the change is outside of every function."""
    file = str(module.__file__)
    before = compile(Path(file).read_text(), file, "exec", dont_inherit=True)
    after = compile(change.source, file, "exec", dont_inherit=True)
    if _outside(before) != _outside(after):
        return False
    names = {(code.co_qualname, code.co_firstlineno): key for key, code in _functions(before)}
    changed = dict(_functions(after))
    for function in [found for found in gc.get_objects() if isinstance(found, FunctionType)]:
        code = function.__code__
        key = names.get((code.co_qualname, code.co_firstlineno)) if code.co_filename == file else None
        if key in changed:
            if len(changed[key].co_freevars) != len(code.co_freevars):
                raise CannotSwap
            function.__code__ = changed[key]
    return True


def constants_swapped(module: ModuleType, change: Change) -> bool:
    """Give every module the constants that the change makes, and what is made of them; False if it makes none."""
    sources = {module.__name__: change.source}
    done = False
    while sources:
        name, source = sources.popitem()
        for constant, new in _constants_of(sys.modules[name], source):
            done = True
            for user in _rebind(constant, vars(sys.modules[name])[constant], new):
                if user != name:
                    sources[user] = Path(str(sys.modules[user].__file__)).read_text()
    return done


def _constants_of(module: ModuleType, source: str) -> Iterator[tuple[str, object]]:
    fresh = ModuleType(module.__name__)
    fresh.__dict__.update(__file__=module.__file__, __package__=module.__package__)
    exec(compile(source, str(module.__file__), "exec", dont_inherit=True), fresh.__dict__)  # noqa: S102 - the product's
    for name, new in vars(fresh).items():
        old = vars(module).get(name)
        if not name.startswith("__") and _is_data(new) and _is_data(old) and old != new:
            yield name, new


def _rebind(name: str, old: object, new: object) -> Iterator[str]:
    for other in list(sys.modules.values()):
        if isinstance(other, ModuleType) and vars(other).get(name) is old:
            setattr(other, name, new)
            yield other.__name__


def _is_data(value: object) -> bool:
    if isinstance(value, dict):
        return all(_is_data(part) for pair in value.items() for part in pair)
    if isinstance(value, tuple | list | set | frozenset):
        return all(_is_data(part) for part in value)
    return isinstance(value, _SIMPLE) and not isinstance(value, Enum)


def _outside(code: CodeType) -> tuple[object, ...]:
    """Return what a module or a class runs itself, without what its functions run."""
    inner = tuple(
        ("function" if const.co_flags & inspect.CO_OPTIMIZED else _outside(const))
        if isinstance(const, CodeType)
        else (type(const).__name__, const)
        for const in code.co_consts
    )
    return code.co_code, code.co_names, inner


def _functions(code: CodeType) -> Iterator[tuple[tuple[str, int], CodeType]]:
    seen = Counter[str]()
    for found in _with_all_inside(code):
        if found.co_flags & inspect.CO_OPTIMIZED:
            seen[found.co_qualname] += 1
            yield (found.co_qualname, seen[found.co_qualname]), found


def _with_all_inside(code: CodeType) -> Iterator[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _with_all_inside(const)
