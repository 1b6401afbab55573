"""Where LightGBM learns. No test here needs a GPU: the machine is a fake, but for the last test, which asks the installed build."""

from __future__ import annotations

from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
import torch

from automl.learn.families import Effort, family
from automl.learn.families.lgbm import Lgbm
from automl.learn.families.lgbm_device import LgbmDevice
from tests.automl.learn import material


class Machine:
    """Stands in for `lgb.train`: learns on the CPU, and notes what it was asked for. ``broken``: kinds whose build is missing."""

    def __init__(self, *broken: str, drifting: bool = False, fails_after: int = 10**9) -> None:
        self.broken, self.drifting, self.fails_after = broken, drifting, fails_after
        self.asked: list[dict[str, Any]] = []

    def __call__(self, settings: dict[str, Any], data: lgb.Dataset, rounds: int, **more: Any) -> Any:
        self.asked.append(settings)
        kind = settings["device_type"]
        if kind in self.broken or (kind != "cpu" and len(self.asked) > self.fails_after):
            raise lgb.basic.LightGBMError(f"{kind} is out of memory\nand more")
        settings = {**settings, "device_type": "cpu", "seed": len(self.asked) if self.drifting else settings["seed"], "bagging_freq": 1, "bagging_fraction": 0.7}
        for each in (data, *more.get("valid_sets", [])):
            each.params = {**(each.params or {}), "device_type": "cpu"}
        return lgb.train(settings, data, rounds, **more)

    @property
    def kinds(self) -> list[str]:
        return [settings["device_type"] for settings in self.asked]


def test_without_a_cuda_device_nothing_is_tried() -> None:
    machine = Machine()
    device = LgbmDevice(lambda: False, machine)
    assert (device.kind, device.words, machine.kinds) == ("cpu", "CPU: no CUDA device is present", [])
    assert device.settings() == {"device_type": "cpu", "force_row_wise": True}


@pytest.mark.parametrize(("broken", "kind", "tried"), [((), "cuda", ["cuda", "cuda"]), (("cuda",), "gpu", ["cuda", "gpu", "gpu"])])
def test_the_first_build_that_works_is_taken_and_tried_once(broken: tuple[str, ...], kind: str, tried: list[str]) -> None:
    machine = Machine(*broken)
    device = LgbmDevice(lambda: True, machine)
    assert [device.kind, device.kind] == [kind, kind]
    assert device.words == f"GPU: LightGBM's {kind} build"
    assert machine.kinds == tried
    assert device.settings()["device_type"] == kind
    assert "force_row_wise" not in device.settings()


def test_builds_that_do_not_work_are_named_with_their_reasons() -> None:
    device = LgbmDevice(lambda: True, Machine("cuda", "gpu"))
    assert device.kind == "cpu"
    assert device.words == "CPU: LightGBM's GPU builds do not work here (cuda: cuda is out of memory; gpu: gpu is out of memory)"


def test_a_build_that_grows_other_trees_each_time_is_not_taken() -> None:
    device = LgbmDevice(lambda: True, Machine("gpu", drifting=True))
    assert device.kind == "cpu"
    assert "cuda grew other trees from the same rows" in device.words


def test_a_fold_is_learned_on_the_gpu_and_where_that_fails_on_the_cpu() -> None:
    fold, params = material.fold("binary", 2), family("lgbm").defaults("binary")[0]
    machine = Machine(fails_after=3)
    lgbm = Lgbm(LgbmDevice(lambda: True, machine))
    lgbm.fit(params, fold, Effort(1))
    assert machine.kinds == ["cuda"] * 3
    model = lgbm.fit(params, fold, Effort(1))
    assert machine.kinds[3:] == ["cuda", "cpu"]
    assert np.isfinite(model.raw(fold.valid)).all()
    assert lgbm.device() == "GPU: LightGBM's cuda build, until learning on it failed (cuda is out of memory); from then on CPU"


def test_on_the_cpu_an_error_is_an_error() -> None:
    fold, params = material.fold("binary", 2), family("lgbm").defaults("binary")[0]
    with pytest.raises(lgb.basic.LightGBMError, match="out of memory"):
        Lgbm(LgbmDevice(lambda: False, Machine("cpu"))).fit(params, fold, Effort(1))


@pytest.mark.skipif(torch.cuda.is_available(), reason="asks what a machine without a GPU says")
def test_the_installed_build_says_why_it_learns_on_the_cpu() -> None:
    device = LgbmDevice(lambda: True)
    assert device.kind == "cpu"
    assert device.words.startswith("CPU: LightGBM's GPU builds do not work here (cuda: ")
