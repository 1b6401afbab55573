"""A network for tables: piecewise-linear number embeddings, category embeddings, and a small ensemble of MLPs that share their weights.

Numbers enter as piecewise-linear encodings over training quantiles (Gorishniy et al. 2022, "On embeddings for numerical features"); the ensemble is
TabM-mini (Gorishniy et al. 2025, "TabM"): ``k`` members share one MLP, differ by one learned scaling of its input and by their heads, are trained each
on its own loss, and are averaged, here in raw-score space so that attributions add up.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn

from automl.data.encoding import CodeEncoder
from automl.learn.families import Array, CannotFit, Effort, Files, Fold, Params
from automl.learn.predictions import centred
from automl.spec import TaskKind

if TYPE_CHECKING:
    import optuna
    import pandas as pd

DEFAULT: Params = {"width": 256, "depth": 2, "dropout": 0.1, "learning_rate": 2e-3, "weight_decay": 1e-2, "members": 4}
BINS = 24
BATCH, LARGE_BATCH, LARGE = 256, 1024, 100_000
"""Rows per step, and from how many training rows on the larger one is used."""
MOST_EPOCHS, PATIENCE = 100, 6
USUAL_EPOCHS = 12
"""What a fit is expected to need at least; where the first epoch shows that there is no time for them, it is not worth going on."""
WALKS, ROWS_AT_ONCE = 24, 16
"""Attributions: background rows that each row walks to, and rows that are walked together."""
BLOCK = 8192
"""Rows per forward pass where nothing is learned: bounds the memory of prediction and attribution."""


def choose_device(cuda_available: bool | None = None) -> torch.device:
    """CUDA when present, else the CPU. The argument stands in for the machine in tests."""
    present = torch.cuda.is_available() if cuda_available is None else cuda_available
    return torch.device("cuda" if present else "cpu")


@dataclass(frozen=True)
class Shape:
    """What a network is built from; everything else is learned."""

    levels: tuple[int, ...]
    """Per column: 0 for a number, otherwise how many levels the training rows have."""
    outputs: int
    width: int
    depth: int
    members: int
    dropout: float


class Network(nn.Module):
    edges: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.numbers = [at for at, levels in enumerate(shape.levels) if levels == 0]
        self.categories = [at for at, levels in enumerate(shape.levels) if levels > 0]
        self.sizes = [shape.levels[at] for at in self.categories]
        # two more rows than levels: one for a level never seen, one for missing
        tables = [(levels + 2, min(24, 2 + math.ceil(2 * levels**0.5))) for levels in self.sizes]
        self.embeddings = nn.ModuleList([nn.Embedding(*table) for table in tables])
        self.register_buffer("edges", torch.zeros(len(self.numbers), BINS + 1))
        inputs = len(self.numbers) * (BINS + 1) + sum(width for _, width in tables)
        self.scaling = nn.Parameter(torch.where(torch.rand(shape.members, inputs) < 0.5, -1.0, 1.0))
        layers: list[nn.Module] = []
        for at in range(shape.depth):
            layers += [nn.Linear(inputs if at == 0 else shape.width, shape.width), nn.ReLU(), nn.Dropout(shape.dropout)]
        self.body = nn.Sequential(*layers)
        self.heads = nn.Parameter(torch.empty(shape.members, shape.width, shape.outputs).uniform_(-1, 1) / shape.width**0.5)
        self.bias = nn.Parameter(torch.zeros(shape.members, shape.outputs))

    def forward(self, codes: Tensor) -> Tensor:
        """(rows, columns) numbers and codes, NaN for missing -> (rows, members, outputs)."""
        parts = [self._piecewise_linear(codes[:, self.numbers])]
        for at, column in enumerate(self.categories):
            code = torch.where(torch.isnan(codes[:, column]), self.sizes[at] + 1, codes[:, column])
            parts.append(self.embeddings[at](code.long()))
        hidden = self.body(torch.cat(parts, dim=1)[:, None, :] * self.scaling)
        return torch.einsum("rmw,mwo->rmo", hidden, self.heads) + self.bias

    def _piecewise_linear(self, numbers: Tensor) -> Tensor:
        """Per number: how far into each quantile bin it reaches, 0 to 1, and whether it is missing (then 0 everywhere)."""
        low, high = self.edges[:, :-1], self.edges[:, 1:]
        reach = ((numbers[:, :, None] - low) / (high - low).clamp_min(1e-12)).clamp(0, 1)
        missing = torch.isnan(numbers)
        reach = torch.where(missing[:, :, None] | (high <= low), 0.0, reach)
        return torch.cat([reach.flatten(1), missing.to(reach.dtype)], dim=1)


@dataclass(frozen=True)
class TorchModel:
    encoder: CodeEncoder
    network: Network
    shape: Shape
    task: TaskKind
    centre: float
    scale: float
    """Regression: the network's output is (value - centre) / scale."""
    explainer = f"sampled interventional SHAP: per row {WALKS} background rows, each by one random order of the columns"

    def raw(self, frame: pd.DataFrame, threads: int = 1) -> Array:
        return self._raw(self.encoder.transform(frame))

    def _raw(self, codes: Array) -> Array:
        device = self.network.edges.device
        self.network.eval()
        with torch.inference_mode():
            blocks = [self.network(_tensor(codes[at:at + BLOCK], device)).mean(dim=1).double().cpu().numpy() for at in range(0, len(codes), BLOCK)]
        raw = np.concatenate(blocks) if blocks else np.zeros((0, self.shape.outputs))
        return centred(raw) if self.shape.outputs > 1 else raw[:, 0] * self.scale + self.centre

    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame, seed: int) -> Array:
        """Strumbelj and Kononenko (2014): a row and a background row walk from one to the other in a random order of columns.

        Each row walks to at most `WALKS` background rows. What its sum then lacks to the distance from the mean over the whole background is shared out
        over the columns by how uncertain each one's estimate is (as shap's sampling explainer does), so that the numbers add up.
        """
        order = [list(frame.columns).index(name) for name in self.encoder.names]
        rows, back = self.encoder.transform(frame), self.encoder.transform(background)
        gap = (self._raw(rows) - self._raw(back).mean(axis=0)).reshape(len(rows), -1)
        draw = np.random.default_rng(seed)
        phi = np.zeros((len(rows), frame.shape[1], self.shape.outputs))
        for at in range(0, len(rows), ROWS_AT_ONCE):
            block = slice(at, at + ROWS_AT_ONCE)
            phi[block, order] = self._walked(rows[block], back, gap[block], draw)
        return phi[:, :, 0] if self.shape.outputs == 1 else phi

    def _walked(self, rows: Array, back: Array, gap: Array, draw: np.random.Generator) -> Array:
        """(rows, columns, outputs): mean steps over the walks of each row, made to sum to its ``gap`` (rows, outputs)."""
        n, (m, d) = len(rows), back.shape
        walks = min(m, WALKS)
        to = back[np.argsort(draw.random((n, m)), axis=1)[:, :walks]]
        half = np.argsort(draw.random((n, (walks + 1) // 2, d)), axis=2)
        orders = np.concatenate([half, half[:, :, ::-1]], axis=1)[:, :walks]
        rank = np.argsort(orders, axis=2)
        # after s steps a walk has the row's own cells in the first s columns of its order
        taken = rank[:, :, None, :] < np.arange(d + 1)[None, None, :, None]
        raw = self._raw(np.where(taken, rows[:, None, None, :], to[:, :, None, :]).reshape(-1, d)).reshape(n, walks, d + 1, -1)
        steps = np.take_along_axis(np.diff(raw, axis=2), rank[:, :, :, None], axis=2)
        found, doubt = steps.mean(axis=1), steps.std(axis=1) + 1e-12
        return np.asarray(found + doubt / doubt.sum(axis=1, keepdims=True) * (gap - found.sum(axis=1))[:, None, :])

    def files(self) -> Files:
        document = {"encoder": self.encoder.as_json(), "shape": self.shape.__dict__, "task": self.task, "centre": self.centre, "scale": self.scale}
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.network.state_dict().items()}
        return {
            "weights.safetensors": safetensors.torch.save(tensors),
            "torch.json": json.dumps(document, ensure_ascii=False, sort_keys=True).encode(),
        }


def _tensor(codes: Array, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(codes, dtype=np.float32)).to(device)


class TorchMlp:
    name = "torch"

    def defaults(self, task: TaskKind) -> list[Params]:
        return [DEFAULT]

    def suggest(self, trial: optuna.Trial, task: TaskKind) -> Params:
        return {
            "width": trial.suggest_int("width", 64, 384, step=64),
            "depth": trial.suggest_int("depth", 1, 3),
            "dropout": trial.suggest_float("dropout", 0.0, 0.5),
            "learning_rate": trial.suggest_float("learning_rate", 3e-4, 5e-3, log=True),
            "weight_decay": trial.suggest_float("weight_decay", 1e-4, 1e-1, log=True),
            "members": trial.suggest_categorical("members", [1, 4, 8]),
        }

    def fit(self, params: Params, fold: Fold, effort: Effort) -> TorchModel:
        if not fold.train.shape[1]:
            raise CannotFit("there are no features")
        torch.set_num_threads(effort.threads)
        encoder = CodeEncoder.fit(fold.train)
        outputs = fold.classes if fold.task == "multiclass" else 1
        levels = tuple(0 if known is None else max(1, len(known)) for known in encoder.levels)
        shape = Shape(levels, outputs, params["width"], params["depth"], params["members"], params["dropout"])
        centre, scale = (float(np.mean(fold.train_y)), float(np.std(fold.train_y)) or 1.0) if fold.task == "regression" else (0.0, 1.0)
        codes = encoder.transform(fold.train)
        # a generator of our own state: what else draws random numbers in this process changes nothing here
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(fold.seed)
            network = Network(shape)
            network.edges.copy_(torch.from_numpy(_quantiles(codes[:, network.numbers])))
            network.to(choose_device())
            _learn(network, params, fold, codes, encoder.transform(fold.valid), (centre, scale), effort)
        return TorchModel(encoder, network, shape, fold.task, centre, scale)

    def load(self, files: Files) -> TorchModel:
        document = json.loads(files["torch.json"])
        shape = Shape(**{**document["shape"], "levels": tuple(document["shape"]["levels"])})
        network = Network(shape)
        network.load_state_dict(safetensors.torch.load(files["weights.safetensors"]))
        network.to(choose_device())
        return TorchModel(CodeEncoder.from_json(document["encoder"]), network, shape, document["task"], document["centre"], document["scale"])


def _quantiles(numbers: Array) -> Array:
    """(columns, BINS + 1): rising edges; bins that would be empty have no width and encode as 0."""
    edges = np.zeros((numbers.shape[1], BINS + 1))
    for at in range(numbers.shape[1]):
        known = numbers[~np.isnan(numbers[:, at]), at]
        if len(known):
            distinct = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)))
            edges[at] = np.concatenate([distinct, np.full(BINS + 1 - len(distinct), distinct[-1])])
    return edges


