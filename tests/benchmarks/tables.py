"""Made-up tables of any size for benchmarks: numbers and categories, a signal, gaps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

CATEGORIES = 0.2
"""Share of the columns."""
BLOCK = 100_000


def write_table(path: Path, rows: int, columns: int, seed: int = 0) -> Path:
    """``path`` with a column ``y`` (0 or 1) and ``columns`` inputs, of which ten at most matter; written in blocks, and kept where it is there already."""
    if path.exists():
        return path
    part = path.with_suffix(".part")
    draw = np.random.default_rng(seed)
    categories = max(1, round(columns * CATEGORIES)) if columns > 1 else 0
    numbers = columns - categories
    weights = draw.normal(size=min(10, numbers))
    for at in range(0, rows, BLOCK):
        n = min(BLOCK, rows - at)
        x = draw.normal(size=(n, numbers)).round(4)
        score = x[:, :len(weights)] @ weights + np.abs(x[:, 0]) * x[:, min(1, numbers - 1)]
        levels = draw.integers(0, 12, size=(n, categories))
        if categories:
            score += (levels[:, 0] % 3) - 1
        frame = pd.DataFrame(x, columns=[f"number_{each}" for each in range(numbers)]).mask(draw.random(x.shape) < 0.02)
        for each in range(categories):
            frame[f"category_{each}"] = np.array([f"level {level}" for level in range(12)])[levels[:, each]]
        frame["y"] = (score + draw.logistic(size=n) > 0).astype(int)
        frame.to_csv(part, mode="a" if at else "w", header=not at, index=False)
    part.rename(path)
    return path
