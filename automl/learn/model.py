"""The deployed model: a weighted sum, in raw-score space, of members that are each the average of their fold models.

Raw-score space is log-odds for two classes, centred logits for more, the value for regression or, where rmsle is the metric, log(1 + value). Adding there makes the attributions of the whole the
weighted sum of the attributions of its parts, so that they add up; a map of the sum, linear too, makes its probabilities come true
(`automl.learn.calibration`). A saved model is a folder of JSON, npy, npz and safetensors: never pickle.
"""

from __future__ import annotations

import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.encoding import CodeEncoder, as_categories
from automl.data.features import FeatureSchema
from automl.data.problems import Problem
from automl.evidence import NotMeasured, ProbabilityCalibration, Threshold
from automl.learn.calibration import RawMap, map_of
from automl.learn.families import Encoded, Files, FoldModel
from automl.learn.predictions import Predictions, to_predictions
from automl.learn.trials import FORMAT, load_fold_model
from automl.spec import DEFAULT_MISSING

__all__ = ["Attributions", "FittedModel", "Member", "Predictions", "load_model"]

Array = NDArray[np.float64]
AS_THEY_ARE = NotMeasured(reason="probabilities are left as they are")
BLOCK = 8_192
"""Rows predicted at a time: bounds the memory of the encoded matrices."""


@dataclass(frozen=True)
class Member:
    """One trial's fold models, averaged. The weights of a model's members add up to 1."""

    trial: int
    family: str
    weight: float
    folds: tuple[FoldModel, ...]

    def raw(self, encoded: Encoded, threads: int) -> Array:
        return np.asarray(np.mean([fold.raw(encoded.frame, threads, encoded) for fold in self.folds], axis=0))


@dataclass(frozen=True)
class Attributions:
    """Interventional Shapley values of the raw score against a stated background; the players are the table's columns."""

    phi: Array
    """(n, features) for two classes and regression, (n, features, k) for more classes, features in the order of ``FittedModel.features``."""
    base: Array
    """Mean raw score over the background: a scalar array (), or (k,)."""
    space: Literal["log_odds", "value", "log1p"]
    explainer: str
    additivity_error: float
    """Largest absolute difference between base + sum of a row's attributions and the model's raw score of that row."""


