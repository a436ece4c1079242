"""The epochs that searches on a relaxation go through, and the plans and rules that they share.

1. An ``ask`` searches one epoch: steps of the architecture's weights and steps of the shared weights in turn.
2. It then proposes the architecture that the search would hand over now, as a report that pays for the epoch
   (``Proposal.search_seconds``); the answer is never told back.
3. After the last epoch there is nothing more to propose.

The epochs follow each other, also where there are several workers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nasbench.errors import BadOption, MissingExtra
from nasbench.records import Code, Proposal, Trial
from nasbench.spaces import Space
from nasbench.spaces.mixture import Mixture
from nasbench.spaces.relaxed import SKIP
from nasbench.strategies.health import look
from nasbench.strategies.relaxation import Relaxation, discretise, no_relaxation
from nasbench.strategies.strategy import Setting

if TYPE_CHECKING:
    import torch

_INITIAL_SPREAD = 1e-3  # of the logits; the authors' code of Liu et al. 2019


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a search is and how fast it goes.

    Attributes:
        epochs: Epochs of the search; more where ``steps`` needs them.
        learning_rate: Of the architecture's Adam.
        steps: Steps of the shared weights that the epochs make at least: on few images an epoch has few.
    """

    epochs: int
    learning_rate: float
    steps: int = 1

    def epochs_of(self, epoch_steps: int) -> int:
        """Return the epochs where each has so many steps."""
        return max(self.epochs, -(-self.steps // epoch_steps))


class RelaxedSearch:
    """First-order descent on softmax weights; the strategies change what theirs does differently.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Brings the relaxation.
        preset: Name of a plan of ``PLANS``.
        epochs: Epochs instead of the plan's, >= 1.
        learning_rate: Of the architecture's Adam, instead of the plan's, > 0.

    Raises:
        BadOption: The source has no relaxation, or an option is out of its range.
        MissingExtra: torch is absent.
    """

    PLANS: ClassVar[Mapping[str, Plan]]
    WARMUP: ClassVar[float] = 0.0  # share of the epochs that trains the shared weights alone
    BETAS: ClassVar[tuple[float, float]] = (0.5, 0.999)
    WEIGHT_DECAY: ClassVar[float] = 1e-3

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        preset: str = "small",
        epochs: int | None = None,
        learning_rate: float | None = None,
    ) -> None:
        try:
            import torch
        except ImportError as error:
            raise MissingExtra.of("torch", "torch", "A differentiable search") from error
        if preset not in self.PLANS:
            raise BadOption(f"preset: expected one of {', '.join(self.PLANS)}, got {preset!r}.")
        plan = self.PLANS[preset]
        rate = plan.learning_rate if learning_rate is None else learning_rate
        if epochs is not None and (type(epochs) is not int or epochs < 1):
            raise BadOption(f"epochs: expected a whole number >= 1, got {epochs!r}.")
        require_number("learning_rate", rate, above=0.0)
        if setting.relaxation is None:
            raise no_relaxation(f"a relaxation of space {space.name}")
        self._rng = rng
        self._space = space
        self._watch = setting.watch
        self._relaxation: Relaxation = setting.relaxation(rng)
        self.epochs = plan.epochs_of(self._relaxation.epoch_steps) if epochs is None else epochs
        self._relaxation.plan(self.epochs)
        start = _INITIAL_SPREAD * rng.standard_normal((self._relaxation.edges, self._relaxation.operations))
        self._logits = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        self._optimizer = torch.optim.Adam(
            [self._logits], lr=rate, betas=self.BETAS, weight_decay=self.WEIGHT_DECAY
        )
        self._rounds = self.epochs  # asks that bring a proposal: epochs, and what may follow them
        self._epoch = 0  # rounds done
        self._paid_seconds = 0.0

    def _require_bypass(self, space: Space, option: str) -> None:
        """Refuse channels that pass by where a table cannot say what they are.

        Raises:
            BadOption: The relaxation is a table's, and not every edge has ``skip_connect``.
        """
        can_skip = all(SKIP in names for names in self._relaxation.form.names)
        if self._relaxation.is_analogue and not can_skip:
            raise BadOption(
                f"{option}: expected a space with {SKIP} at every decision, which on a table stands for the "
                f"channels that pass by, got {space.name}."
            )

    # The strategy's face ------------------------------------------------------------------------

    def ask(self, n: int) -> list[Proposal]:
        """Search one epoch and propose what it would hand over; nothing after the last epoch."""
        if n < 1 or self._epoch == self._rounds:
            return []
        self._search_epoch()
        self._epoch += 1
        return [self._report()]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn nothing: what is proposed is reported and never told."""

    def _report(self) -> Proposal:
        """Propose the current architecture, which pays for the search since the last proposal."""
        seconds = self._relaxation.seconds - self._paid_seconds
        health = None
        if self._watch is not None and self._watch.is_due(self._epoch - 1, self._rounds):
            health = look(
                self._watch,
                self._space,
                self._relaxation,
                parameters=self._logits,
                mixture_of=self._mean_mixture,
            )
        self._paid_seconds = self._relaxation.seconds  # looking is not paid
        return Proposal(self.architecture(), purpose="report", search_seconds=seconds, health=health)

    # One epoch ----------------------------------------------------------------------------------

    def _search_epoch(self) -> None:
        """Take a step of the architecture, unless it is to wait, and one of the shared weights, in turn."""
        waits = self._epoch < int(self.WARMUP * self.epochs)
        for _ in range(self._relaxation.epoch_steps):
            if not waits:
                self._architecture_step()
            self._weight_step()

    def _architecture_step(self) -> None:
        """Descend the validation loss."""
        self._descend(self._relaxation.architecture_loss(self._mixture()))

    def _weight_step(self) -> None:
        """Train the shared weights at the mixture as it is now."""
        import torch

        with torch.no_grad():
            self._relaxation.weight_step(self._mixture())

    def _mixture(self) -> Mixture:
        """Mix the operations, differentiable in the parameters."""
        return Mixture(softmax(self._logits))

    def _mean_mixture(self, logits: torch.Tensor) -> Mixture:
        """Return what the parameters stand for, draws and perturbations left out."""
        return Mixture(softmax(logits))

    def _descend(self, loss: torch.Tensor) -> None:
        """Take one step of Adam down a loss."""
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()

    def _ramp(self, start: float, end: float) -> float:
        """Return the value of this epoch on a straight line from the first epoch to the last."""
        return start + (end - start) * self._epoch / max(1, self.epochs - 1)

    def architecture(self) -> Code:
        """Return what the search would hand over now: what the space reads off from the strengths."""
        return discretise(self._relaxation.form, self._strengths())

    def _strengths(self) -> torch.Tensor:
        """Say how strong each operation is on each edge, (E, O); the rows compare with each other."""
        return softmax(self._logits.detach())


def softmax(logits: torch.Tensor) -> torch.Tensor:
    """Turn (n, k) logits into rows of probabilities, without the threads that torch.softmax and max start."""
    exponentials = (logits - logits.detach().amax(dim=1, keepdim=True)).exp()
    return exponentials / exponentials.sum(dim=1, keepdim=True)


def drawn(probabilities: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Draw one operation an edge from (E, O) probabilities, as one-hot rows (E, O)."""
    import torch

    cumulative = probabilities.detach().cumsum(dim=1)
    level = torch.from_numpy(rng.random((len(cumulative), 1))) * cumulative[:, -1:]
    return one_hot((cumulative <= level).sum(dim=1), cumulative.shape[1])


def one_hot(choices: torch.Tensor, operations: int) -> torch.Tensor:
    """Write (E,) choices as rows of zeros and a one, (E, O)."""
    import torch

    return torch.eye(operations, dtype=torch.float64)[choices]


def require_number(
    name: str, value: float, *, above: float | None = None, at_least: float | None = None
) -> None:
    """Check an option that is a finite number.

    Raises:
        BadOption: It is none, or not above the one bound, or below the other.
    """
    is_number = not isinstance(value, bool | str) and bool(np.isfinite(value))
    if above is not None and not (is_number and value > above):
        raise BadOption(f"{name}: expected a number > {above:g}, got {value!r}.")
    if at_least is not None and not (is_number and value >= at_least):
        raise BadOption(f"{name}: expected a number >= {at_least:g}, got {value!r}.")
