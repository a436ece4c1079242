"""What a leaderboard on a surrogate says of the surrogate: its own error, and what lies within it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nasbench.reports.leaderboard import SurrogateNote
from nasbench.units import format_error


def surrogate_note(source: Mapping[str, Any], scored_by: str) -> SurrogateNote | None:
    """Read how good a surrogate is from what a source says of itself; None where it is none, or does not say.

    Args:
        source: The fields of ``SourceInfo``, as records hold them.
        scored_by: As ``Source.scored_by``.
    """
    extra = source["extra"]
    if source["kind"] != "surrogate" or "quality" not in extra:
        return None
    metric = "test_error" if scored_by == "mean test error" else "valid_error"
    quality = extra["quality"][metric]
    return SurrogateNote(
        fitted_on=str(extra["fitted_on"]).partition("@")[0],
        architectures=int(extra["architectures"]),
        metric=metric,
        error=quality["unknown_of_best"],
        mae=quality["mae"],
        r2=quality["r2"],
        kendall_tau=quality["kendall_tau"],
    )


def is_within_error(note: SurrogateNote | None, mean: float | None, other: float | None) -> bool:
    """Say whether two mean scores are closer than the surrogate's own error."""
    if note is None or mean is None or other is None:
        return False
    return abs(mean - other) < note.error


def surrogate_sentence(note: SurrogateNote) -> str:
    """Say of a panel that a surrogate answered, and how good it is."""
    return (
        f"All errors here are predicted, by a surrogate fitted on {note.architectures:,} architectures of "
        f"{note.fitted_on}. On held-out ones its {note.metric} has R2 {note.r2:.3f}, Kendall tau "
        f"{note.kendall_tau:.3f} and a mean absolute error of {format_error(note.mae)} points; of "
        "those it predicts "
        f"best it does not know {format_error(note.error)} points (standard deviation). Entries "
        "closer to the best "
        "than that are not separated from it."
    )
