"""Where LightGBM learns: on the GPU where its build can and does the same twice, else on the CPU, with the reason in words for the evidence."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import lightgbm as lgb
import numpy as np

Kind = Literal["cpu", "cuda", "gpu"]
KINDS: tuple[Kind, ...] = ("cuda", "gpu")
"""CUDA first; "gpu" is LightGBM's OpenCL."""
DRIVERS = "/dev/nvidiactl", "/dev/dxg"
"""Without one of these there is no CUDA, and torch, which takes seconds to load, need not be asked."""
PROBE_ROWS, PROBE_COLUMNS, PROBE_ROUNDS = 2000, 8, 10


def cuda_present() -> bool:
    """Whether torch sees a GPU; torch is loaded for this only where a driver is installed."""
    if "torch" not in sys.modules and not any(Path(driver).exists() for driver in DRIVERS):
        return False
    import torch

    return torch.cuda.is_available()


@dataclass
class LgbmDevice:
    """Found out once, at the first question. The arguments stand in for the machine in tests."""

    present: Callable[[], bool] = cuda_present
    train: Callable[..., Any] = lgb.train
    _kind: Kind | None = None
    _words: str = "CPU"
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    @property
    def kind(self) -> Kind:
        with self._lock:
            if self._kind is None:
                self._kind, self._words = self._probe()
            return self._kind

    @property
    def words(self) -> str:
        """For the evidence: the device, and why the CPU where it is that."""
        return self._words if self.kind else ""

    def gave_up(self, error: Exception) -> None:
        """A fit on the GPU failed, for want of memory perhaps: from now on the CPU."""
        with self._lock:
            if self._kind != "cpu":
                self._kind, self._words = "cpu", f"{self._words}, until learning on it failed ({_first_line(error)}); from then on CPU"

    def settings(self) -> dict[str, Any]:
        """LightGBM's parameters for this device, of the dataset and of the training alike."""
        kind = self.kind
        # sums in double precision: single ones depend on the order in which the GPU adds them
        return {"device_type": kind, "force_row_wise": True} if kind == "cpu" else {"device_type": kind, "gpu_use_dp": True}

    def _probe(self) -> tuple[Kind, str]:
        if not self.present():
            return "cpu", "CPU: no CUDA device is present"
        reasons = []
        for kind in KINDS:
            try:
                if self._grow(kind) == self._grow(kind):
                    return kind, f"GPU: LightGBM's {kind} build"
                reasons.append(f"{kind} grew other trees from the same rows")
            except lgb.basic.LightGBMError as error:
                reasons.append(f"{kind}: {_first_line(error)}")
        return "cpu", f"CPU: LightGBM's GPU builds do not work here ({'; '.join(reasons)})"

    def _grow(self, kind: Kind) -> str:
        draw = np.random.default_rng(0)
        x = draw.normal(size=(PROBE_ROWS, PROBE_COLUMNS))
        y = (x[:, 0] * x[:, 1] + draw.normal(size=PROBE_ROWS) > 0).astype(float)
        settings = {"objective": "binary", "verbose": -1, "seed": 0, "num_threads": 1, "deterministic": True, "device_type": kind, "gpu_use_dp": True}
        booster = self.train(settings, lgb.Dataset(x, y, params={"verbose": -1, "device_type": kind}), PROBE_ROUNDS)
        # without the settings at its end, which name what the machine is
        return str(booster.model_to_string()).split("\nparameters:", 1)[0]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
