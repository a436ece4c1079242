"""What a surrogate is fitted on: architectures of a table that were trained to the end, and their curves."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, NotMeasured
from nasbench.records import Codes
from nasbench.store.table import Table

FEWEST = 50
"""Fewer architectures than this are refused: a quarter of them is held out, and must say something."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rows:
    """Architectures with everything that a surrogate learns of them.

    Attributes:
        codes: (n, L) architectures.
        trainings: (m, n, r, e) errors of the metrics ``valid_error`` and, where recorded, ``test_error``; nan
            where a training is missing, failed or not whole.
        seconds: (n, e) seconds of training up to each epoch, averaged over whole trainings.
        left_out: Architectures of the table without a single whole training.
    """

    codes: Codes
    trainings: Floats
    seconds: Floats
    left_out: int

    @property
    def means(self) -> Floats:
        """Mean errors over whole trainings, (m, n, e)."""
        means: Floats = np.nanmean(self.trainings, axis=2)
        return means

    def take(self, rows: npt.NDArray[np.int64]) -> Rows:
        """Return some of the architectures."""
        return Rows(self.codes[rows], self.trainings[:, rows], self.seconds[rows], self.left_out)


def metrics_of(table: Table) -> tuple[str, ...]:
    """Name the errors that are predicted: test errors only where they were recorded at every epoch."""
    if not table.has("test_error") or np.isnan(table.column("test_error")).any(axis=2).all():
        return ("valid_error",)
    return ("valid_error", "test_error")


def rows_of(table: Table) -> Rows:
    """Read a table.

    Raises:
        BadOption: Its trainings were made by different recipes, or no two architectures differ.
        NotMeasured: No training has a whole curve with its seconds.
    """
    _require_one_recipe(table)
    metrics = metrics_of(table)
    trainings = np.stack([table.column(metric).astype(np.float64) for metric in metrics])
    seconds = table.column("train_seconds").astype(np.float64)
    missing = np.isnan(trainings).any(axis=(0, 3)) | np.isnan(seconds).any(axis=2)
    whole: npt.NDArray[np.bool_] = np.asarray(~missing)
    if table.failed is not None:
        whole &= table.failed == 0
    rows = np.flatnonzero(whole.any(axis=1))
    if not len(rows):
        raise NotMeasured(
            f"table: expected trainings with {', '.join(metrics)} and train_seconds at all of its "
            f"{len(table.epochs)} epochs, got none in {table.name}. Populate it to its full length first."
        )
    kept = whole[rows]
    trainings = np.where(kept[None, :, :, None], trainings[:, rows], np.nan)
    mean_seconds = np.nanmean(np.where(kept[:, :, None], seconds[rows], np.nan), axis=1)
    codes = np.asarray(table.codes[rows])
    if table.info.rows_answer_for == "class":
        codes = table.space.canonical(codes)  # what predictions are asked for, whichever was trained
    found = Rows(codes, trainings, mean_seconds, len(table) - len(rows))
    spread = found.means[0, :, -1]
    if spread.max() == spread.min():
        raise BadOption(
            f"table: expected architectures with different errors, got {len(rows)} with "
            f"{spread[0]:.4f} each in "
            f"{table.name}. There is nothing to predict."
        )
    return found


def choose(
    found: Rows, *, fraction: float | None, most: int | None, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Draw the rows that a surrogate may see, in random order.

    Args:
        found: The table.
        fraction: Share of the table, in (0, 1].
        most: Most rows, instead.
        rng: Draws the order.

    Raises:
        BadOption: Both or out of range, or fewer than ``FEWEST`` rows remain.
    """
    if fraction is not None and most is not None:
        raise BadOption("rows: expected a fraction or a number of rows, got both.")
    if fraction is not None and not 0.0 < fraction <= 1.0:
        raise BadOption(f"fraction: expected a share in (0, 1], got {fraction}.")
    wanted = len(found.codes)
    if fraction is not None:
        wanted = round(fraction * wanted)
    elif most is not None:
        wanted = min(most, wanted)
    if wanted < FEWEST:
        raise BadOption(
            f"rows: expected at least {FEWEST} architectures with whole trainings to fit and "
            "calibrate on, got "
            f"{wanted}. Populate the table further, or ask for more of it."
        )
    return rng.permutation(len(found.codes))[:wanted]


def _require_one_recipe(table: Table) -> None:
    """Refuse trainings of different recipes.

    Raises:
        BadOption: The provenance of the trainings names several.
    """
    provenance = table.data().provenance
    if provenance is None:
        return
    named = {json.loads(text).get("recipe_hash") for text in provenance.rows} - {None}
    if len(named | {table.info.recipe_hash}) > 1 and named:
        raise BadOption(
            f"table: expected trainings of one recipe, got {len(named)} in {table.name}. Fit each "
            "recipe alone."
        )
