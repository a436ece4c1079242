"""Training a table's cells again: the same recipe, data and seeds, found from the table's own attributes.

The table decides everything; only the device is here. What the table does not hold is trained as it would
have been. Errors are rounded to float32, as a table stores them, so that an answer from the table and an
answer trained again can be equal to the bit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, NasbenchError, NotMeasured
from nasbench.evaluation.live import LiveSource
from nasbench.evaluation.recording import RecordingSource
from nasbench.evaluation.source import label_of
from nasbench.evaluation.table_source import TableSource
from nasbench.records import Code, Measurement, Measurements, OnEpoch, Verdict
from nasbench.store.info import TableInfo
from nasbench.store.table import Table
from nasbench.store.trainings import training_seeds
from nasbench.training.recipe import Recipe

_TRAINED_ROW = "trained_row"
"""Scalar of a table whose equal networks were trained once: the row whose training each row repeats."""


def recipe_of(info: TableInfo, *, name: str) -> Recipe:
    """Find the recipe that a table was trained by.

    Args:
        info: Attributes of the table.
        name: Name of the table, for the message.

    Raises:
        BadOption: It is no recipe of this program.
    """
    try:
        return Recipe.from_dict(info.recipe)
    except NasbenchError as error:
        raise BadOption(
            f"recipe: expected a table trained by a recipe of this program, got {name} with recipe "
            f"{info.recipe_hash[:12]}. It can be asked, but nothing can be trained for it. "
            "See: nasbench list recipes"
        ) from error


def open_live_of(table: Table, *, device: str | None = None) -> LiveSource:
    """Open the live source that trains as a table was trained.

    Args:
        table: The table.
        device: As for ``LiveSource``.

    Raises:
        BadOption: Its recipe or its data set is not known here, or the device is of another kind than
            the one whose seconds the table counts.
        MissingExtra: torch or the data set is absent.
    """
    recipe = recipe_of(table.info, name=table.name)
    seeds = training_seeds(table.data())
    try:
        live = LiveSource(
            table.info.dataset,
            recipe,
            device=device,
            replicates=max(table.replicates, int(seeds.max(initial=0)) + 1),
        )
    except LookupError as error:
        raise BadOption(
            f"data: expected a table of a data set that is known here, got {table.name} of "
            f"{table.info.dataset!r}. It can be asked, but nothing can be trained for it."
        ) from error
    if live.space.name != table.space.name:
        raise BadOption(
            f"space: expected a table of space {live.space.name}, the one that can be trained, got "
            f"{table.name} of space {table.space.name}."
        )
    if live.info.device_kind != table.info.device_kind:
        raise BadOption(
            f"device: table {table.name} counts {table.info.device_kind} seconds, got device "
            f"{device or 'cpu'!r}. GPU and CPU seconds are never mixed; train on a {table.info.device_kind}."
        )
    _require_same_images(table, live)
    return live


def _require_same_images(table: Table, live: LiveSource) -> None:
    """Refuse other images or other parts than the table was trained on, where both say.

    Raises:
        BadOption: They differ.
    """
    stated, here = dict(table.info.splits), dict(live.info.extra.get("splits") or {})
    for key in sorted(set(stated) & set(here)):
        if stated[key] != here[key]:
            raise BadOption(
                f"splits.{key}: table {table.name} was trained on {stated[key]!r}, the data here are "
                f"{here[key]!r}. Use the data set that the table names."
            )


class RetrainingSource:
    """Answers for a table's cells by training them again.

    It has the table's training lengths and the table's number of repeats of each architecture, so that under
    one seed a search meets the same (architecture, epochs, replicate) on both.

    Args:
        table: Whose cells.
        live: What trains; made by ``open_live_of``, or a recording of it.

    Attributes:
        info, space, epochs, replicates, is_live, costs: As in ``Source``; costs are the table's.
        relaxation: That of ``live``: a supernet trained now.
        table: As given.
        live: As given.
    """

    is_live = True

    def __init__(self, table: Table, live: LiveSource | RecordingSource) -> None:
        self.table = table
        self.live = live
        self.space = table.space
        self.epochs = table.epochs
        self.replicates = table.replicates
        self.costs = TableSource(table).costs
        self.relaxation = live.relaxation
        self.info = replace(
            live.info,
            label=label_of("retrained", table.name, table.content_hash),
            name=f"{table.name} trained again",
            extra={**live.info.extra, "table": table.name, "content_hash": table.content_hash},
        )
        self._seeds = training_seeds(table.data())
        self._trained_row = table.scalar(_TRAINED_ROW) if _TRAINED_ROW in table.scalars else None

    def replicates_of(self, code: Code) -> int:
        """Count the table's repeats of an architecture; of one that it does not hold, the largest number.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        try:
            return self.table.replicates_of(self.table.row(code)) or self.replicates
        except NotMeasured:
            return self.replicates

    def seed_of(self, code: Code, replicate: int) -> int:
        """Tell the training seed behind a replicate of the table."""
        try:
            return int(self._seeds[self.table.row(code), replicate])
        except (NotMeasured, IndexError):
            return replicate

    def trained_as(self, code: Code) -> Code:
        """Return the architecture that is trained for a row of the table: an equal one, or its own."""
        if self.table.info.rows_answer_for == "class":
            try:
                return tuple(self.table.codes[self.table.row(code)].tolist())
            except NotMeasured:
                return tuple(self.space.canonical(np.array([code]))[0].tolist())
        if self._trained_row is None:
            return code
        try:
            row = int(self._trained_row[self.table.row(code)])
        except NotMeasured:
            return code
        return tuple(self.table.codes[row].tolist())

    def answer(self, code: Code, *, epochs: int, replicate: int) -> Measurement:
        """Train one cell of the table now.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
            NotMeasured: ``epochs`` or ``replicate`` is not one that can be trained.
        """
        made = self.live.answer(self.trained_as(code), epochs=epochs, replicate=self.seed_of(code, replicate))
        return replace(made, valid_error=_as_stored(made.valid_error), test_error=_as_stored(made.test_error))

    def follow(
        self, code: Code, *, epochs: int, replicate: int, on_epoch: OnEpoch
    ) -> tuple[Measurement, int]:
        """Train one cell of the table now, asking what becomes of it after each epoch that the table has.

        Returns:
            As ``LiveSource.follow``.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
            NotMeasured: ``epochs`` or ``replicate`` is not one that can be trained.
        """

        def ask(epoch: int, valid_error: float, seconds: float) -> Verdict:
            if epoch not in self.epochs:
                return Verdict.CONTINUE
            return on_epoch(epoch, float(np.float32(valid_error)), seconds)

        made, reached = self.live.follow(
            self.trained_as(code), epochs=epochs, replicate=self.seed_of(code, replicate), on_epoch=ask
        )
        made = replace(made, valid_error=_as_stored(made.valid_error), test_error=_as_stored(made.test_error))
        return made, reached

    def measure(self, codes: npt.ArrayLike, *, epochs: int, replicate: int) -> Measurements:
        """Train (n, L) codes one after another; nan errors where a training failed."""
        checked = [self.space.check(code) for code in np.asarray(codes)]
        return in_columns([self.answer(code, epochs=epochs, replicate=replicate) for code in checked])

    def score(self, codes: npt.ArrayLike, *, epochs: int) -> npt.NDArray[np.float64]:
        """Return nan for each of (n, L) codes: nothing is trained for a report."""
        return self.live.score(codes, epochs=epochs)

    @property
    def scored_by(self) -> str:
        """``"trial"``: the report uses the sealed test error of the incumbent's own training."""
        return "trial"


def in_columns(answers: list[Measurement]) -> Measurements:
    """Put measurements into columns, (n,) each; nan where a training failed."""
    nan = float("nan")
    return Measurements(
        valid_error=np.array([nan if a.valid_error is None else a.valid_error for a in answers]),
        test_error=np.array([nan if a.test_error is None else a.test_error for a in answers]),
        train_seconds=np.array([a.train_seconds for a in answers], dtype=np.float64),
    )


def _as_stored(error: float | None) -> float | None:
    return None if error is None else float(np.float32(error))
