"""The shared expected values, where they are at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "vectors"
DATA = FOLDER.parent / "data"
needs_vectors = pytest.mark.skipif(not (FOLDER / "vectors.json").exists(), reason="the shared vectors are not beside the project")
needs_data = pytest.mark.skipif(not (DATA / "adult.csv.gz").exists(), reason="the shared data sets are not beside the project")


def expected() -> dict[str, Any]:
    return dict(json.loads((FOLDER / "vectors.json").read_text()))


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / name, keep_default_na=False)
