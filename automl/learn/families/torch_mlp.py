"""A network for tables: piecewise-linear number embeddings, category embeddings, and a multilayer perceptron, alone or as several that share weights.

Numbers enter as piecewise-linear encodings over training quantiles, each mapped linearly to a few inputs (Gorishniy et al. 2022, "On embeddings for
numerical features"). Weights are scaled by their number of inputs and learn at rates of their own, behind one learned scaling of each input (RealMLP,
Holzmueller et al. 2024). With more than one member it is TabM-mini (Gorishniy et al. 2025): ``members`` share one perceptron, differ by their scaling and
their heads, are trained each on its own loss, and are averaged, here in raw-score space so that attributions add up. The learning rate falls to nought over
a number of epochs that is known before the first, and the best epoch's weights are kept.
"""

from __future__ import annotations

import json
import math
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn

from automl.data.bins import quantile_edges
from automl.data.encoding import CodeEncoder
from automl.learn.families import USUAL, Array, CannotFit, Effort, Encoded, Files, Fold, Params, TableShape, texts_in_numbers
from automl.learn.predictions import centred
from automl.learn.sampled_shap import EXPLAINER, WALKS, sampled_shapley_values
from automl.spec import MEDIAN, TaskKind

if TYPE_CHECKING:
    import optuna
    import pandas as pd

DEFAULT: Params = {"width": 256, "depth": 2, "dropout": 0.15, "learning_rate": 1e-2, "weight_decay": 1e-2, "members": 1, "epochs": 30}
DEFAULT_REGRESSION: Params = {**DEFAULT, "learning_rate": 2e-2}
LONG: Params = {**DEFAULT_REGRESSION, "epochs": 90}
"""Where numbers follow smooth laws this brings more than any other member, at two or three times the time. Of several classes with more dropout; not of two: the best of so many epochs flatters its
out-of-fold score, which is of the rows it was chosen on (docs/benchmarks.md)."""
DEFAULTS: dict[str, list[Params]] = {
    "binary": [DEFAULT], "multiclass": [DEFAULT, {**LONG, "learning_rate": 3e-2, "dropout": 0.3}],
    "regression": [DEFAULT_REGRESSION, LONG, {**LONG, "dropout": 0.0}, {**LONG, "dropout": 0.05, "depth": 3}],
}
BINS = 16
INPUTS_PER_NUMBER = 8
BATCHES = (200_000, 1024), (50_000, 512), (6_000, 256), (2_000, 128), (0, 64)
"""From how many training rows on, and the rows per step."""
BATCHES_ON_GPU = (200_000, 4096), (50_000, 2048), *BATCHES
"""The same where a step of few rows leaves the device idle; of small tables there are not enough rows for steps of many."""
MIXED_PRECISION = {"cuda"}
"""Devices that multiply half as long numbers faster: learning does so there, where they can. Sums, losses, weights, and all that predicts or explains stay at 32 bits."""
FEW_ROWS = 25_000 / 3
"""Training rows up to which the setting's epochs are learned. More rows have fewer epochs, so that as many rows are seen."""
LEAST_EPOCHS, LEAST_STEPS = 8, 600
"""But at least so many, and as many as make so many steps; no more than there is time for."""
PATIENCE, PATIENCE_SHARE = 8, 0.22
"""Epochs without a lower validation loss after which the rest is not worth its time: so many, or this share of the setting's."""
FEWEST_EPOCHS = 5
"""Where the first epochs show that there is no time for so many, it is not worth going on."""
WARM_UP = 0.05
RATES = {"scaling_alone": 6.0, "scaling": 1.0, "weights": 1.0, "embeddings": 0.3, "biases": 0.1}
"""Of the learning rate, per kind of parameter."""
PARAMETERS_OF_A_LEAF = 250
"""Of a network, multiplied and added in the time that a leaf of a tree takes when attributions are computed."""
BLOCK = 8192
"""Rows per forward pass where nothing is learned: bounds the memory of prediction and attribution."""


_making = threading.Lock()


def choose_device(cuda_available: bool | None = None) -> torch.device:
    """CUDA when present, else the CPU. The argument stands in for the machine in tests."""
    present = torch.cuda.is_available() if cuda_available is None else cuda_available
    return torch.device("cuda" if present else "cpu")


