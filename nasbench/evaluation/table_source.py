"""A table as a source: answers are recorded trainings, seconds are replayed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotMeasured
from nasbench.evaluation.source import label_of
from nasbench.records import Code, Measurement, Measurements, SourceInfo
from nasbench.spaces.relaxed import relaxed_form
from nasbench.store.table import Table
from nasbench.surrogates.analogue import Analogue
from nasbench.surrogates.multilinear import answering_rows, relax
from nasbench.surrogates.relaxed import FittedTable

_COSTS = ("parameters", "macs", "latency_seconds")


class TableSource:
    """Answers from the recorded trainings of a table.

    Attributes:
        info, space, epochs, replicates, is_live: As in ``Source``.
        restarts: Whether each training length is a training of its own, so that a promotion begins anew.
        costs: What the table's scalars say of an architecture without training it.
        table: As given.

    Raises:
        NotMeasured: The table records no validation error, so that nothing can be searched on it.
    """

    is_live = False

    def __init__(self, table: Table) -> None:
        if not table.records_validation:
            splits = ", ".join(f"{name}: {held}" for name, held in table.info.splits.items())
            raise NotMeasured(
                f"source: answers are validation errors, and table {table.name} records none ({splits}). "
                f"Take a table of {table.info.dataset} with a validation split; this one can be read with: "
                f"nasbench table export {table.path}:{table.name}"
            )
        self.table = table
        self.space = table.space
        self.epochs = table.epochs
        self.replicates = table.replicates
        info = table.info
        self.restarts = info.lengths == "own-trainings"
        extra = {"licence": info.licence, "citation": info.citation, "content_hash": table.content_hash}
        if info.space_definition:
            extra["space_definition"] = info.space_definition
        if self.restarts:
            extra["lengths"] = info.lengths
        self.info = SourceInfo(
            label=label_of("table", table.name, table.content_hash),
            kind="table",
            name=table.name,
            dataset=info.dataset,
            device=info.reference_device,
            device_kind=info.device_kind,
            extra=extra,
        )
        self.costs: dict[str, Callable[[Code], float]] = {
            name: partial(self._cost, name) for name in _COSTS if name in table.scalars
        }
        self._answers: dict[int, dict[Code, dict[int, Measurement]]] = {}

    def answer(self, code: Code, *, epochs: int, replicate: int) -> Measurement:
        """Answer with one recorded training; remembered, since searches meet the same ones again.

        Raises:
            NotMeasured: Nothing was recorded for (architecture, epochs, replicate).
        """
        try:
            return self._answers[epochs][code][replicate]
        except KeyError:
            found = self.table.query(code, epochs=epochs, replicate=replicate)
            self._answers.setdefault(epochs, {}).setdefault(code, {})[replicate] = found
            return found

    def curve(self, code: Code, *, epochs: int, replicate: int) -> Iterator[tuple[int, Measurement]]:
        """Yield what was recorded of one training after each epoch before ``epochs``, in order.

        Nothing where each length is a training of its own: a shorter one is no part of this one.
        """
        if self.restarts:
            return
        for epoch in self.epochs:
            if epoch >= epochs:
                return
            try:
                yield epoch, self.answer(code, epochs=epoch, replicate=replicate)
            except NotMeasured:
                continue

    @cached_property
    def relaxation(self) -> Callable[[np.random.Generator], Analogue] | None:
        """Makes what differentiable strategies act on; None where the space says nothing of edges.

        A table that answers for a whole small space has its multilinear extension
        (``surrogates.multilinear``); on any other a network is fitted, once (``surrogates.relaxed``), which
        is refused where there are too few rows. Nothing in either depends on the run's generator, but which
        supernet's one-shot errors a table has that holds several.
        """
        if answering_rows(self.table) is not None:
            return partial(relax, self.table)
        if relaxed_form(self.space) is None:
            return None
        return lambda rng: self._fitted.relaxation()  # noqa: ARG005 - the face of a relaxation factory

    @cached_property
    def _fitted(self) -> FittedTable:
        return FittedTable(self.table)

    def _cost(self, name: str, code: Code) -> float:
        """Look a scalar of an architecture up.

        Raises:
            NotMeasured: The table does not hold the architecture.
        """
        return float(self.table.scalar(name)[self.table.row(code)])

    def replicates_of(self, code: Code) -> int:
        """Count the recorded repeats of an architecture.

        Raises:
            NotMeasured: The table does not hold it.
        """
        return self.table.replicates_of(self.table.row(code))

    def measure(self, codes: npt.ArrayLike, *, epochs: int, replicate: int) -> Measurements:
        """Answer (n, L) codes at once."""
        return self.table.lookup(codes, epochs=epochs, replicate=replicate)

    @property
    def scored_by(self) -> str:
        """``"mean test error"`` where the table records one, else ``"mean validation error"``."""
        return "mean test error" if self.table.has("test_error") else "mean validation error"

    def score(self, codes: npt.ArrayLike, *, epochs: int) -> npt.NDArray[np.float64]:
        """Average the score metric over all recorded repeats of (n, L) codes; (n,)."""
        metric = "test_error" if self.table.has("test_error") else "valid_error"
        return self.table.mean(metric, epochs)[self.table.rows(codes)]
