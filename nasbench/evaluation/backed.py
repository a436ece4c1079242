"""A table backed by live training: recorded where the table has the cell, trained now where it has not.

A person types ``digits-nb201+live`` or ``FILE.h5+live``. The table's own attributes say how what it misses is
trained. Each answer names its origin, ``"table"`` or ``"live"``, in the run record, so that a page can keep
the seconds of both kinds apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotMeasured
from nasbench.evaluation.opening import BACKED
from nasbench.evaluation.retraining import RetrainingSource, in_columns
from nasbench.evaluation.source import label_of
from nasbench.evaluation.table_source import TableSource
from nasbench.records import Code, Measurement, Measurements, OnEpoch, Status, Verdict


class BackedSource:
    """Answers from a table, and by training for what it misses.

    An architecture of the table has the table's repeats, so that a search which the table can answer alone
    gets the same answers here. One that the table does not hold has the largest number of repeats of any.

    Args:
        retraining: The table and what trains for it.
        grows: Whether what is trained now will be added to this very table; its content then is no part of
            the label, for an interrupted run must find its source again.

    Attributes:
        info, space, epochs, replicates, is_live: As in ``Source``; ``epochs`` are all those that can be
            trained up to the table's longest.
        relaxation: A supernet trained now; the architectures that it finds are looked up in the table.
        table: The table.
    """

    is_live = True

    def __init__(self, retraining: RetrainingSource, *, grows: bool = False) -> None:
        table, live = retraining.table, retraining.live
        self.table = table
        self.space = table.space
        self.epochs = tuple(sorted({*table.epochs, *(e for e in live.epochs if e <= table.epochs[-1])}))
        self.replicates = table.replicates
        self._retraining = retraining
        self.costs: dict[str, Callable[[Code], float]] = {
            name: partial(self._cost, name) for name in TableSource(table).costs if name in live.costs
        }
        self.relaxation = retraining.relaxation
        self._recorded = TableSource(table)
        self._trained: dict[tuple[Code, int, int], Measurement] = {}
        recorded = self._recorded.info
        pinned = table.info.recipe_hash if grows else table.content_hash
        device = recorded.device
        if live.info.device != device:
            device = f"{device}; what the table misses: {live.info.device}"
        self.info = replace(
            recorded,
            label=label_of("backed", f"{table.name}{BACKED}", pinned),
            kind="trainer",
            name=f"{table.name}{BACKED}",
            device=device,
            extra={
                **{key: value for key, value in recorded.extra.items() if key != "content_hash" or not grows},
                "live": live.info.label,
                "torch": live.info.extra.get("torch", ""),
            },
        )

    def _cost(self, name: str, code: Code) -> float:
        """Look a cost up, or count it on the network where the table does not hold the architecture."""
        try:
            return self._recorded.costs[name](code)
        except NotMeasured:
            return self._retraining.live.costs[name](code)

    def replicates_of(self, code: Code) -> int:
        """Count the table's repeats of an architecture; of one that it does not hold, the largest number.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        return self._retraining.replicates_of(code)

    def answer(self, code: Code, *, epochs: int, replicate: int) -> Measurement:
        """Answer with a recorded training, else train now; what was trained is remembered.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
            NotMeasured: ``epochs`` or ``replicate`` is not one that can be trained.
        """
        try:
            return replace(self._recorded.answer(code, epochs=epochs, replicate=replicate), origin="table")
        except NotMeasured:
            pass
        address = (tuple(code), epochs, replicate)
        if address not in self._trained:
            trained = self._retraining.answer(code, epochs=epochs, replicate=replicate)
            self._trained[address] = replace(trained, origin="live")
        return self._trained[address]

    def follow(
        self, code: Code, *, epochs: int, replicate: int, on_epoch: OnEpoch
    ) -> tuple[Measurement, int]:
        """Follow the recorded curve where the table has the training, else train now.

        Returns:
            As ``LiveSource.follow``.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
            NotMeasured: ``epochs`` or ``replicate`` is not one that can be trained.
        """
        try:
            whole = self._recorded.answer(code, epochs=epochs, replicate=replicate)
        except NotMeasured:
            trained, reached = self._retraining.follow(
                code, epochs=epochs, replicate=replicate, on_epoch=on_epoch
            )
            return replace(trained, origin="live"), reached
        for epoch, seen in self._recorded.curve(code, epochs=epochs, replicate=replicate):
            if seen.valid_error is None or whole.status == "failed":
                break
            verdict = on_epoch(epoch, seen.valid_error, seen.train_seconds)
            if verdict is not Verdict.CONTINUE:
                status: Status = "stopped" if verdict is Verdict.STOP else "ok"
                return replace(seen, status=status, origin="table"), epoch
        return replace(whole, origin="table"), epochs

    def measure(self, codes: npt.ArrayLike, *, epochs: int, replicate: int) -> Measurements:
        """Answer (n, L) codes one after another; nan errors where a training failed."""
        checked = [self.space.check(code) for code in np.asarray(codes)]
        return in_columns([self.answer(code, epochs=epochs, replicate=replicate) for code in checked])

    def score(self, codes: npt.ArrayLike, *, epochs: int) -> npt.NDArray[np.float64]:
        """Return nan for each of (n, L) codes: nothing is trained for a report."""
        return np.full(len(np.asarray(codes)), np.nan)

    @property
    def scored_by(self) -> str:
        """``"trial"``: the report uses the sealed test error of the incumbent's own training."""
        return "trial"
