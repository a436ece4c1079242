"""A graph isomorphism network (Xu et al. 2019) on dense graphs whose edges carry operations.

A node starts as one vector for all; a layer adds to each node what its in-edges bring, every edge its
source's state plus a vector of its operation, and sends the sum through a perceptron of two layers; so do the
edges backwards, with weights of their own. All nodes are averaged after the last layer and a linear map
gives the targets. Fitted with torch, asked in numpy. Deviation from the paper: operations sit on the edges
here, and the readout takes the last layer only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, MissingExtra
from nasbench.surrogates.inputs import Inputs
from nasbench.surrogates.members import Arrays, Floats, seed_of

if TYPE_CHECKING:
    import torch

_LAYERS = 3
_WIDTH = 48
_STEPS = 1_500
_BATCH = 128
_RATE = 5e-3


class GIN:
    """Weights by name; see ``_forward``."""

    most_rows = 1_000_000

    def __init__(self, weights: Arrays) -> None:
        self.weights = weights

    @classmethod
    def fit(cls, inputs: Inputs, targets: Floats, *, rng: np.random.Generator) -> GIN:
        """Fit with Adam for 1,500 steps at a falling rate; see ``Member.fit``.

        Raises:
            MissingExtra: torch is absent.
            BadOption: The space has no graph.
        """
        try:
            import torch
        except ImportError as error:
            raise MissingExtra.of("torch", "torch", "A graph network") from error
        if "graph" not in inputs.space.encodings:
            raise BadOption(
                f"model: expected a space with a graph for gin, got {inputs.space.name}, which encodes as "
                f"{', '.join(inputs.space.encodings)}. Use ensemble, xgboost or mlp."
            )
        chance = torch.Generator().manual_seed(seed_of(rng))
        graphs = torch.from_numpy(inputs.graph)
        wanted = torch.from_numpy(targets.astype(np.float32))
        weights = _initial(graphs.shape[-1], targets.shape[1], chance)
        optimizer = torch.optim.Adam(list(weights.values()), lr=_RATE, weight_decay=1e-5)
        batch = min(_BATCH, len(inputs))
        for step in range(_STEPS):
            optimizer.param_groups[0]["lr"] = _RATE * (1.0 + np.cos(np.pi * step / _STEPS)) / 2.0
            rows = torch.randperm(len(inputs), generator=chance)[:batch]
            loss = ((_forward(graphs[rows], weights) - wanted[rows]) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return cls({name: value.detach().numpy().astype(np.float64) for name, value in weights.items()})

    def predict(self, inputs: Inputs) -> Floats:
        """Predict (n, k) targets."""
        blocks = [
            _forward(inputs.graph[start : start + 256].astype(np.float64), self.weights)
            for start in range(0, len(inputs), 256)
        ]
        return np.concatenate(blocks)

    def arrays(self) -> Arrays:
        """Return the weights."""
        return dict(self.weights)

    @classmethod
    def load(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> GIN:
        """Make the member from its weights."""
        return cls({name: value.astype(np.float64) for name, value in arrays.items()})


def _initial(operations: int, targets: int, chance: torch.Generator) -> dict[str, torch.Tensor]:
    """Draw weights uniformly within 1 / sqrt(fan-in)."""
    import torch

    shapes: dict[str, tuple[int, ...]] = {
        "start": (_WIDTH,),
        "out": (_WIDTH, targets),
        "out_bias": (targets,),
    }
    for layer in range(_LAYERS):
        for way in ("in", "back"):
            shapes[f"{way}_{layer}_operation"] = (operations, _WIDTH)
            shapes[f"{way}_{layer}"] = (_WIDTH, _WIDTH)
        shapes[f"first_{layer}"] = (_WIDTH, _WIDTH)
        shapes[f"first_bias_{layer}"] = (_WIDTH,)
        shapes[f"second_{layer}"] = (_WIDTH, _WIDTH)
        shapes[f"second_bias_{layer}"] = (_WIDTH,)
    weights = {}
    for name, shape in shapes.items():
        bound = shape[0] ** -0.5
        drawn = (torch.rand(shape, generator=chance) * 2.0 - 1.0) * bound
        weights[name] = drawn.requires_grad_()
    return weights


def _forward(graph: Any, weights: Mapping[str, Any]) -> Any:
    """Map (n, v, v, o) graphs to (n, k) targets; arrays of torch and numpy alike."""
    edges = graph.sum(-1)  # (n, v, v), 1 where i -> j
    states = edges[:, :, :1] * 0.0 + weights["start"]  # (n, v, width)
    for layer in range(_LAYERS):
        came = edges.swapaxes(1, 2) @ states + graph.sum(1) @ weights[f"in_{layer}_operation"]
        goes = edges @ states + graph.sum(2) @ weights[f"back_{layer}_operation"]
        total = states + came @ weights[f"in_{layer}"] + goes @ weights[f"back_{layer}"]
        hidden = _rectified(total @ weights[f"first_{layer}"] + weights[f"first_bias_{layer}"])
        states = _rectified(hidden @ weights[f"second_{layer}"] + weights[f"second_bias_{layer}"])
    return states.mean(1) @ weights["out"] + weights["out_bias"]


def _rectified(values: Any) -> Any:
    return values * (values > 0)
