"""The fold model of every family of trees: an encoder, and trees as arrays. Summing, storing and explaining are the same whoever grew them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from automl.data.encoding import TreeEncoder
from automl.learn import tree_shap
from automl.learn.families import Array, Encoded, Files
from automl.learn.predictions import centred
from automl.learn.trees import Trees

if TYPE_CHECKING:
    import pandas as pd

MAX_DEPTH = 50
"""Keeps the columns on one path countable in a 64-bit word, which the exact Shapley values rely on."""


@dataclass(frozen=True)
class TreeModel:
    encoder: TreeEncoder
    outputs: int
    content: bytes = field(repr=False)
    """The trees as they are stored. Always read back from here, so that a model just fitted and the same model loaded are the same numbers."""
    explainer = "exact interventional tree SHAP over the table's columns"

    @cached_property
    def trees(self) -> Trees:
        return Trees.from_bytes(self.content)

    def raw(self, frame: pd.DataFrame, threads: int = 1, encoded: Encoded | None = None) -> Array:
        raw = self.trees.raw_scores((encoded or Encoded(frame)).by(self.encoder), self.outputs, threads)
        return raw[:, 0] if self.outputs == 1 else centred(raw)

    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame, seed: int) -> Array:
        position = {name: at for at, name in enumerate(frame.columns)}
        players = np.array([position[self.encoder.codes.names[source]] for source in self.encoder.sources], dtype=np.int64)
        phi = tree_shap.shapley_values(self.trees, self.encoder.transform(frame), self.encoder.transform(background), players, frame.shape[1], self.outputs)
        return phi[:, :, 0] if self.outputs == 1 else phi - phi.mean(axis=2, keepdims=True)

    @property
    def attribution_cost(self) -> float:
        return float(len(self.trees.value))

    def files(self) -> Files:
        document = {"encoder": self.encoder.as_json(), "outputs": self.outputs}
        return {"trees.npz": self.content, "trees.json": json.dumps(document, ensure_ascii=False, sort_keys=True).encode()}


def load_trees(files: Files) -> TreeModel:
    """The model that `TreeModel.files` wrote."""
    document = json.loads(files["trees.json"])
    model = TreeModel(TreeEncoder.from_json(document["encoder"]), document["outputs"], files["trees.npz"])
    model.trees.get_ready()
    return model