def learning_precision(device: torch.device) -> torch.autocast:
    """What the network is run in while it learns: bfloat16 for products where the device is one of `MIXED_PRECISION` and has them in hardware."""
    able = device.type in MIXED_PRECISION and (device.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False))
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=able)


def batch_size(rows: int, device: torch.device) -> int:
    """Rows per step."""
    return next(size for least, size in (BATCHES_ON_GPU if device.type == "cuda" else BATCHES) if rows >= least)


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


class Dropout(nn.Module):
    """PyTorch's, drawing from a generator of the network's own: other networks may learn in other threads at the same time."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.draw: torch.Generator | None = None

    def forward(self, hidden: Tensor) -> Tensor:
        if not self.training or not self.share:
            return hidden
        return hidden * torch.empty_like(hidden).bernoulli_(1 - self.share, generator=self.draw) / (1 - self.share)


class Scaled(nn.Linear):
    """A linear layer whose weights are near one whatever the number of inputs (neural tangent parametrisation, Jacot et al. 2018)."""

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight)
        nn.init.normal_(self.bias, std=0.1)

    def forward(self, hidden: Tensor) -> Tensor:
        return nn.functional.linear(hidden, self.weight / self.in_features**0.5, self.bias)


class Network(nn.Module):
    edges: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.numbers = [at for at, levels in enumerate(shape.levels) if levels == 0]
        self.categories = [at for at, levels in enumerate(shape.levels) if levels > 0]
        self.sizes = [shape.levels[at] for at in self.categories]
        self.register_buffer("edges", torch.zeros(len(self.numbers), BINS + 1))
        # one weight a bin, one for missing
        self.maps = nn.Parameter(torch.empty(len(self.numbers), BINS + 1, INPUTS_PER_NUMBER).uniform_(-1, 1) / (BINS / 2) ** 0.5)
        self.shifts = nn.Parameter(torch.empty(len(self.numbers), INPUTS_PER_NUMBER).uniform_(-0.1, 0.1))
        # two more rows than levels: one for a level never seen, one for missing
        tables = [(levels + 2, min(8, levels + 1)) for levels in self.sizes]
        self.embeddings = nn.ModuleList([nn.Embedding(*table) for table in tables])
        inputs = len(self.numbers) * INPUTS_PER_NUMBER + sum(width for _, width in tables)
        alone = shape.members == 1
        self.scaling = nn.Parameter(torch.ones(1, inputs) if alone else torch.where(torch.rand(shape.members, inputs) < 0.5, -1.0, 1.0))
        layers: list[nn.Module] = []
        for at in range(shape.depth):
            layers += [Scaled(inputs if at == 0 else shape.width, shape.width), nn.ReLU(), Dropout(shape.dropout)]
        self.body = nn.Sequential(*layers)
        self.heads = nn.Parameter(torch.randn(shape.members, shape.width, shape.outputs) * 0.3)
        self.bias = nn.Parameter(torch.zeros(shape.members, shape.outputs))

    def forward(self, codes: Tensor) -> Tensor:
        """(rows, columns) numbers and codes, NaN for missing -> (rows, members, outputs)."""
        reach = self._piecewise_linear(codes[:, self.numbers]).transpose(0, 1)
        parts = [torch.baddbmm(self.shifts[:, None, :], reach, self.maps).transpose(0, 1).flatten(1)]
        for at, column in enumerate(self.categories):
            code = torch.where(torch.isnan(codes[:, column]), self.sizes[at] + 1, codes[:, column])
            parts.append(self.embeddings[at](code.long()))
        hidden = self.body(torch.cat(parts, dim=1)[:, None, :] * self.scaling)
        return torch.einsum("rmw,mwo->rmo", hidden, self.heads / self.heads.shape[1] ** 0.5) + self.bias

    def kinds(self) -> dict[str, list[Tensor]]:
        """The parameters by how fast they learn (`RATES`); weight decay is for weights only."""
        layers = [layer for layer in self.body if isinstance(layer, Scaled)]
        return {
            "scaling_alone" if len(self.scaling) == 1 else "scaling": [self.scaling],
            "weights": [self.heads, *(layer.weight for layer in layers)],
            "embeddings": [self.maps, self.shifts, *self.embeddings.parameters()],
            "biases": [self.bias, *(layer.bias for layer in layers)],
        }

    def _piecewise_linear(self, numbers: Tensor) -> Tensor:
        """(rows, numbers, BINS + 1): how far into each quantile bin it reaches, 0 to 1, and whether it is missing (then 0 everywhere)."""
        low, high = self.edges[:, :-1], self.edges[:, 1:]
        reach = ((numbers[:, :, None] - low) / (high - low).clamp_min(1e-12)).clamp(0, 1)
        missing = torch.isnan(numbers)
        reach = torch.where(missing[:, :, None] | (high <= low), 0.0, reach)
        return torch.cat([reach, missing[:, :, None].to(reach.dtype)], dim=2)


@dataclass(frozen=True)
class TorchModel:
    encoder: CodeEncoder
    network: Network
    shape: Shape
    task: TaskKind
    centre: float
    scale: float
    """Regression: the network's output is (value - centre) / scale."""
    explainer = EXPLAINER

    def raw(self, frame: pd.DataFrame, threads: int = 1, encoded: Encoded | None = None) -> Array:
        return self._raw((encoded or Encoded(frame)).by(self.encoder))

    def _raw(self, codes: Array) -> Array:
        device = self.network.edges.device
        self.network.eval()
        with torch.inference_mode():
            blocks = [self.network(_tensor(codes[at:at + BLOCK], device)).mean(dim=1).double().cpu().numpy() for at in range(0, len(codes), BLOCK)]
        raw = np.concatenate(blocks) if blocks else np.zeros((0, self.shape.outputs))
        return centred(raw) if self.shape.outputs > 1 else raw[:, 0] * self.scale + self.centre

    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame, seed: int) -> Array:
        order = [list(frame.columns).index(name) for name in self.encoder.columns]
        phi = np.zeros((len(frame), frame.shape[1], self.shape.outputs))
        phi[:, order] = sampled_shapley_values(self._raw, self.encoder.transform(frame), self.encoder.transform(background), self.encoder.places, seed)
        return phi[:, :, 0] if self.shape.outputs == 1 else phi

    @property
    def attribution_cost(self) -> float:
        parameters = sum(tensor.numel() for tensor in self.network.parameters())
        return float(WALKS * (len(self.encoder.columns) + 1) * parameters / PARAMETERS_OF_A_LEAF)

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

    def device(self) -> str:
        return "CPU: no CUDA device is present" if choose_device().type == "cpu" else "GPU: CUDA"

    def defaults(self, task: TaskKind, shape: TableShape = USUAL) -> list[Params]:
        return DEFAULTS[task]

    def suggest(self, trial: optuna.Trial, task: TaskKind, shape: TableShape = USUAL) -> Params:
        return {
            "width": trial.suggest_int("width", 64, 384, step=64),
            "depth": trial.suggest_int("depth", 1, 3),
            "dropout": trial.suggest_float("dropout", 0.0, 0.5),
            "learning_rate": trial.suggest_float("learning_rate", 2e-3, 4e-2, log=True),
            "weight_decay": trial.suggest_float("weight_decay", 1e-3, 3e-1, log=True),
            "members": trial.suggest_categorical("members", [1, 4]),
            "epochs": trial.suggest_categorical("epochs", [DEFAULT["epochs"], LONG["epochs"]]) if task != "binary" else DEFAULT["epochs"],
        }

    def fit(self, params: Params, fold: Fold, effort: Effort) -> TorchModel:
        if not fold.train.shape[1]:
            raise CannotFit("there are no features")
        torch.set_num_threads(effort.threads)
        inputs = inputs_of(fold)
        encoder = inputs.encoder
        outputs = fold.classes if fold.task == "multiclass" else 1
        levels = tuple(0 if known is None else max(1, len(known)) for known in encoder.levels)
        shape = Shape(levels, outputs, params["width"], params["depth"], params["members"], params["dropout"])
        centre, scale = (float(np.mean(fold.train_y)), float(np.std(fold.train_y)) or 1.0) if fold.task == "regression" else (0.0, 1.0)
        # the generator that layers are made with belongs to the whole process: one at a time, and its state is given back
        with _making, torch.random.fork_rng(devices=[]):
            torch.manual_seed(fold.seed)
            network = Network(shape)
        network.edges.copy_(inputs.edges)
        network.to(choose_device())
        _learn(network, params, fold, inputs, (centre, scale), effort)
        return TorchModel(encoder, network, shape, fold.task, centre, scale)

    def load(self, files: Files) -> TorchModel:
        document = json.loads(files["torch.json"])
        shape = Shape(**{**document["shape"], "levels": tuple(document["shape"]["levels"])})
        network = Network(shape)
        network.load_state_dict(safetensors.torch.load(files["weights.safetensors"]))
        network.to(choose_device())
        return TorchModel(CodeEncoder.from_json(document["encoder"]), network, shape, document["task"], document["centre"], document["scale"])


