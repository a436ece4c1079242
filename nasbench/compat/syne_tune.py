"""A table as a blackbox of Syne Tune, for its simulator and its surrogates.

It answers what ``BlackboxTabular`` answers, from recorded trainings only. Three things are done differently,
because a table is ragged and nothing in it is imputed:

* Where no seed is asked for, an architecture is always answered by the same one of its complete trainings,
  drawn once under the blackbox's own seed: repeated visits, and trainings that are paused and resumed, belong
  to one training. A seed that is asked for is that very training, or ``NotMeasured``.
* Architectures without a complete training are left out of ``all_configurations``; asking for one says so.
* The frames of ``hyperparameter_objectives_values`` have a row for each recorded training and none besides.

Validation is validation: ``test_error`` is no objective unless it is named.

Source: the face is that of ``syne_tune.blackbox_repository.BlackboxTabular`` in Syne Tune 0.16.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Number
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, NotInSpace, NotMeasured
from nasbench.records import Code
from nasbench.seeds import Addressed, generator
from nasbench.store.bundled import find_table
from nasbench.store.schema import Direction, unit_of
from nasbench.store.table import Table, listed
from nasbench.strategies.doors.library import library
from nasbench.strategies.doors.repair import repaired

if TYPE_CHECKING:
    import pandas as pd

FIDELITY = "epochs"
OBJECTIVES = ("valid_error", "train_seconds")
_PURPOSE = "A blackbox of Syne Tune"


class TableBlackbox:
    """A blackbox of Syne Tune that answers from a table; made by ``blackbox``.

    Attributes:
        configuration_space: One categorical domain a decision, named as the decision, of its choices' names.
        fidelity_space: ``epochs``, from the shortest training length to the longest.
        fidelity_values: (e,) the training lengths, increasing.
        objectives_names: The objectives in order.
        directions: Whether each is minimised or maximised.
        num_seeds: Largest number of training repeats of one architecture.
        left_out: Architectures of the table without a complete training.
    """

    def __init__(
        self, table: Table, objectives: Sequence[str], epochs: Sequence[int], seed: int, repair: bool
    ) -> None:
        space = library("syne_tune.config_space", extra="synetune", purpose=_PURPOSE)
        self.table = table
        self.objectives_names = list(objectives)
        self.directions = {name: _direction(table, name) for name in objectives}
        self.num_seeds = table.replicates
        self._asked = tuple(objectives), tuple(epochs), seed, repair
        self._repair = repair
        self._decisions = {decision.name: decision for decision in table.space.decisions}
        self._epochs = list(epochs)
        self._values = _values(table, objectives, epochs)  # (n, replicates, epochs, objectives)
        self._recorded: npt.NDArray[np.bool_] = np.asarray(~np.isnan(self._values).any(axis=3))
        self._complete: npt.NDArray[np.bool_] = np.asarray(self._recorded.all(axis=2))  # (n, replicates)
        self._draw = Addressed(generator(seed, "blackbox"))
        self.left_out = int((~self._complete.any(axis=1)).sum())
        if self.left_out == len(table):
            raise NotMeasured(
                f"epochs: table {table.name} holds no training with {', '.join(objectives)} at "
                f"{listed(self._epochs)} epochs. Name other lengths or objectives."
            )
        self.configuration_space: dict[str, Any] = {
            name: space.choice(list(decision.choices)) for name, decision in self._decisions.items()
        }
        self.fidelity_space: dict[str, Any] = {FIDELITY: space.randint(self._epochs[0], self._epochs[-1])}

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as the name of the table file: Syne Tune saves its tuners whole."""
        return _again, (f"{self.table.path.resolve()}:{self.table.name}", *self._asked)

    @property
    def fidelity_values(self) -> npt.NDArray[np.int64]:
        """Return the training lengths, (e,)."""
        return np.array(self._epochs)

    @property
    def num_fidelities(self) -> int:
        """Count the training lengths."""
        return len(self._epochs)

    def fidelity_name(self) -> str:
        """Return ``"epochs"``."""
        return FIDELITY

    def configuration_space_with_max_resource_attr(self, max_resource_attr: str) -> dict[str, Any]:
        """Return the configuration space with the longest training length under a name of its own.

        Raises:
            BadOption: A decision has that name.
        """
        if max_resource_attr in self.configuration_space:
            raise BadOption(
                f"max_resource_attr: expected a name that no decision has, got {max_resource_attr!r}."
            )
        return {**self.configuration_space, max_resource_attr: self._epochs[-1]}

    def __call__(
        self,
        configuration: Mapping[str, str],
        fidelity: Mapping[str, int] | int | None = None,
        seed: int | None = None,
    ) -> dict[str, float] | npt.NDArray[np.float64]:
        """Answer as ``objective_function``."""
        return self.objective_function(configuration, fidelity, seed)

    def objective_function(
        self,
        configuration: Mapping[str, str],
        fidelity: Mapping[str, int] | int | None = None,
        seed: int | None = None,
    ) -> dict[str, float] | npt.NDArray[np.float64]:
        """Look one training up.

        Args:
            configuration: The choice of each decision, by name.
            fidelity: Training length, as a number or ``{"epochs": number}``; None = all.
            seed: Training repeat; None = one of the complete ones, always the same of an architecture.

        Returns:
            The objectives by name; without a fidelity, (e, objectives).

        Raises:
            NotInSpace: A decision is missing or unknown, or the architecture is none of the space's.
            NotMeasured: The table holds no such architecture, training repeat or length.
            BadOption: The fidelity has another name.
        """
        code = self.code_of(configuration)
        row = self.table.row(code)
        values = self._values[row, self._replicate(row, code, seed)]
        if fidelity is not None:
            at = self._epoch(fidelity)
            found = values[at]
            if np.isnan(found).any():
                self._refuse(code, seed, f"at {self._epochs[at]} epochs")
            return dict(zip(self.objectives_names, found.tolist(), strict=True))
        if np.isnan(values).any():
            self._refuse(code, seed, f"at each of {listed(self._epochs)} epochs")
        curve: npt.NDArray[np.float64] = values.astype(np.float64)
        return curve

    def code_of(self, configuration: Mapping[str, str]) -> Code:
        """Turn a configuration into a code.

        Raises:
            NotInSpace: A decision is missing or unknown, or the architecture is none of the space's (unless
                the blackbox repairs).
        """
        if set(configuration) != set(self._decisions):
            raise NotInSpace(
                f"configuration: expected the decisions {', '.join(self._decisions)}, got "
                f"{', '.join(map(str, configuration))}."
            )
        values = []
        for name, decision in self._decisions.items():
            if configuration[name] not in decision.choices:
                raise NotInSpace(
                    f"configuration: decision {name!r} takes {', '.join(decision.choices)}, got "
                    f"{configuration[name]!r}."
                )
            values.append(decision.choices.index(configuration[name]))
        return repaired(self.table.space, values) if self._repair else self.table.space.check(values)

    def all_configurations(self) -> list[dict[str, str]]:
        """List the architectures that have a complete training, for ``restrict_configurations``."""
        codes = self.table.codes[self._complete.any(axis=1)].tolist()
        return [
            {name: d.choices[v] for (name, d), v in zip(self._decisions.items(), code, strict=True)}
            for code in codes
        ]

    def hyperparameter_objectives_values(
        self, predict_curves: bool = False
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return what a surrogate of Syne Tune is fitted on.

        Args:
            predict_curves: One row a training, its curve in columns, instead of one row a recorded length.

        Returns:
            X and y, in the order of fidelities, seeds and architectures. X has the decisions and, unless
            ``predict_curves``, ``epochs`` as its last column; y has the objectives, or (with
            ``predict_curves``) those of the first length, of the second, and so on. What was not recorded has
            no row, so that they cannot be reshaped as Syne Tune's can.
        """
        import pandas as pd

        names = list(self._decisions)
        choices = [np.array(decision.choices, dtype=object) for decision in self._decisions.values()]

        def frame(rows: npt.NDArray[np.intp]) -> pd.DataFrame:
            codes = np.asarray(self.table.codes)[rows]
            return pd.DataFrame({n: choices[i][codes[:, i]] for i, n in enumerate(names)})

        if predict_curves:
            replicates, rows = np.nonzero(self._complete.T)
            return frame(rows), pd.DataFrame(self._values[rows, replicates].reshape(len(rows), -1))
        epochs, replicates, rows = np.nonzero(self._recorded.transpose(2, 1, 0))
        x = frame(rows)
        x[FIDELITY] = np.array(self._epochs)[epochs]
        return x, pd.DataFrame(self._values[rows, replicates, epochs], columns=self.objectives_names)

    def _replicate(self, row: int, code: Code, seed: int | None) -> int:
        if seed is None:
            complete = np.flatnonzero(self._complete[row])
            if not len(complete):
                self._refuse(code, None, f"with {', '.join(self.objectives_names)} at every length")
            return int(complete[self._draw.below(len(complete), row, 0)])
        if not 0 <= seed < self.num_seeds:
            self._refuse(code, seed, f"which numbers them from 0 to {self.num_seeds - 1}")
        return int(seed)

    def _epoch(self, fidelity: Mapping[str, int] | int) -> int:
        if isinstance(fidelity, Mapping):
            if set(fidelity) != {FIDELITY}:
                raise BadOption(f"fidelity: expected {FIDELITY!r}, got {', '.join(map(str, fidelity))}.")
            fidelity = fidelity[FIDELITY]
        if not isinstance(fidelity, Number) or fidelity not in self._epochs:
            raise NotMeasured(
                f"fidelity: blackbox of table {self.table.name} holds {listed(self._epochs)} epochs, got "
                f"{fidelity!r}. Use one of these."
            )
        return self._epochs.index(fidelity)

    def _refuse(self, code: Code, seed: int | None, where: str) -> NoReturn:
        counted = "a training" if seed is None else f"a training {seed}"
        raise NotMeasured(
            f"seed: expected {counted} of {self.table.space.format(code)} in table {self.table.name}, "
            f"{where}, got none: it failed or was not recorded, and nothing is imputed. Ask for another, or "
            "restrict the search to all_configurations()."
        )


def blackbox(
    table: Table | str,
    *,
    objectives: Sequence[str] = OBJECTIVES,
    epochs: Sequence[int] = (),
    seed: int = 0,
    repair: bool = False,
) -> TableBlackbox:
    """Make a blackbox of Syne Tune from a table.

    Args:
        table: A table, or what a person types: ``nb201-cifar10``, ``FILE.h5`` or ``FILE.h5:TABLE``.
        objectives: Curves or scalars of the table; ``train_seconds`` is the time since the start of a
            training, as the simulator wants its ``elapsed_time_attr``.
        epochs: Training lengths to offer; none = all of the table.
        seed: Draws the training that answers where none is asked for.
        repair: Replace values that a space's masks forbid by the next legal ones, as our doors to libraries
            do; otherwise such a configuration is refused.

    Raises:
        UnknownName: No such table.
        BadOption: An objective or a training length that the table does not have.
        NotMeasured: No training has all objectives at all lengths.
        MissingExtra: Syne Tune is not installed.
    """
    opened = find_table(table) if isinstance(table, str) else table
    if not objectives or isinstance(objectives, str):
        raise BadOption(f"objectives: expected a list of curves or scalars, got {objectives!r}.")
    for name in objectives:
        if not opened.has(name) and name not in opened.scalars:
            known = ", ".join([*opened.metrics, *opened.scalars])
            raise BadOption(f"objectives: table {opened.name} holds {known}, got {name!r}.")
    lengths = sorted(set(epochs)) or list(opened.epochs)
    absent = [length for length in lengths if length not in opened.epochs]
    if absent:
        raise BadOption(f"epochs: table {opened.name} holds {listed(opened.epochs)}, got {absent[0]}.")
    return TableBlackbox(opened, objectives, lengths, seed, repair)


def _again(
    table: str, objectives: tuple[str, ...], epochs: tuple[int, ...], seed: int, repair: bool
) -> TableBlackbox:
    return blackbox(table, objectives=objectives, epochs=epochs, seed=seed, repair=repair)


def _direction(table: Table, name: str) -> Direction:
    """Say which way an objective is better; every cost that we name is minimised."""
    if table.has(name):
        return unit_of(name)[1]
    return "minimize" if name in ("parameters", "macs", "latency_seconds") else "none"


def _values(table: Table, objectives: Sequence[str], epochs: Sequence[int]) -> npt.NDArray[np.float32]:
    """Gather the objectives, (n, replicates, epochs, objectives); scalars are the same at every length."""
    at = [table.epochs.index(length) for length in epochs]
    shape = (len(table), table.replicates, len(at))
    columns = [
        np.asarray(table.column(name))[:, :, at]
        if table.has(name)
        else np.broadcast_to(np.asarray(table.scalar(name), dtype=np.float32)[:, None, None], shape)
        for name in objectives
    ]
    return np.stack(columns, axis=3).astype(np.float32)


__all__ = ["FIDELITY", "OBJECTIVES", "TableBlackbox", "blackbox"]
