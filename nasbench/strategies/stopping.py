"""Stopping trainings early: a strategy that wraps another one and watches its trainings with a rule.

1. Propose what the wrapped strategy proposes.
2. Note the accuracy (1 minus the validation error) after every measured epoch of a training.
3. At the check epochs ask the rule; where it predicts a final accuracy that makes going on useless, stop.
4. Tell the wrapped strategy its trials as they are, and of a stopped one the predicted final error in place
   of the error so far, so that it compares like with like.

Only full trainings from the first epoch on are watched: a shorter proposal is already cheap, and one that
continues an earlier training shows no beginning. The rules are ``domhan-stop``, ``baker-stop`` and
``median-stop``, one file each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial, Verdict
from nasbench.spaces import Space
from nasbench.strategies.loading import load_strategy
from nasbench.strategies.strategy import Card, Setting, make

_CHECKS = 10  # a training, unless told otherwise; ours


class EarlyStopping(ABC):
    """A wrapped strategy and the curves of its running trainings; a subclass is a rule.

    Args:
        space: The space to search.
        rng: Handed to the wrapped strategy.
        setting: Training lengths and costs, handed on too.
        strategy: Name of the wrapped strategy.
        options: Its options.
        every: Epochs between checks; None checks ten times a training, or after every measured length where
            there are fewer.

    Raises:
        BadOption: The source measures no curve, an option is out of its range, or the wrapped strategy looks
            at running trainings itself.
        UnknownName: No strategy of this name.
    """

    card: ClassVar[Card]

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        strategy: str,
        options: Mapping[str, Any] | None,
        every: int | None,
    ) -> None:
        if len(setting.epochs) < 2:
            raise BadOption(
                "epochs: a stopping rule reads learning curves, and expected a source with several training "
                f"lengths, got only {setting.epochs[0]}. Use a table with curves, or train live."
            )
        if options is not None and not isinstance(options, Mapping):
            raise BadOption(
                f"options: expected a mapping of the wrapped strategy's options, got {options!r}."
            )
        if not isinstance(strategy, str):
            raise BadOption(f"strategy: expected the name of a strategy, got {strategy!r}.")
        self._checks = check_epochs(setting.epochs, every)
        self._inner = make(load_strategy(strategy), space, rng=rng, setting=setting, **(options or {}))
        if callable(getattr(self._inner, "report", None)):
            raise BadOption(
                f"strategy: expected one that leaves running trainings alone, got {strategy!r}, which stops "
                "or pauses them itself. Run it without a stopping rule."
            )
        self._epochs = setting.epochs
        self._proposed = 0
        self._curves: dict[int, list[float]] = {}  # of running trials that are watched, by number
        self._predicted: dict[int, float] = {}  # final accuracy of trials that were stopped
        self._best: float | None = None  # final accuracy of the best full training

    @abstractmethod
    def _predict_failure(self, code: Code, accuracies: Sequence[float]) -> float | None:
        """Look at a running training: the final accuracy expected of it if it should stop, None to go on.

        Args:
            code: The architecture.
            accuracies: After each of the first training lengths of the setting.
        """

    def _learn(self, code: Code, accuracies: Sequence[float]) -> None:  # noqa: B027 - a rule may learn nothing
        """Hear the curve of a training that ended or was stopped."""

    def ask(self, n: int) -> list[Proposal]:
        """Propose what the wrapped strategy proposes."""
        proposals = self._inner.ask(n)
        for proposal in proposals:
            full = proposal.epochs in (None, self._epochs[-1])
            if full and proposal.continues is None and proposal.purpose == "search":
                self._curves[self._proposed] = []
            self._proposed += 1
        return proposals

    def report(self, trial: Trial, epoch: int, valid_error: float) -> Verdict:
        """Extend the trial's curve, and stop it if this is a check epoch and the rule says so."""
        accuracies = self._curves.get(trial.number)
        if accuracies is None:
            return Verdict.CONTINUE
        accuracies.append(1.0 - valid_error)
        if epoch not in self._checks:
            return Verdict.CONTINUE
        predicted = self._predict_failure(trial.code, accuracies)
        if predicted is None:
            return Verdict.CONTINUE
        self._predicted[trial.number] = min(max(predicted, 0.0), 1.0)
        return Verdict.STOP

    def tell(self, trials: Sequence[Trial]) -> None:
        """Hand the trials on, the stopped ones with their predicted error."""
        told = []
        for trial in trials:
            accuracies = self._curves.pop(trial.number, None)
            predicted = self._predicted.pop(trial.number, None)
            is_full = trial.status == "ok" and trial.epochs == self._epochs[-1]
            if is_full and trial.valid_error is not None:
                accuracy = 1.0 - trial.valid_error
                self._best = accuracy if self._best is None else max(self._best, accuracy)
                if accuracies is not None:
                    accuracies.append(accuracy)
            if accuracies and trial.status != "failed":
                self._learn(trial.code, accuracies)
            told.append(trial if predicted is None else replace(trial, valid_error=1.0 - predicted))
        self._inner.tell(told)

    def close(self) -> None:
        """Close the wrapped strategy where it has something to close."""
        close = getattr(self._inner, "close", None)
        if callable(close):
            close()


def check_epochs(epochs: Sequence[int], every: int | None) -> frozenset[int]:
    """Choose the training lengths after which a rule is asked.

    Args:
        epochs: All lengths, increasing; the last is full and never a check.
        every: Least distance of two checks, and of the first from the start; None: see ``EarlyStopping``.

    Raises:
        BadOption: Not a whole number >= 1, or so large that there is no check.
    """
    before = epochs[:-1]
    if every is None:
        if len(before) <= _CHECKS:
            return frozenset(before)
        every = -(-epochs[-1] // _CHECKS)
    elif type(every) is not int or not 1 <= every <= before[-1]:
        raise BadOption(
            f"every: expected a whole number of epochs from 1 to the last measured before the end (= "
            f"{before[-1]}), got {every!r}."
        )
    checks: list[int] = []
    for epoch in before:
        if epoch - (checks[-1] if checks else 0) >= every:
            checks.append(epoch)
    return frozenset(checks)
