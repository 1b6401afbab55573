"""Tables for the tests of this room: from text, and the real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automl.data.tables import Table, read_table

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"

TableOf = Callable[..., Table]


@pytest.fixture
def table_of(tmp_path: Path) -> TableOf:
    """Writes text or bytes to a file without an extension and reads it."""
    numbers = iter(range(10_000))

    def read(content: str | bytes, **how: Any) -> Table:
        path = tmp_path / f"table{next(numbers)}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path, **how)

    return read


@pytest.fixture
def real() -> Callable[[str], Path]:
    """The path of one of the real data sets."""

    def path_of(name: str) -> Path:
        if not (SHARED / name).exists():
            pytest.skip(f"the real data set {name} is not on this machine (looked in ../shared/data)")
        return SHARED / name

    return path_of