@dataclass(frozen=True, eq=False)
class FittedModel:
    problem: Problem
    members: tuple[Member, ...]
    codes: CodeEncoder
    """The levels that the training rows had, per feature."""
    out_of_fold_raw: Array = field(repr=False)
    """Raw scores of the training rows by the deployed fold models that did not see them: (n,) or (n, k)."""
    threshold: Threshold | None = None
    """Two classes only: the cut on the positive class's probability, and on what it was chosen."""
    threads: int = 1
    missing: tuple[str, ...] = DEFAULT_MISSING
    """The cell texts that were read as missing; a table to predict is read the same way."""
    calibration: ProbabilityCalibration | NotMeasured = AS_THEY_ARE
    """What is done to the members' sum; the out-of-fold scores have it done."""

    @property
    def raw_map(self) -> RawMap:
        return map_of(self.calibration)

    @property
    def schema(self) -> FeatureSchema:
        return self.problem.schema

    @property
    def features(self) -> tuple[str, ...]:
        return self.codes.columns

    @property
    def out_of_fold(self) -> Predictions:
        """Predictions of the training rows, each by the fold models that did not see it."""
        return to_predictions(self.out_of_fold_raw, self.problem.task, self.problem.logarithms)

    def predict(self, frame: pd.DataFrame) -> Predictions:
        """Predictions for a frame of `FeatureSchema.frame`. A column that is absent counts as missing, a level never seen as such."""
        return to_predictions(self.raw(frame), self.problem.task, self.problem.logarithms)

    def raw(self, frame: pd.DataFrame) -> Array:
        """(n,) log-odds, values or their logarithms, or (n, k) centred logits."""
        aligned = self._aligned(frame)
        # no rows have the shape of the training rows' scores, and LightGBM refuses them
        nothing = np.empty((0, *self.out_of_fold_raw.shape[1:]))
        return np.concatenate([nothing, *(self._raw_block(aligned.iloc[at:at + BLOCK]) for at in range(0, len(aligned), BLOCK))])

    def _raw_block(self, block: pd.DataFrame) -> Array:
        encoded = Encoded(block)
        return self.raw_map(np.asarray(np.sum([member.weight * member.raw(encoded, self.threads) for member in self.members], axis=0)))

    def decide(self, predictions: Predictions) -> NDArray[np.int64]:
        """Class index (n,): by the threshold for two classes, else the most probable class. Raises TypeError for regression."""
        if predictions.probabilities is None:
            raise TypeError("a regression model decides nothing")
        if self.threshold is not None:
            return np.asarray((predictions.probabilities[:, 1] >= self.threshold.value).astype(np.int64))
        return np.asarray(predictions.probabilities.argmax(axis=1))

    def unseen_levels(self, frame: pd.DataFrame) -> dict[str, int]:
        """Feature to the number of rows with a level that no training row had; only features where there are any."""
        return self.codes.unseen(frame)

    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame, seed: int = 0) -> Attributions:
        """Attributions of every row of ``frame`` against all rows of ``background`` (at least one), of the whole ensemble.

        Exact for linear models and for trees of single columns, sampled for networks and for trees that read pairs (`Attributions.explainer` says which), adding up for all.
        """
        rows, back = self._aligned(frame), self._aligned(background)
        parts = [(member.weight / len(member.folds), fold) for member in self.members for fold in member.folds]
        # threads, since the exact tree explainer leaves Python; the order of the sum stays the same
        with ThreadPoolExecutor(self.threads) as pool:
            # a seed for each part: sampling errors then average out over the folds
            phis = list(pool.map(lambda at: parts[at][0] * parts[at][1].attributions(rows, back, seed + at), range(len(parts))))
        phi = np.sum(phis, axis=0) * self.raw_map.slope
        base = np.asarray(self._raw_block(back).mean(axis=0))
        error = np.abs(base + phi.sum(axis=1) - self._raw_block(rows)).max(initial=0.0)
        explainers = sorted({fold.explainer for _, fold in parts})
        space: Literal["log_odds", "value", "log1p"] = "log_odds" if self.problem.task != "regression" else "log1p" if self.problem.logarithms else "value"
        return Attributions(phi, base, space, "; ".join(explainers), float(error))

    @property
    def attribution_cost(self) -> float:
        """What the attributions of one row cost, roughly, in leaves of trees (`families.FoldModel`)."""
        return sum(fold.attribution_cost for member in self.members for fold in member.folds)

    def get_ready(self) -> None:
        """What the first prediction would otherwise wait for: laying out trees and digests of encoders, reading compiled code, the libraries' own first call."""
        self.raw(pd.DataFrame({name: [np.nan] for name in self.features}))

    def _aligned(self, frame: pd.DataFrame) -> pd.DataFrame:
        return as_categories(frame.reindex(columns=list(self.features)), self.schema.texts)

    # --- the folder

    @cached_property
    def files(self) -> Files:
        """Relative file name to content: all that the folder holds."""
        document = {
            "format": FORMAT, "problem": _problem_as_json(self.problem), "codes": self.codes.as_json(), "threads": self.threads, "missing": self.missing,
            "threshold": None if self.threshold is None else self.threshold.model_dump(), "calibration": self.calibration.model_dump(),
            "members": [{"trial": member.trial, "family": member.family, "weight": member.weight, "folds": len(member.folds)} for member in self.members],
        }
        buffer = io.BytesIO()
        np.save(buffer, self.out_of_fold_raw, allow_pickle=False)
        files = {"model.json": json.dumps(document, ensure_ascii=False, sort_keys=True).encode(), "out_of_fold.npy": buffer.getvalue()}
        for at, member in enumerate(self.members):
            for number, fold in enumerate(member.folds):
                files |= {f"member{at}/fold{number}/{name}": content for name, content in fold.files().items()}
        return files

    @cached_property
    def sha256(self) -> str:
        """Of the sorted lines "name sha256-of-content": the same for a model just fitted, saved and loaded."""
        lines = [f"{name} {hashlib.sha256(content).hexdigest()}\n" for name, content in sorted(self.files.items())]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def save(self, folder: Path) -> None:
        """Writes the folder (made if absent; files of the same names are replaced)."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def load_model(folder: Path, threads: int | None = None) -> FittedModel:
    """The model that `FittedModel.save` wrote, ready to predict. Raises FileNotFoundError or ValueError for a folder that is none.

    Only for folders of our own making whose hashes were checked.
    """
    document = json.loads((folder / "model.json").read_bytes())
    if document.get("format") != FORMAT:
        raise ValueError(f"{folder.name} holds a model of format {document.get('format')!r}; this version reads format {FORMAT}")
    members = tuple(_load_member(folder / f"member{at}", each) for at, each in enumerate(document["members"]))
    threshold = None if document["threshold"] is None else Threshold.model_validate(document["threshold"])
    model = FittedModel(
        _problem_from_json(document["problem"]), members, CodeEncoder.from_json(document["codes"]),
        np.load(folder / "out_of_fold.npy", allow_pickle=False), threshold, threads or document["threads"], tuple(document["missing"]),
        _calibration_from_json(document["calibration"]))
    model.get_ready()
    return model


def _calibration_from_json(document: dict[str, Any]) -> ProbabilityCalibration | NotMeasured:
    return NotMeasured.model_validate(document) if document["status"] == "not_measured" else ProbabilityCalibration.model_validate(document)


def _load_member(folder: Path, document: dict[str, Any]) -> Member:
    folds = [{path.name: path.read_bytes() for path in (folder / f"fold{number}").iterdir()} for number in range(document["folds"])]
    return Member(document["trial"], document["family"], document["weight"], tuple(load_fold_model(document["family"], files) for files in folds))


def _problem_as_json(problem: Problem) -> dict[str, Any]:
    """Without the columns: they count rows of the audit part too, and nothing of a model may depend on those (evidence rule 1)."""
    return {
        "task": problem.task, "target": problem.target, "labels": problem.labels, "positive": problem.positive, "favourable": problem.favourable,
        "inferred": problem.inferred, "metric": problem.metric, "schema": problem.schema.as_json(),
        **({} if problem.quantile is None else {"quantile": problem.quantile}),
    }


def _problem_from_json(document: dict[str, Any]) -> Problem:
    return Problem(
        task=document["task"], target=document["target"], labels=tuple(document["labels"]), positive=document["positive"],
        favourable=tuple(document["favourable"]), inferred=document["inferred"], metric=document["metric"],
        schema=FeatureSchema.from_json(document["schema"]), columns=(), quantile=document.get("quantile"))
