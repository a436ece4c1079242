"""The controller of NAS-RL: an LSTM that writes an architecture down, one decision after another.

At each decision the LSTM's output goes through a softmax of this decision; the value taken is embedded and
is the next input. So the chance of a value depends on all values taken before. Values that
``space.allowed`` forbids get no chance. Decisions have embeddings and softmaxes of their own; the LSTM is
shared.

Anchor decisions. Where a space has an attribute ``anchors``, a mapping from the index of a binary decision
to (layer j, layer i) that says whether layer j feeds layer i, the chance of its value 1 (it does) is
sigmoid(v^T tanh(W_prev h_j + W_curr h_i)) instead. The state h_i of a layer is the LSTM's output at the
first anchor decision into it; a layer without any, the first, has the output at the decision before it is
first offered as a source.

All weights are one vector drawn from ``rng``, uniform in [-spread, spread], in float64 on the CPU. torch
works on one thread while it is used here: the matrices are small, and results do not depend on the number
of cores. It is imported when a controller is made; Adam is written out because importing ``torch.optim``
takes longer than a search.

Source: Zoph and Le 2017, sections 3.1 and 3.3; Kingma and Ba 2015, Algorithm 1, for Adam.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, MissingExtra
from nasbench.records import Code
from nasbench.spaces import Draw, Space

if TYPE_CHECKING:
    import torch

_FORBIDDEN = -1e9  # logit of a value that the space forbids: its probability is exactly 0, its score finite
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8  # Adam's constants; Kingma and Ba 2015, section 2

_Choose = Callable[[int, "torch.Tensor"], list[int]]


class Controller:
    """An autoregressive policy over the codes of a space.

    Args:
        space: The space; its decisions are taken in order.
        rng: Draws the initial weights, and nothing later.
        layers: LSTM layers, >= 1.
        units: Units of each layer, and size of the embeddings, >= 1.
        spread: Initial weights are uniform in [-spread, spread].

    Raises:
        MissingExtra: torch is not installed.
        BadOption: An anchor of the space is not a binary decision.
    """

    def __init__(
        self, space: Space, *, rng: np.random.Generator, layers: int, units: int, spread: float
    ) -> None:
        try:
            import torch
        except ImportError as error:
            raise MissingExtra.of("torch", "torch", "The LSTM controller") from error
        self._space = space
        self._counts = [len(decision.choices) for decision in space.decisions]
        self._layers, self._units = layers, units
        self._anchors: Mapping[int, tuple[int, int]] = getattr(space, "anchors", {})
        self._anchor_step = _anchor_steps(self._anchors)
        for i in self._anchors:
            if self._counts[i] != 2:
                raise BadOption(
                    f"space: expected two choices at anchor decision {space.decisions[i].name!r}, "
                    f"got {self._counts[i]}."
                )
        self._shapes: list[tuple[int, ...]] = [(units,)]  # the first input
        self._shapes += [(2 * units, 4 * units), (4 * units,)] * layers
        for count in self._counts:
            self._shapes += [(count, units), (units, count), (count,)]  # embedding, softmax
        if self._anchors:
            self._shapes += [(units, units), (units, units), (units,)]  # W_prev, W_curr, v
        size = sum(math.prod(shape) for shape in self._shapes)
        self.weights: torch.Tensor = torch.from_numpy(rng.uniform(-spread, spread, size)).requires_grad_()
        self._first = np.zeros(size)
        self._second = np.zeros(size)
        self._steps = 0

    def sample(self, n: int, draw: Draw) -> list[tuple[Code, npt.NDArray[np.float64]]]:
        """Draw n architectures, each with the (L,) log-probabilities of its values."""
        import torch

        def choose(_: int, log_policy: torch.Tensor) -> list[int]:
            cumulative = log_policy.exp().cumsum(1).numpy()
            return [int(np.searchsorted(row, draw() * row[-1], side="right")) for row in cumulative]

        with _one_thread(), torch.no_grad():
            codes, policy = self._unroll(n, choose)
            taken = log_probabilities(policy, codes).numpy()
        return list(zip(codes, taken, strict=True))

    def policy(self, codes: Sequence[Code]) -> list[torch.Tensor]:
        """Say how likely every value was on the way to these codes.

        Returns:
            For each of the L decisions (n, choices) log-probabilities given the code's earlier values;
            differentiable with respect to ``weights``.
        """
        return self._unroll(len(codes), lambda i, _: [code[i] for code in codes])[1]

    def _unroll(self, n: int, choose: _Choose) -> tuple[list[Code], list[torch.Tensor]]:
        """Take all decisions of n codes at once, the values as ``choose`` says; codes and policy."""
        import torch

        parts = self._parts()
        x = parts[0].expand(n, -1)
        zeros = torch.zeros(n, self._units, dtype=torch.float64)
        state = [(zeros, zeros)] * self._layers
        codes: list[Code] = [()] * n
        outputs: list[torch.Tensor] = []
        policy = []
        for i in range(len(self._counts)):
            for k in range(self._layers):
                weight, bias = parts[1 + 2 * k : 3 + 2 * k]
                hidden, cell = state[k]
                gates = torch.addmm(bias, torch.cat([x, hidden], 1), weight)
                take, keep, give = gates[:, self._units :].sigmoid().chunk(3, 1)
                cell = keep * cell + take * gates[:, : self._units].tanh()
                x = give * cell.tanh()
                state[k] = (x, cell)
            outputs.append(x)
            embedding, weight, bias = parts[1 + 2 * self._layers + 3 * i :][:3]
            if i in self._anchors:
                logits = self._attention(i, outputs, parts)
            else:
                logits = torch.addmm(bias, x, weight)
            allowed = torch.from_numpy(np.array([self._space.allowed(code) for code in codes]))
            policy.append(logits.masked_fill(~allowed, _FORBIDDEN).log_softmax(1))
            values = choose(i, policy[-1])
            codes = [(*code, value) for code, value in zip(codes, values, strict=True)]
            x = embedding[values]
        return codes, policy

    def _parts(self) -> list[torch.Tensor]:
        """View the vector of weights as the matrices that it holds."""
        flat = self.weights.split([math.prod(shape) for shape in self._shapes])
        return [part.view(shape) for part, shape in zip(flat, self._shapes, strict=True)]

    def _attention(
        self, i: int, outputs: Sequence[torch.Tensor], parts: Sequence[torch.Tensor]
    ) -> torch.Tensor:
        """Score an anchor; its softmax over (0, score) is the sigmoid of the score. (n, 2)."""
        import torch

        source, target = (outputs[self._anchor_step[layer]] for layer in self._anchors[i])
        previous, current, v = parts[-3:]
        score = (source @ previous + target @ current).tanh() @ v
        return torch.stack([torch.zeros_like(score), score], 1)

    def descend(self, loss: Callable[[], torch.Tensor], learning_rate: float) -> None:
        """Take one step of Adam down the gradient of what ``loss`` computes from ``policy``."""
        import torch

        with _one_thread():
            gradient = torch.autograd.grad(loss(), self.weights)[0].numpy()
        self._steps += 1
        self._first = _BETA1 * self._first + (1.0 - _BETA1) * gradient
        self._second = _BETA2 * self._second + (1.0 - _BETA2) * gradient**2
        first = self._first / (1.0 - _BETA1**self._steps)
        second = self._second / (1.0 - _BETA2**self._steps)
        step = learning_rate * first / (np.sqrt(second) + _EPSILON)
        self.weights = (self.weights.detach() - torch.from_numpy(step)).requires_grad_()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread inside, and as many as before afterwards."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _anchor_steps(anchors: Mapping[int, tuple[int, int]]) -> dict[int, int]:
    """Say for each layer at which decision the LSTM's output is its state."""
    steps: dict[int, int] = {}
    for i in sorted(anchors):
        source, target = anchors[i]
        steps.setdefault(source, max(0, i - 1))
        steps.setdefault(target, i)
    return steps


def log_probabilities(policy: Sequence[torch.Tensor], codes: Sequence[Code]) -> torch.Tensor:
    """Pick out of a policy for n codes the log-probabilities of the values that they took, (n, L)."""
    import torch

    rows = range(len(codes))
    return torch.stack([log_p[rows, [code[i] for code in codes]] for i, log_p in enumerate(policy)], 1)


def entropies(policy: Sequence[torch.Tensor]) -> torch.Tensor:
    """Sum the entropies of all decisions on the way to each of n codes, (n,) in nats."""
    import torch

    return -torch.stack([(log_p.exp() * log_p).sum(1) for log_p in policy]).sum(0)


def divergences(policy: Sequence[torch.Tensor], other: Sequence[torch.Tensor]) -> torch.Tensor:
    """Sum KL(policy || other) over all decisions on the way to each of n codes, (n,) in nats."""
    import torch

    return torch.stack([(p.exp() * (p - q)).sum(1) for p, q in zip(policy, other, strict=True)]).sum(0)
