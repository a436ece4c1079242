"""What a strategy is: something that proposes architectures and is told how they did.

Constructed as ``Name(space, *, rng, **options)``, or as ``Name(space, *, rng, setting, **options)`` where its
constructor takes ``setting``. It may hold any state, draws only from ``rng``, and never learns which source
answers, what the budget is, or any test error.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np

from nasbench.records import Code, Proposal, Trial, Verdict
from nasbench.spaces import Space
from nasbench.strategies.health import Watch
from nasbench.strategies.relaxation import RelaxationFactory

Mode = Literal["faithful", "analogue", "degenerate", "no"]


@dataclass(frozen=True, slots=True)
class Card:
    """What a list of strategies prints of one of them.

    Attributes:
        family: ``"baseline"``, ``"random"``, ``"evolution"``, ``"local search"``, ``"reinforcement
            learning"``, ``"Bayesian optimisation"``, ...
        paper: Lastname Year of the source, or ``""``.
        table: What running it against a table or surrogate means (design law 7).
        live: What running it against live training means.
        needs: Names of the extras it needs, e.g. ``("torch",)``.
        deterministic: True where the seed changes nothing (grid, fixed).
        multi_fidelity: True where it asks for shorter trainings, or stops them early.
        multi_objective: True where it trades the error against a cost of the architecture.
    """

    family: str
    paper: str
    table: Mode = "faithful"
    live: Mode = "faithful"
    needs: tuple[str, ...] = field(default=())
    deterministic: bool = False
    multi_fidelity: bool = False
    multi_objective: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """What a run offers besides its space.

    Attributes:
        epochs: Training lengths that a proposal may ask for, increasing; the last is the full length, which
            a proposal that names none gets.
        costs: What can be known of an architecture without training it, by name: ``"parameters"``,
            ``"macs"``, ``"latency_seconds"``. Each is a function of the code; asking is free.
        relaxation: Makes what weight-sharing and differentiable strategies act on; None where the source has
            none.
        watch: How a weight-sharing search is watched; None where it is not.
    """

    epochs: tuple[int, ...]
    costs: Mapping[str, Callable[[Code], float]] = field(default_factory=dict)
    relaxation: RelaxationFactory | None = None
    watch: Watch | None = None


@runtime_checkable
class Strategy(Protocol):
    """The ask/tell face; see also the five-line function form in ``function.py``.

    One that has a method ``report`` too (``ReportingStrategy``) is asked about trials while they train.
    """

    card: ClassVar[Card]

    def ask(self, n: int) -> list[Proposal]:
        """Propose at most ``n`` trials. ``[]`` with nothing running means the strategy is done."""
        ...

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn finished trials, in order of (simulated) finish. Failed ones have ``valid_error`` None."""
        ...


@runtime_checkable
class ReportingStrategy(Strategy, Protocol):
    """A strategy that looks at trainings while they run."""

    def report(self, trial: Trial, epoch: int, valid_error: float) -> Verdict:
        """Say what becomes of a running trial after one of its epochs.

        Called in order of (simulated) time, after every epoch of ``Setting.epochs`` that is shorter than
        what the trial was proposed for; the end of the training is told, not reported.

        Args:
            trial: As it stands: ``epochs`` trained, ``valid_error`` and ``charged_seconds`` so far.
            epoch: Equal to ``trial.epochs``.
            valid_error: Equal to ``trial.valid_error``.

        Returns:
            ``CONTINUE``; ``STOP`` (the trial is told at once with status ``"stopped"`` and cannot be
            continued) or ``PAUSE`` (it is told at once with status ``"ok"`` and these epochs, and a later
            proposal may name it in ``continues``).
        """
        ...


StrategyFactory = Callable[..., Strategy]
"""Called as ``factory(space, rng=rng, **options)``, with ``setting=setting`` where it takes one."""


def make(
    factory: StrategyFactory,
    space: Space,
    *,
    rng: np.random.Generator,
    setting: Setting,
    **options: Any,
) -> Strategy:
    """Construct a strategy; kept as one place so that the call is the same everywhere.

    Args:
        factory: The class, or anything called like it.
        space: The space to search.
        rng: The strategy's only source of randomness.
        setting: Handed on where the factory has a parameter of this name.
        **options: Options of the strategy.
    """
    if takes_setting(factory):
        return factory(space, rng=rng, setting=setting, **options)
    return factory(space, rng=rng, **options)


def takes_setting(factory: StrategyFactory) -> bool:
    """Say whether a factory has a parameter ``setting``."""
    try:
        return "setting" in inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return False