def _learn(network: Network, params: Params, fold: Fold, train: Array, valid: Array, unit: tuple[float, float], effort: Effort) -> None:
    """Trains in place until the validation loss has not improved for `PATIENCE` epochs or the effort ends; leaves the best epoch's weights."""
    device = network.edges.device
    x, y, w = _tensor(train, device), _targets(fold.train_y, fold.task, unit, device), _weights(fold.train_weight, len(train), device)
    vx, vy, vw = _tensor(valid, device), _targets(fold.valid_y, fold.task, unit, device), _weights(fold.valid_weight, len(valid), device)
    optimiser = torch.optim.AdamW(network.parameters(), lr=params["learning_rate"], weight_decay=params["weight_decay"])
    batch = LARGE_BATCH if len(x) >= LARGE else BATCH
    best, best_state, waited = math.inf, _state(network), 0
    begun = time.monotonic()
    for epoch in range(MOST_EPOCHS):
        network.train()
        for rows in torch.split(torch.randperm(len(x)).to(device), batch):
            optimiser.zero_grad()
            _loss(network(x[rows]), y[rows], w[rows], fold.task).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if effort.must_end():
                break
        _check_pace(epoch, time.monotonic() - begun, effort)
        loss = _valid_loss(network, vx, vy, vw, fold.task)
        best, best_state, waited = (loss, _state(network), 0) if loss < best else (best, best_state, waited + 1)
        if waited >= PATIENCE or effort.must_end():
            break
    if not math.isfinite(best):
        raise CannotFit("the network's loss is not a number")
    network.load_state_dict(best_state)