@dataclass(frozen=True)
class Inputs:
    """A fold's rows as networks read them, on the device."""

    encoder: CodeEncoder
    edges: Tensor
    train: Tensor
    valid: Tensor


def inputs_of(fold: Fold) -> Inputs:
    """Encoded once per fold and kept, at half of the precision that the table has."""
    if "torch" not in fold.cache:
        train, valid, texts = texts_in_numbers(fold)
        encoder, device = CodeEncoder.fit(train, texts), choose_device()
        codes = encoder.transform(train)
        numbers = [at for at, levels in enumerate(encoder.levels) if levels is None]
        edges = torch.from_numpy(_quantiles(codes[:, numbers]))
        fold.cache["torch"] = Inputs(encoder, edges, _tensor(codes, device), _tensor(encoder.transform(valid), device))
    kept: Inputs = fold.cache["torch"]
    return kept


def _quantiles(numbers: Array) -> Array:
    """(columns, BINS + 1): rising edges; bins that would be empty have no width and encode as 0."""
    edges = np.zeros((numbers.shape[1], BINS + 1))
    for at in range(numbers.shape[1]):
        distinct = quantile_edges(numbers[:, at], BINS)
        if len(distinct):
            edges[at] = np.concatenate([distinct, np.full(BINS + 1 - len(distinct), distinct[-1])])
    return edges


