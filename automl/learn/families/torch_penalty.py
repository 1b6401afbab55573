"""Networks that learn under a penalty on how far groups are apart: who decides with them needs to know no group.

The loss of a batch has a second part, the standard deviation between the groups of their mean probability: over all rows of it for equal selection rates, within
each label and averaged for equal error rates (a differentiable form of the constraints of Agarwal et al. 2018; on penalties see Kamishima et al. 2012). A standard
deviation, not a variance: its slope does not vanish before the groups meet. A path of strengths goes on from the network that was learned without it, a few
epochs each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automl.learn.families import Effort, Fold, Params
from automl.learn.families.torch_mlp import Dropout, Network, Shape, TorchModel, inputs_of, loss_of, set_rates, targets_of, weights_of

Constraint = Literal["demographic_parity", "equalized_odds"]

EPOCHS = 4
BATCH = 512
"""Rows a step: of fewer, a group's mean would be noise."""
RATE = 0.3
"""Of the learning rate that the network was learned with."""
SMALLEST = 1e-6
"""Added to a variance before its root is taken, which has no slope at 0."""


def penalised(model: TorchModel, params: Params, fold: Fold, groups: NDArray[np.int64], constraint: Constraint, strengths: Sequence[float], effort: Effort) -> Iterator[TorchModel]:
    """The network of ``model``, which was fitted to ``fold``, after each of the rising ``strengths``. ``groups`` (n,): of the training rows, -1 for those that are not compared."""
    for strength in strengths:
        network = _copy(model.network, model.shape)
        _learn(network, params, fold, groups, constraint, strength)
        model = replace(model, network=network)
        yield model
        if effort.must_end():
            return


def _copy(network: Network, shape: Shape) -> Network:
    copy = Network(shape)
    copy.load_state_dict(network.state_dict())
    return copy.to(network.edges.device)


def _learn(network: Network, params: Params, fold: Fold, groups: NDArray[np.int64], constraint: Constraint, strength: float) -> None:
    device = network.edges.device
    x = inputs_of(fold).train
    y, w = targets_of(fold.train_y, fold.task, (0.0, 1.0), device), weights_of(fold.train_weight, len(x), device)
    of_group = torch.from_numpy(groups[:, None] == np.arange(groups.max() + 1)[None, :]).to(device=device, dtype=torch.float32)
    optimiser = torch.optim.AdamW([{"params": each, "kind": kind} for kind, each in network.kinds().items()], lr=0.0, betas=(0.9, 0.95), fused=True)
    order, draw = torch.Generator().manual_seed(fold.seed), torch.Generator(device).manual_seed(fold.seed)
    for layer in network.body:
        if isinstance(layer, Dropout):
            layer.draw = draw
    network.train()
    for epoch in range(EPOCHS):
        set_rates(optimiser, params, RATE * (1 - epoch / EPOCHS))
        for rows in torch.split(torch.randperm(len(x), generator=order).to(device), BATCH):
            optimiser.zero_grad()
            raw = network(x[rows])
            apart = _apart(torch.sigmoid(raw.mean(dim=1)[:, 0]), of_group[rows] * w[rows, None], y[rows], constraint)
            (loss_of(raw, y[rows], w[rows], fold) + strength * apart).backward()  # type: ignore[no-untyped-call]
            optimiser.step()


def _apart(chance: Tensor, of_group: Tensor, y: Tensor, constraint: Constraint) -> Tensor:
    """The standard deviation between the groups of their mean ``chance`` (n,); ``of_group`` (n, groups): the rows' weights in their groups."""
    parts = [of_group] if constraint == "demographic_parity" else [of_group * y[:, None], of_group * (1 - y[:, None])]
    found = []
    for part in parts:
        heavy = part.sum(dim=0)
        share = heavy / heavy.sum().clamp_min(1e-9)
        mean = (chance @ part) / heavy.clamp_min(1e-9)
        found.append(((share * (mean - (share * mean).sum()) ** 2).sum() + SMALLEST).sqrt())
    return torch.stack(found).mean()
