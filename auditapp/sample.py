"""The bundled sample as a task: which table, and what is asked about it. The table itself is made by `automl.data.sample` in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from django.conf import settings

SAMPLE_FILENAME = "sample-loans.csv"
SAMPLE_SPEC: dict[str, Any] = {
    "title": "Sample: loan applications",
    "target": "approved",
    "positive": "yes",
    "sensitive": ["sex", "race", "age"],
    "bins": {"age": [24, 39, 59]},
    "budget": {"seconds": 30},
    "seed": 1,
}


def sample_csv() -> bytes:
    """The sample's table as CSV, the same bytes every time."""
    made = subprocess.run([sys.executable, "-m", "automl.data.sample"], cwd=settings.BASE_DIR, capture_output=True, check=True, timeout=120)
    return made.stdout
