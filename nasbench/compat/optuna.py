"""A table as an objective of Optuna: ``study.optimize(objective("nb201-cifar10"), n_trials=50)``.

Each trial is answered by one recorded training. Along its recorded curve the errors are reported, so that a
pruner may stop it; what a pruned or finished trial cost stands in its user attributes. Validation is
validation: the test error is no metric unless it is named.

Source: the face is Optuna's (Akiba, Sano, Yanase, Ohta and Koyama 2019), tried with version 5.0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nasbench.errors import BadOption, NotInSpace, NotMeasured
from nasbench.records import Code
from nasbench.seeds import Addressed, generator
from nasbench.store.bundled import find_table
from nasbench.store.table import Table, listed
from nasbench.strategies.doors.library import library

_PURPOSE = "An objective of Optuna"


def search_space(table: Table | str) -> dict[str, Any]:
    """Return the categorical distribution of each decision of a table's space, by the decision's name.

    Args:
        table: A table, or what a person types: ``nb201-cifar10``, ``FILE.h5`` or ``FILE.h5:TABLE``.

    Raises:
        UnknownName: No such table.
        MissingExtra: Optuna is not installed.
    """
    distribution = library("optuna.distributions", extra="optuna", purpose=_PURPOSE).CategoricalDistribution
    opened = find_table(table) if isinstance(table, str) else table
    return {decision.name: distribution(decision.choices) for decision in opened.space.decisions}


class TableObjective:
    """Answers a trial of Optuna from a table; made by ``objective``.

    Attributes:
        table: The table.
        metric: The curve that is the objective.
        epochs: Training length of a whole trial.
        direction: ``"minimize"``, for ``create_study``.
    """

    direction = "minimize"

    def __init__(self, table: Table, metric: str, epochs: int, replicate: int | None, seed: int) -> None:
        self._pruned: type[Exception] = library("optuna", extra="optuna", purpose=_PURPOSE).TrialPruned
        self.table = table
        self.metric = metric
        self.epochs = epochs
        self._asked = replicate, seed
        self._draw = Addressed(generator(seed, "objective"))
        self._visits: dict[int, int] = {}
        self._lengths = [length for length in table.epochs if length < epochs]

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process as the name of the table file."""
        path = f"{self.table.path.resolve()}:{self.table.name}"
        return _again, (path, self.metric, self.epochs, *self._asked)

    def __call__(self, trial: Any) -> float:
        """Answer a trial.

        Its user attributes say ``architecture``, ``replicate``, ``epochs`` (trained) and ``train_seconds``.

        Args:
            trial: Of a study, or a ``FixedTrial``; each decision is suggested by its name.

        Returns:
            The metric after the whole training; nan, which Optuna counts as failed, where the training
            failed.

        Raises:
            optuna.TrialPruned: The pruner said so; or the table does not hold the architecture, or a space
                with masks has no such one (then the user attribute ``reason`` says which).
            NotMeasured: The training that was asked for was not recorded.
        """
        decisions = self.table.space.decisions
        values = [d.choices.index(trial.suggest_categorical(d.name, d.choices)) for d in decisions]
        try:
            code = self.table.space.check(values)
            row = self.table.row(code)
        except (NotInSpace, NotMeasured) as error:
            trial.set_user_attr("reason", str(error))
            raise self._pruned(str(error)) from None
        replicate = self._replicate(row, code)
        trial.set_user_attr("architecture", self.table.space.format(code))
        trial.set_user_attr("replicate", replicate)
        for length in self._lengths:
            value = self._value(row, replicate, length)
            if math.isnan(value):
                continue
            trial.report(value, length)
            if trial.should_prune():
                self._note(trial, row, replicate, length)
                raise self._pruned(f"pruned after {length} epochs")
        self._note(trial, row, replicate, self.epochs)
        value = self._value(row, replicate, self.epochs)
        if math.isnan(value):
            trial.set_user_attr("reason", f"recorded as failed in table {self.table.name}")
        return value

    def _replicate(self, row: int, code: Code) -> int:
        """Choose the training that answers: the one asked for, or one drawn for this visit."""
        column = np.asarray(self.table.column(self.metric))[row, :, self.table.epochs.index(self.epochs)]
        is_there = ~np.isnan(column)
        if self.table.failed is not None:
            is_there |= np.asarray(self.table.failed)[row] == 1
        there = np.flatnonzero(is_there).tolist()
        replicate = self._asked[0]
        if (replicate is not None and replicate not in there) or not there:
            raise NotMeasured(
                f"replicate: table {self.table.name} holds {self.metric} of {self.table.space.format(code)} "
                f"at {self.epochs} epochs for {listed(there) or 'none'}, got {replicate}. Nothing is "
                "imputed: use replicate=None, which draws among those that are there."
            )
        if replicate is not None:
            return replicate
        visit = self._visits.get(row, 0)
        self._visits[row] = visit + 1
        return int(there[self._draw.below(len(there), row, visit)])

    def _value(self, row: int, replicate: int, epochs: int) -> float:
        return float(self.table.column(self.metric)[row, replicate, self.table.epochs.index(epochs)])

    def _note(self, trial: Any, row: int, replicate: int, epochs: int) -> None:
        """Say what a trial cost."""
        at = self.table.epochs.index(epochs)
        seconds = float(self.table.column("train_seconds")[row, replicate, at])
        trial.set_user_attr("epochs", epochs)
        trial.set_user_attr("train_seconds", None if math.isnan(seconds) else seconds)


def objective(
    table: Table | str,
    *,
    metric: str = "valid_error",
    epochs: int | None = None,
    replicate: int | None = None,
    seed: int = 0,
) -> TableObjective:
    """Make an objective of Optuna from a table.

    Args:
        table: A table, or what a person types: ``nb201-cifar10``, ``FILE.h5`` or ``FILE.h5:TABLE``.
        metric: A curve of the table; every one is minimised.
        epochs: Training length; None = the longest.
        replicate: Training repeat; None draws one among those recorded, by architecture and visit.
        seed: Draws the repeats.

    Raises:
        UnknownName: No such table.
        NotMeasured: The table has no such curve or training length.
        BadOption: ``replicate`` is not a whole number >= 0.
        MissingExtra: Optuna is not installed.
    """
    opened = find_table(table) if isinstance(table, str) else table
    opened.column(metric)
    length = opened.epochs[-1] if epochs is None else epochs
    if length not in opened.epochs:
        raise NotMeasured(
            f"epochs: table {opened.name} holds {listed(opened.epochs)}, got {length}. Use one."
        )
    if replicate is not None and (type(replicate) is not int or replicate < 0):
        raise BadOption(f"replicate: expected a whole number >= 0 or None, got {replicate!r}.")
    return TableObjective(opened, metric, length, replicate, seed)


def _again(table: str, metric: str, epochs: int, replicate: int | None, seed: int) -> TableObjective:
    return objective(table, metric=metric, epochs=epochs, replicate=replicate, seed=seed)


__all__ = ["TableObjective", "objective", "search_space"]
