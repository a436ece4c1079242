"""ProxylessNAS: binary gates let one path through, and the gates' gradients train the path's probabilities.

1. Train the shared weights on paths drawn from the softmax of the logits, one operation an edge; for the
   first third of the epochs nothing else happens.
2. Then, at every fifth step, update the logits from the next validation minibatch by one of three estimators:

   * ``two-path``: draw two operations an edge without replacement, open one of their gates, execute both, and
     take the gradient with respect to the two gates; then shift both logits so that the probabilities of all
     other operations stay as they were;
   * ``full``: execute all operations behind one open gate an edge; the logit i of an edge gets the sum over j
     of dL/dg_j p_j (delta_ij - p_i);
   * ``reinforce``: draw ten paths; reward = - loss; baseline = moving average of the rewards (0.99).

3. After each epoch the answer is the operation of the highest logit of each edge.

| preset | epochs | learning rate | from |
|---|---|---|---|
| small | 10, or more to make 100 steps | 0.1 | ours, by [a pilot](pilot-weight-sharing.md) |
| imagenet | 120 | 0.001 | the authors' search on ImageNet, 40 of the epochs without the logits |

Adam's betas 0 and 0.999, no weight decay, one update in five steps and ten paths an update are the authors'.

Deviations from Cai et al. 2019: no latency term, for a space says what an architecture costs and not what one
operation does; the reward is minus the loss of a minibatch where the paper has a function of accuracy; the
moving average weighs the old value by 0.99, where the authors' code weighs the new one so. On a table the
gates' gradients are recorded errors of neighbours, and every update by gradient pays for all operations.

Source: Cai, Zhu and Han 2019; Williams 1992 for ``reinforce``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.spaces import Space
from nasbench.spaces.mixture import Mixture
from nasbench.strategies.relaxed_search import Plan, RelaxedSearch, drawn, softmax
from nasbench.strategies.strategy import Card, Setting

if TYPE_CHECKING:
    import torch

_INTERVAL = 5  # steps from one update of the logits to the next
_PATHS = 10  # drawn for one update by REINFORCE
_MOMENTUM = 0.99  # of the baseline


class ProxylessNAS(RelaxedSearch):
    """Search with binarised paths.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Brings the relaxation.
        preset: ``"small"`` or ``"imagenet"``.
        epochs: Epochs instead of the preset's, >= 1.
        learning_rate: Of the architecture's Adam, instead of the preset's, > 0.
        estimator: ``"two-path"``, ``"full"`` or ``"reinforce"``.

    Raises:
        BadOption: The source has no relaxation, or an option is out of its range.
        MissingExtra: torch is absent.
    """

    card: ClassVar[Card] = Card(
        family="differentiable", paper="Cai et al. 2019", table="analogue", needs=("torch",)
    )
    PLANS: ClassVar = {"small": Plan(10, 0.1, steps=100), "imagenet": Plan(120, 1e-3)}
    WARMUP = 1 / 3
    BETAS = (0.0, 0.999)
    WEIGHT_DECAY = 0.0

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        preset: str = "small",
        epochs: int | None = None,
        learning_rate: float | None = None,
        estimator: str = "two-path",
    ) -> None:
        super().__init__(
            space, rng=rng, setting=setting, preset=preset, epochs=epochs, learning_rate=learning_rate
        )
        updates = {"two-path": self._two_path, "full": self._full, "reinforce": self._reinforce}
        if estimator not in updates:
            raise BadOption(f"estimator: expected one of {', '.join(updates)}, got {estimator!r}.")
        self._update = updates[estimator]
        self._steps = 0
        self._baseline: float | None = None

    def _architecture_step(self) -> None:
        """Update the logits at every fifth step."""
        self._steps += 1
        if self._steps % _INTERVAL == 0:
            self._update()

    def _mixture(self) -> Mixture:
        """Draw one path; nothing else is executed."""
        return Mixture(drawn(softmax(self._logits), self._rng))

    def _gate_gradient(self, gates: torch.Tensor, active: torch.Tensor) -> torch.Tensor:
        """Return the gradient of the validation loss with respect to binary gates, (E, O)."""
        import torch

        leaf = gates.clone().requires_grad_()
        loss = self._relaxation.architecture_loss(Mixture(leaf, active=active))
        return torch.autograd.grad(loss, leaf)[0]

    def _full(self) -> None:
        """Update every logit from the gradients of all gates."""
        probabilities = softmax(self._logits)
        gates = drawn(probabilities, self._rng)
        gradient = self._gate_gradient(gates, (gates >= 0))
        self._descend((probabilities * gradient).sum())

    def _two_path(self) -> None:
        """Update the logits of two drawn operations an edge; all others keep their probabilities."""
        import torch

        noise = torch.from_numpy(self._rng.gumbel(size=tuple(self._logits.shape)))
        pair = (self._logits.detach() + noise).topk(2, dim=1).indices  # (E, 2), without replacement
        two = self._logits.gather(1, pair)
        open_gate = drawn(softmax(two), self._rng)
        gates = torch.zeros_like(noise).scatter(1, pair, open_gate)
        active = torch.zeros_like(noise).scatter(1, pair, 1.0).bool()
        gradient = self._gate_gradient(gates, active).gather(1, pair)
        before = two.detach().logsumexp(dim=1, keepdim=True)
        self._descend((softmax(two) * gradient).sum())
        with torch.no_grad():
            after = self._logits.gather(1, pair).logsumexp(dim=1, keepdim=True)
            self._logits.scatter_add_(1, pair, (before - after).expand_as(pair))

    def _reinforce(self) -> None:
        """Update every logit from the rewards of ten drawn paths."""
        import torch

        paths = [drawn(softmax(self._logits), self._rng) for _ in range(_PATHS)]
        with torch.no_grad():
            rewards = [-float(self._relaxation.architecture_loss(Mixture(path))) for path in paths]
        average = float(np.mean(rewards))
        if self._baseline is None:
            self._baseline = average
        self._baseline = _MOMENTUM * self._baseline + (1.0 - _MOMENTUM) * average
        advantages = torch.tensor(rewards, dtype=torch.float64) - self._baseline
        self._descend(policy_loss(self._logits, torch.stack(paths), advantages))


def policy_loss(logits: torch.Tensor, paths: torch.Tensor, advantages: torch.Tensor) -> torch.Tensor:
    """Return what has the policy's gradient: minus the mean of advantage x log-probability of its path.

    Args:
        logits: (E, O).
        paths: (n, E, O) one-hot.
        advantages: (n,) rewards less their baseline.
    """
    log_probabilities = (paths * softmax(logits).log()).sum(dim=(1, 2))
    return -(advantages * log_probabilities).mean()
