"""The reports' compiler in a process of its own, as the service has it: it keeps some 65 MB of every report that it has set, and a test process sets hundreds."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import typst

SET_BY_ONE = 10
"""Calls after which a process makes room for a new one."""


@contextmanager
def set_elsewhere() -> Iterator[None]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=SET_BY_ONE) as pool:
        there = {name: _elsewhere(pool, name) for name in ("compile", "compile_with_warnings", "query")}
        with patch.multiple(typst, Fonts=dict, **there):
            yield


def _elsewhere(pool: ProcessPoolExecutor, name: str) -> Callable[..., Any]:
    return lambda *arguments, **options: pool.submit(_call, name, arguments, options).result()


def _call(name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    fonts = options.get("font_paths")
    if isinstance(fonts, dict):
        options["font_paths"] = typst.Fonts(**fonts)
    done = getattr(typst, name)(*arguments, **options)
    if name != "compile_with_warnings":
        return done
    compiled, warnings = done
    return compiled, [SimpleNamespace(message=warning.message) for warning in warnings]