def _check_pace(epoch: int, seconds: float, effort: Effort) -> None:
    if epoch == 0 and seconds * USUAL_EPOCHS > effort.seconds:
        raise CannotFit(f"one pass over the rows took {seconds:.1f} s, and about {USUAL_EPOCHS} are needed in each fold: more than the budget leaves")


def _state(network: Network) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def _targets(y: Any, task: TaskKind, unit: tuple[float, float], device: torch.device) -> Tensor:
    if task == "multiclass":
        return torch.from_numpy(np.asarray(y, dtype=np.int64)).to(device)
    numbers = (y - unit[0]) / unit[1] if task == "regression" else y
    return torch.from_numpy(np.asarray(numbers, dtype=np.float32)).to(device)


def _weights(weight: Any, n: int, device: torch.device) -> Tensor:
    numbers = np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64) / max(float(np.mean(weight)), 1e-12)
    return torch.from_numpy(numbers.astype(np.float32)).to(device)


def _loss(raw: Tensor, y: Tensor, w: Tensor, task: TaskKind) -> Tensor:
    """Weighted mean over rows of the members' mean loss; each member answers for its own output, as TabM asks."""
    rows, members, outputs = raw.shape
    if task == "multiclass":
        each = nn.functional.cross_entropy(raw.reshape(-1, outputs), y.repeat_interleave(members), reduction="none")
    elif task == "binary":
        each = nn.functional.binary_cross_entropy_with_logits(raw.reshape(-1), y.repeat_interleave(members), reduction="none")
    else:
        each = nn.functional.mse_loss(raw.reshape(-1), y.repeat_interleave(members), reduction="none")
    return (each.reshape(rows, members).mean(dim=1) * w).mean()


def _valid_loss(network: Network, x: Tensor, y: Tensor, w: Tensor, task: TaskKind) -> float:
    """The loss of the averaged output, which is what is deployed."""
    network.eval()
    with torch.inference_mode():
        raw = torch.cat([network(block).mean(dim=1, keepdim=True) for block in torch.split(x, BLOCK)])
        return float(_loss(raw, y, w, task))


FAMILY = TorchMlp()
