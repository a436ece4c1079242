"""What the records hold of a retraining, as the leaderboard states it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.reports.leaderboard import RetrainedArchitecture, RetrainedRow, Retraining
from nasbench.units import format_error

METRICS = {"valid_error": "validation error", "test_error": "test error"}


def retraining_of(
    held: Mapping[str, Any] | None,
    labels: Sequence[str],
    *,
    format_code: Callable[[npt.NDArray[np.int8]], str],
) -> Retraining | None:
    """Compare predictions with trainings; None where the records hold no retraining.

    Args:
        held: As ``retraining.recorded`` returns it.
        labels: The rows in the order of the page.
        format_code: Writes an architecture, (L,), in the field's notation.
    """
    if held is None:
        return None
    architectures = held["architectures"]
    live = [_mean(one["errors"]) for one in architectures]
    trained = [
        (one["predicted"], mean) for one, mean in zip(architectures, live, strict=True) if mean is not None
    ]
    differences = [mean - told for told, mean in trained]
    errors = [(one, error) for one in architectures for error in one["errors"]]
    rows = [_row(label, held["rows"][label], architectures, live, format_code) for label in labels]
    compared = [
        (row.predicted, row.live) for row in rows if row.predicted is not None and row.live is not None
    ]
    return Retraining(
        best=held["best"],
        replicates=held["replicates"],
        metric=held["metric"],
        data=held["data"],
        recipe=held["recipe"],
        device=held["device"],
        trainings=len(errors),
        failed=sum(error is None for _, error in errors),
        inside=sum(error is not None and one["low"] <= error <= one["high"] for one, error in errors),
        difference=_mean(differences),
        mae=_mean([abs(difference) for difference in differences]),
        kendall_tau=_kendall_tau(trained),
        row_kendall_tau=_kendall_tau(compared),
        rows=rows,
    )


def _row(
    label: str,
    found: Sequence[Sequence[Any]],
    architectures: Sequence[Mapping[str, Any]],
    live: Sequence[float | None],
    format_code: Callable[[npt.NDArray[np.int8]], str],
) -> RetrainedRow:
    """Gather the architectures of one row; its means are over those with a training."""
    both = [(architectures[i]["predicted"], live[i]) for i, _ in found if live[i] is not None]
    return RetrainedRow(
        label=label,
        predicted=_mean([told for told, _ in both]),
        live=_mean([mean for _, mean in both]),
        architectures=[
            RetrainedArchitecture(
                architecture=format_code(np.array(architectures[i]["code"], dtype=np.int8)),
                searched=searched,
                predicted=architectures[i]["predicted"],
                low=architectures[i]["low"],
                high=architectures[i]["high"],
                errors=architectures[i]["errors"],
            )
            for i, searched in found
        ],
    )


def _mean(values: Sequence[float | None]) -> float | None:
    """Average what is there; None where nothing is."""
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def _kendall_tau(pairs: Sequence[tuple[float, float | None]]) -> float | None:
    """Correlate two orders; None for fewer than three pairs, or where one side is constant."""
    from scipy.stats import kendalltau

    if len(pairs) < 3:
        return None
    tau = float(kendalltau([a for a, _ in pairs], [b for _, b in pairs]).statistic)
    return tau if np.isfinite(tau) else None


def best_trained(row: RetrainedRow) -> float | None:
    """Return the lowest mean error of a row's architectures by training; None where none came to one."""
    means = [mean for one in row.architectures if (mean := _mean(one.errors)) is not None]
    return min(means) if means else None


def retraining_sentences(found: Retraining) -> list[str]:
    """Say how predictions and trainings compare."""
    times = "once" if found.replicates == 1 else f"{found.replicates} times each, with as many seeds"
    said = [
        f"The {found.best} architectures of each row with the lowest errors that its searches were told, over"
        f" all runs, were trained live on {found.data} by the recipe {found.recipe}, {times}. None of this "
        "was charged to a search.",
    ]
    if found.difference is None or found.mae is None:
        return [*said, "No training came to an error."]
    direction = "above" if found.difference > 0 else "below"
    said.append(
        f"Their {METRICS[found.metric]} is on average {format_error(abs(found.difference))} points "
        f"{direction} the prediction (mean absolute difference {format_error(found.mae)}); {found.inside} of "
        f"{found.trainings} trainings lie in the interval that should hold nine in ten."
        + (f" {found.failed} trainings failed." if found.failed else "")
    )
    if found.kendall_tau is not None:
        said.append(
            f"Prediction and training order these architectures with a Kendall tau of {found.kendall_tau:.2f}"
            + (
                "."
                if found.row_kendall_tau is None
                else f", and the rows by their means with {found.row_kendall_tau:.2f}."
            )
        )
    return said
