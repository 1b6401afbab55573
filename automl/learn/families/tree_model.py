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
from automl.learn.sampled_shap import EXPLAINER, WALKS, sampled_shapley_values
from automl.learn.trees import Trees

if TYPE_CHECKING:
    import pandas as pd

SUMMED_FOR_A_LEAF = 0.01
"""What one leaf costs where a row is predicted, beside what it costs where its attributions are computed exactly."""
MAX_DEPTH = 50
"""Keeps the columns on one path countable in a 64-bit word, which the exact Shapley values rely on."""


@dataclass(frozen=True)
class TreeModel:
    encoder: TreeEncoder
    outputs: int
    content: bytes = field(repr=False)
    """The trees as they are stored. Always read back from here, so that a model just fitted and the same model loaded are the same numbers."""

    @cached_property
    def trees(self) -> Trees:
        return Trees.from_bytes(self.content)

    def raw(self, frame: pd.DataFrame, threads: int = 1, encoded: Encoded | None = None) -> Array:
        raw = self.trees.raw_scores((encoded or Encoded(frame)).by(self.encoder), self.outputs, threads)
        return raw[:, 0] if self.outputs == 1 else centred(raw)

    @property
    def explainer(self) -> str:
        return EXPLAINER if self.encoder.pairs else "exact interventional tree SHAP over the table's columns"

    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame, seed: int) -> Array:
        """Exact, but where trees read columns taken together: what such a column says of a mixture of two rows is not known from either."""
        position, codes = {name: at for at, name in enumerate(frame.columns)}, self.encoder.codes
        if self.encoder.pairs:
            phi = np.zeros((len(frame), frame.shape[1], self.outputs))
            phi[:, [position[name] for name in codes.columns]] = sampled_shapley_values(self._raw_of_codes, codes.transform(frame), codes.transform(background), codes.places, seed)
        else:
            players = np.array([position[codes.names[source]] for source in self.encoder.sources], dtype=np.int64)
            phi = tree_shap.shapley_values(self.trees, self.encoder.transform(frame), self.encoder.transform(background), players, frame.shape[1], self.outputs)
        return phi[:, :, 0] if self.outputs == 1 else phi - phi.mean(axis=2, keepdims=True)

    def _raw_of_codes(self, plain: Array) -> Array:
        return self.trees.raw_scores(self.encoder.of_codes(plain), self.outputs, 1)

    @property
    def attribution_cost(self) -> float:
        leaves = float(len(self.trees.value))
        return leaves * SUMMED_FOR_A_LEAF * WALKS * (len(self.encoder.codes.columns) + 1) if self.encoder.pairs else leaves

    def files(self) -> Files:
        document = {"encoder": self.encoder.as_json(), "outputs": self.outputs}
        return {"trees.npz": self.content, "trees.json": json.dumps(document, ensure_ascii=False, sort_keys=True).encode()}


def load_trees(files: Files) -> TreeModel:
    """The model that `TreeModel.files` wrote."""
    document = json.loads(files["trees.json"])
    return TreeModel(TreeEncoder.from_json(document["encoder"]), document["outputs"], files["trees.npz"])
