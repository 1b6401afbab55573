"""The model as a file for other programs, and how near its predictions are."""

from __future__ import annotations

from automl.evidence.blocks import Measured


class OnnxExport(Measured):
    """The exported model, tried beside the one it came from. Not a sample of anything: the largest difference on the rows that were tried."""

    file: str
    """Its place in the bundle."""
    sha256: str
    bytes: int
    opsets: dict[str, int]
    rows: int
    """Rows that both predicted: training rows, and rows made from the model's own levels and thresholds, with missing cells and levels never seen."""
    training_rows: int
    largest_difference: float
    unit: str
    """What the difference is measured in."""
    limit: float
    """Above it no file is given out."""
