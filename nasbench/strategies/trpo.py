"""TRPO: trust-region policy optimisation of independent softmaxes, one a decision.

The policy is that of ``reinforce.py``; what differs is the step. It goes as far along the natural gradient
as a bound on the Kullback-Leibler divergence from the old policy lets it.

1. Draw ``batch`` children from the softmaxes of the logits, which start at zero; values that
   ``space.allowed`` forbids are masked out. Propose them.
2. When they were told (see ``policy_search.py``), let A be their rewards, 1 - validation error, minus the
   baseline, and S the mean over children of A times the sum over decisions of the ratio of the probability
   of the value taken to what it was when the child was drawn.
3. Solve (F + damping I) x = grad S by 10 iterations of conjugate gradients. F is the Fisher information,
   here in closed form: diag(p) - p p^T for each decision, averaged over the batch (they differ by masks
   only).
4. Step by sqrt(2 delta / x^T (F + damping I) x) x, halved up to 10 times until the divergence, summed over
   decisions and averaged over the batch, is at most ``delta`` and S has increased; else stay. Go to 1.

The policy is factorised because its Fisher information needs no automatic differentiation, so that the
strategy needs numpy only and thinks for less than a millisecond a child. ``delta``, the damping and the
counts of iterations are the customary ones; ``batch`` and ``momentum`` are our choice for runs of a few
hundred trainings.

Source: Schulman, Levine, Moritz, Jordan and Abbeel 2015, section 6 and appendix C.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.records import Code
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.policy_search import Child, PolicySearch
from nasbench.strategies.strategy import Card

_ITERATIONS = 10  # of conjugate gradients
_HALVINGS = 10  # of the step

_Array = npt.NDArray[np.float64]


class TRPO(PolicySearch):
    """Trust-region policy optimisation of a factorised categorical policy.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        batch: Children an update, >= 1.
        delta: Largest divergence of an update in nats, > 0.
        damping: Added to the diagonal of the Fisher information, > 0.
        momentum: Of the moving average of rewards that is the baseline, in [0, 1).

    Raises:
        BadOption: An option is out of its range.
    """

    card: ClassVar[Card] = Card(family="reinforcement learning", paper="Schulman et al. 2015")

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        batch: int = 5,
        delta: float = 0.01,
        damping: float = 0.1,
        momentum: float = 0.95,
    ) -> None:
        super().__init__(batch=batch, momentum=momentum)
        for name, number in (("delta", delta), ("damping", damping)):
            if type(number) not in (int, float) or not 0 < number < math.inf:
                raise BadOption(f"{name}: expected a number > 0, got {number!r}.")
        self._delta = delta
        self._damping = damping
        self._allowed = space.allowed
        self._counts = [len(decision.choices) for decision in space.decisions]
        self.logits: _Array = np.zeros((len(self._counts), max(self._counts)))
        self._draw = uniforms(rng)

    def _draw_children(self, n: int) -> list[Child]:
        return [self._draw_child() for _ in range(n)]

    def _draw_child(self) -> Child:
        code: Code = ()
        chances = []
        for i, count in enumerate(self._counts):
            logits = np.where(self._allowed(code), self.logits[i, :count], -np.inf)
            weights = np.exp(logits - logits.max())
            cumulative = weights.cumsum()
            value = int(np.searchsorted(cumulative, self._draw() * cumulative[-1], side="right"))
            chances.append(weights[value] / cumulative[-1])
            code = (*code, value)
        return Child(code, np.log(chances))

    def _learn(self, children: Sequence[Child]) -> None:
        """Take one step inside the trust region."""
        batch = Batch(self._masks(children), children)
        old = self.logits
        gradient = batch.gradient(old)

        def curvature(v: _Array) -> _Array:
            return batch.fisher_vector_product(old, v) + self._damping * v

        direction = conjugate_gradient(curvature, gradient, _ITERATIONS)
        square = float((direction * curvature(direction)).sum())
        if square <= 0.0:  # no advantage, or none that the policy can follow
            return
        step = math.sqrt(2.0 * self._delta / square) * direction
        for _ in range(_HALVINGS):
            new = old + step
            if batch.divergence(old, new) <= self._delta and batch.surrogate(new) > batch.surrogate(old):
                self.logits = new
                return
            step = step / 2.0

    def _masks(self, children: Sequence[Child]) -> npt.NDArray[np.bool_]:
        """Mark the values that were allowed on the way to each child, (n, L, most choices)."""
        masks = np.zeros((len(children), *self.logits.shape), dtype=np.bool_)
        for mask, child in zip(masks, children, strict=True):
            for i, count in enumerate(self._counts):
                mask[i, :count] = self._allowed(child.code[:i])
        return masks


class Batch:
    """Children as arrays, and what TRPO asks of a policy on them.

    Args:
        allowed: (n, L, most choices), which values were allowed on the way to each child.
        children: The n children.
    """

    def __init__(self, allowed: npt.NDArray[np.bool_], children: Sequence[Child]) -> None:
        self._allowed = allowed
        self._codes = np.array([child.code for child in children])[:, :, None]  # (n, L, 1)
        self._drawn = np.stack([child.log_probabilities for child in children])[:, :, None]
        self._advantages = np.array([child.advantage for child in children])[:, None, None]

    def log_policy(self, logits: _Array) -> _Array:
        """Log-softmax of the allowed logits, -inf elsewhere, (n, L, most choices)."""
        masked = np.where(self._allowed, logits, -np.inf)
        masked = masked - masked.max(axis=2, keepdims=True)
        log_p: _Array = masked - np.log(np.exp(masked).sum(axis=2, keepdims=True))
        return log_p

    def _ratios(self, log_p: _Array) -> _Array:
        """Probability of the values taken over that when they were drawn, (n, L, 1)."""
        ratios: _Array = np.exp(np.take_along_axis(log_p, self._codes, axis=2) - self._drawn)
        return ratios

    def surrogate(self, logits: _Array) -> float:
        """Mean over children of the advantage times the sum of the probability ratios."""
        ratios = self._ratios(self.log_policy(logits))
        return float((ratios * self._advantages).sum(axis=(1, 2)).mean())

    def gradient(self, logits: _Array) -> _Array:
        """Gradient of the surrogate in the logits, (L, most choices)."""
        log_p = self.log_policy(logits)
        taken = np.zeros_like(log_p)
        np.put_along_axis(taken, self._codes, 1.0, axis=2)
        score = (taken - np.exp(log_p)) * self._ratios(log_p) * self._advantages
        gradient: _Array = score.mean(axis=0)
        return gradient

    def fisher_vector_product(self, logits: _Array, v: _Array) -> _Array:
        """Multiply the Fisher information, diag(p) - p p^T for each decision, with v; mean over children."""
        p = np.exp(self.log_policy(logits))
        product: _Array = (p * v - p * (p * v).sum(axis=2, keepdims=True)).mean(axis=0)
        return product

    def divergence(self, old: _Array, new: _Array) -> float:
        """KL(old || new) in nats, summed over decisions, mean over children."""
        old_log_p, new_log_p = self.log_policy(old), self.log_policy(new)
        difference = np.where(self._allowed, old_log_p, 0.0) - np.where(self._allowed, new_log_p, 0.0)
        return float((np.exp(old_log_p) * difference).sum(axis=(1, 2)).mean())


def conjugate_gradient(product: Callable[[_Array], _Array], b: _Array, iterations: int) -> _Array:
    """Solve A x = b for a positive definite A that is known by its products with vectors."""
    x = np.zeros_like(b)
    residual = b.copy()
    direction = b.copy()
    square = float((residual * residual).sum())
    for _ in range(iterations):
        if square < 1e-20:
            break
        along = product(direction)
        length = square / float((direction * along).sum())
        x = x + length * direction
        residual = residual - length * along
        new_square = float((residual * residual).sum())
        direction = residual + new_square / square * direction
        square = new_square
    return x
