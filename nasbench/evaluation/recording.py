"""Write-through: a live source whose every training is also recorded for a table, at once and durably.

It answers exactly as the live source would; strategies and run records cannot tell. Each training goes, with
its curves over all epochs, into the log beside the table file (``nasbench.store.training_log``), from any
number of processes; ``nasbench.store.training_log.merge_log`` makes them part of the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.evaluation.live import LiveSource
from nasbench.evaluation.provenance import provenance_here
from nasbench.records import Code, Measurement, Measurements, OnEpoch, Verdict
from nasbench.store.info import TableInfo
from nasbench.store.training_log import LogHeader, append, require_fits
from nasbench.store.trainings import RecordedTraining

if TYPE_CHECKING:
    from nasbench.training.outcome import Training

_SCALARS = ("parameters", "macs", "latency_seconds")


class RecordingSource:
    """A live source that writes its trainings through into a table file.

    Args:
        live: What trains.
        into: The table file, made where it does not exist.
        device: The device that ``live`` trains on, for the provenance.

    Attributes:
        info, space, epochs, replicates, is_live, costs, relaxation: Those of ``live``.
        live: As given.

    Raises:
        FormatError: The file holds tables, but none of this space, data set, recipe and kind of device.
        BadOption: The folder of the file does not exist.
    """

    is_live = True

    def __init__(self, live: LiveSource, into: Path, *, device: str | None = None) -> None:
        info = table_info(live)
        if not into.parent.is_dir():
            raise BadOption(f"into: there is no folder {str(into.parent)!r}. Make it first.")
        require_fits(into, info)
        self.live = live
        self.into = into
        self.info = live.info
        self.space = live.space
        self.epochs = live.epochs
        self.replicates = live.replicates
        self.recipe = live.recipe
        self.costs = live.costs
        self.relaxation = live.relaxation
        self._header = LogHeader(into.name.removesuffix(".h5"), live.epochs, info)
        self._provenance = provenance_here(device or "cpu")

    def replicates_of(self, code: Code) -> int:
        """Return ``replicates``.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        return self.live.replicates_of(code)

    def answer(self, code: Code, *, epochs: int, replicate: int) -> Measurement:
        """Train one architecture now, record the training, and measure it after the last epoch.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
            NotMeasured: ``epochs`` or ``replicate`` is not one that the live source trains.
            OSError: The training could not be recorded.
        """
        training = self.live.train(code, epochs=epochs, replicate=replicate)
        append(self.into, self._header, recorded_training(training, self._provenance))
        if training.status == "failed":
            return Measurement(None, None, training.total_seconds, "failed", training.reason)
        return Measurement(training.valid_error[-1], training.test_error[-1], training.total_seconds)

    def follow(
        self, code: Code, *, epochs: int, replicate: int, on_epoch: OnEpoch
    ) -> tuple[Measurement, int]:
        """Train and record one architecture, asking after each epoch what becomes of it.

        A paused training that is asked for again is trained from its start: a recorded training is whole.

        Returns:
            As ``LiveSource.follow``.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
            NotMeasured: ``epochs`` or ``replicate`` is not one that the live source trains.
            OSError: The training could not be recorded.
        """
        verdict = Verdict.CONTINUE

        def ask(epoch: int, valid_error: float, seconds: float) -> Verdict:
            nonlocal verdict
            verdict = on_epoch(epoch, valid_error, seconds)
            return Verdict.STOP if verdict is Verdict.PAUSE else verdict

        training = self.live.train(code, epochs=epochs, replicate=replicate, on_epoch=ask)
        append(self.into, self._header, recorded_training(training, self._provenance))
        if training.status == "failed":
            return Measurement(None, None, training.total_seconds, "failed", training.reason), epochs
        measurement = Measurement(training.valid_error[-1], training.test_error[-1], training.total_seconds)
        if verdict is Verdict.STOP:
            measurement.status = "stopped"
        return measurement, len(training.valid_error)

    def measure(self, codes: npt.ArrayLike, *, epochs: int, replicate: int) -> Measurements:
        """Train and record (n, L) codes one after another; nan errors where a training failed."""
        checked = [self.space.check(code) for code in np.asarray(codes)]
        answers = [self.answer(code, epochs=epochs, replicate=replicate) for code in checked]
        nan = float("nan")
        return Measurements(
            valid_error=np.array([nan if a.valid_error is None else a.valid_error for a in answers]),
            test_error=np.array([nan if a.test_error is None else a.test_error for a in answers]),
            train_seconds=np.array([a.train_seconds for a in answers], dtype=np.float64),
        )

    def score(self, codes: npt.ArrayLike, *, epochs: int) -> npt.NDArray[np.float64]:
        """Return nan for each of (n, L) codes: nothing is trained for a report."""
        return self.live.score(codes, epochs=epochs)

    @property
    def scored_by(self) -> str:
        """``"trial"``: the report uses the sealed test error of the incumbent's own training."""
        return self.live.scored_by


def recorded_training(training: Training, provenance: Mapping[str, Any]) -> RecordedTraining:
    """Turn a training into a row for a table: every curve that it has, by its own name."""
    curves = {}
    for field in fields(training):
        values = getattr(training, field.name)
        if field.name != "code" and isinstance(values, tuple):
            curves[field.name] = tuple(float(value) for value in values)
    return RecordedTraining(
        code=training.code,
        seed=training.seed,
        status="failed" if training.status == "failed" else "ok",
        reason=training.reason,
        curves=curves,
        total_seconds=training.total_seconds,
        scalars={
            name: float(value) for name in _SCALARS if (value := getattr(training, name, None)) is not None
        },
        provenance=provenance,
    )


def table_info(live: LiveSource) -> TableInfo:
    """Describe the table that a live source's trainings make."""
    return TableInfo(
        space=live.space.name,
        dataset=live.info.dataset,
        reference_device=live.info.device,
        device_kind=live.info.device_kind,
        licence="not stated",
        source="trained by nasbench",
        splits=dict(live.info.extra.get("splits") or live.info.extra.get("images") or {}),
        recipe=asdict(live.recipe),
    )