def _learn(network: Network, params: Params, fold: Fold, inputs: Inputs, unit: tuple[float, float], effort: Effort) -> None:
    """Trains in place until the planned epochs or the effort end; leaves the weights of the epoch with the lowest validation loss."""
    device = network.edges.device
    x, y, w = inputs.train, targets_of(fold.train_y, fold.task, unit, device), weights_of(fold.train_weight, len(inputs.train), device)
    vx, vy, vw = inputs.valid, targets_of(fold.valid_y, fold.task, unit, device), weights_of(fold.valid_weight, len(inputs.valid), device)
    groups = [{"params": parameters, "kind": kind} for kind, parameters in network.kinds().items()]
    optimiser = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.95), fused=True)
    batch, precision = batch_size(len(x), device), learning_precision(device)
    best, best_state, waited = math.inf, _state(network), 0
    order, draw = torch.Generator().manual_seed(fold.seed), torch.Generator(device).manual_seed(fold.seed)
    for layer in network.body:
        if isinstance(layer, Dropout):
            layer.draw = draw
    plan = _Plan(params["epochs"], len(x), math.ceil(len(x) / batch), effort.seconds)
    while not plan.is_over and waited < plan.patience:
        network.train()
        for rows in torch.split(torch.randperm(len(x), generator=order).to(device), batch):
            set_rates(optimiser, params, plan.rate())
            optimiser.zero_grad()
            with precision:
                loss = loss_of(network(x[rows]), y[rows], w[rows], fold)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            plan.step += 1
            if effort.must_end():
                break
        measured = _valid_loss(network, vx, vy, vw, fold)
        best, best_state, waited = (measured, _state(network), 0) if measured < best else (best, best_state, waited + 1)
        if effort.must_end():
            break
        plan.fit_into_time()
    if not math.isfinite(best):
        raise CannotFit("the network's loss is not a number")
    network.load_state_dict(best_state)


