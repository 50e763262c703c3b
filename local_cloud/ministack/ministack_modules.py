"""The one place that imports ministack, which is only installed in the environment `cloud`."""

from __future__ import annotations

import importlib
from typing import Any


def app() -> Any:
    """Return the ASGI application's module."""
    return importlib.import_module("ministack.app")


def core(name: str) -> Any:
    """Return a module of ministack's core."""
    return importlib.import_module(f"ministack.core.{name}")


def service(name: str) -> Any:
    """Return the module of one of ministack's services."""
    return importlib.import_module(f"ministack.services.{name}")