@dataclass
class _Plan:
    """How many epochs there will be, and from it the learning rate of each step."""

    asked: int
    rows: int
    steps_per_epoch: int
    seconds: float
    step: int = 0
    epochs: int = field(init=False)
    begun: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.epochs = max(LEAST_EPOCHS, int(self.asked * min(1.0, FEW_ROWS / self.rows)), math.ceil(LEAST_STEPS / self.steps_per_epoch))

    @property
    def patience(self) -> int:
        return max(PATIENCE, round(PATIENCE_SHARE * self.asked))

    @property
    def is_over(self) -> bool:
        return self.step >= self.epochs * self.steps_per_epoch

    def rate(self) -> float:
        """Share of the learning rate: rises over the first steps, then falls as a cosine to nought."""
        gone = self.step / (self.epochs * self.steps_per_epoch)
        return 0.5 * (1 + math.cos(math.pi * gone)) * min(1.0, (gone + 1e-3) / WARM_UP)

    def fit_into_time(self) -> None:
        """After an epoch: fewer epochs where there is no time for all. Raises CannotFit where there is none for the fewest that are worth it."""
        passed = self.step / self.steps_per_epoch
        spent = time.monotonic() - self.begun
        if not math.isfinite(self.seconds):
            return
        affordable = passed + max(0.0, self.seconds - spent) * passed / spent
        if affordable < min(FEWEST_EPOCHS, self.epochs):
            raise CannotFit(f"one pass over the rows took {spent / passed:.1f} s, and at least {FEWEST_EPOCHS} are needed in each fold: more than the budget leaves")
        self.epochs = min(self.epochs, max(math.ceil(passed), int(affordable)))


def set_rates(optimiser: torch.optim.Optimizer, params: Params, share: float) -> None:
    """The learning rate and the weight decay of every kind of parameter, at this share of the settings."""
    for group in optimiser.param_groups:
        group["lr"] = params["learning_rate"] * share * RATES[group["kind"]]
        # scaled with the rate once more, as RealMLP does: none is left at the end
        group["weight_decay"] = params["weight_decay"] * share if group["kind"] == "weights" else 0.0


def _state(network: Network) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def targets_of(y: Any, task: TaskKind, unit: tuple[float, float], device: torch.device) -> Tensor:
    """Class indices, or numbers in their ``unit`` (centre, scale)."""
    if task == "multiclass":
        return torch.from_numpy(np.asarray(y, dtype=np.int64)).to(device)
    numbers = (y - unit[0]) / unit[1] if task == "regression" else y
    return torch.from_numpy(np.asarray(numbers, dtype=np.float32)).to(device)


def weights_of(weight: Any, n: int, device: torch.device) -> Tensor:
    """Of mean 1; ones where rows have none."""
    numbers = np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64) / max(float(np.mean(weight)), 1e-12)
    return torch.from_numpy(numbers.astype(np.float32)).to(device)


def loss_of(raw: Tensor, y: Tensor, w: Tensor, fold: Fold) -> Tensor:
    """Weighted mean over rows of the members' mean loss; each member answers for its own output, as TabM asks."""
    rows, members, outputs = raw.shape
    if fold.task == "multiclass":
        each = nn.functional.cross_entropy(raw.reshape(-1, outputs), y.repeat_interleave(members), reduction="none")
    elif fold.task == "binary":
        each = nn.functional.binary_cross_entropy_with_logits(raw.reshape(-1), y.repeat_interleave(members), reduction="none")
    elif fold.metric == "quantile_loss":
        level, short = MEDIAN if fold.quantile is None else fold.quantile, y.repeat_interleave(members) - raw.reshape(-1)
        each = torch.maximum(level * short, (level - 1) * short)
    else:
        distance = nn.functional.l1_loss if fold.metric == "mae" else nn.functional.mse_loss
        each = distance(raw.reshape(-1), y.repeat_interleave(members), reduction="none")
    return (each.reshape(rows, members).mean(dim=1) * w).mean()


def _valid_loss(network: Network, x: Tensor, y: Tensor, w: Tensor, fold: Fold) -> float:
    """The loss of the averaged output, which is what is deployed."""
    network.eval()
    with torch.inference_mode():
        raw = torch.cat([network(block).mean(dim=1, keepdim=True) for block in torch.split(x, BLOCK)])
        return float(loss_of(raw, y, w, fold))


FAMILY = TorchMlp()
