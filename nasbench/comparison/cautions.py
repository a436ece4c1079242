"""Cautions: what a reader must know before believing an entry's row. Nothing is dropped silently."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nasbench.comparison.entries import EntryArrays
from nasbench.runs.columns import PURPOSES, STATUSES
from nasbench.units import format_seconds

FEW_SEEDS = 10

_FAILED = STATUSES.index("failed")
_STOPPED = STATUSES.index("stopped")
_REPORT = PURPOSES.index("report")


def failed_trials(entry: EntryArrays) -> int:
    """Count the trials of all runs whose training failed."""
    return sum(int((run.status == _FAILED).sum()) for run in entry.runs)


def stopped_trials(entry: EntryArrays) -> int:
    """Count the trials of all runs that the strategy stopped early."""
    return sum(int((run.status == _STOPPED).sum()) for run in entry.runs)


def cautions(
    label: str, entry: EntryArrays, *, failed_seeds: Sequence[int], expected_seeds: Sequence[int], epochs: int
) -> list[str]:
    """List what is thin, missing or broken about one entry, a sentence each.

    Args:
        label: The entry.
        entry: Its runs that did not fail.
        failed_seeds: Seeds whose run failed.
        expected_seeds: Seeds that the suite, or any other entry of the panel, has.
        epochs: Training length the panel scores.
    """
    n = len(entry.seeds)
    found: list[str] = []
    if failed_seeds:
        found.append(
            f"{len(failed_seeds)} of {n + len(failed_seeds)} runs failed and {_is(failed_seeds)} in no mean "
            f"({_seeds(failed_seeds)})."
        )
    missing = sorted(set(expected_seeds) - set(entry.seeds) - set(failed_seeds))
    if missing:
        found.append(f"{_count(len(missing), 'run')} missing ({_seeds(missing)}).")
    if n < FEW_SEEDS:
        found.append(
            f"{_count(n, 'finished run')}; with fewer than {FEW_SEEDS} seeds a mean says little."
            if n
            else "no finished run, so there is nothing to compare."
        )
    pairs = list(zip(entry.seeds, entry.runs, strict=True))
    empty = [seed for seed, run in pairs if len(run.status) == 0]
    if empty:
        found.append(
            f"in {len(empty)} of {n} runs the budget is smaller than one evaluation: no result, and no mean "
            f"({_seeds(empty)})."
        )
    parts = list(zip(entry.seeds, entry.runs, entry.rows, entry.values, strict=True))
    unscored = [seed for seed, run, rows, _ in parts if len(run.status) and not (len(rows) and rows[-1] >= 0)]
    if unscored:
        found.append(
            f"{len(unscored)} of {n} runs finished no trial of {epochs} epochs, the length scored here: "
            f"no result, and no mean ({_seeds(unscored)})."
        )
    unknown = [
        seed for seed, _, rows, values in parts if len(rows) and rows[-1] >= 0 and np.isnan(values[-1])
    ]
    if unknown:
        found.append(
            f"in {len(unknown)} of {n} runs the final architecture has no recorded score ({_seeds(unknown)})."
        )
    failed = failed_trials(entry)
    if failed:
        total = sum(len(run.status) for run in entry.runs)
        found.append(f"{failed} of {total} trials failed; they cost their time and never count as a result.")
    trained = _trained_live(entry)
    if trained:
        found.append(trained)
    early = [(seed, run.end) for seed, run in pairs if run.end in ("done", "stalled")]
    if early:
        why = {"done": "nothing more to propose", "stalled": "only free answers"}
        kinds = [
            f"{why[end]}: {count}" for end in why if (count := sum(1 for _, ended in early if ended == end))
        ]
        found.append(
            f"{len(early)} of {n} runs ended before the budget ({', '.join(kinds)}); "
            "each holds its last value."
        )
    return [f"{label}: {sentence}" for sentence in found]


def _trained_live(entry: EntryArrays) -> str:
    """Say how many trials of a source that mixes were trained live, both kinds apart; else ``""``."""
    live = table = reports = 0
    live_seconds = table_seconds = search_seconds = 0.0
    for run in entry.runs:
        for row, origin in run.origins.items():
            seconds = float(run.charged_seconds[row])
            if run.purpose[row] == _REPORT:  # pays for the search behind it, whatever answers
                reports, search_seconds = reports + 1, search_seconds + seconds
            elif origin == "live":
                live, live_seconds = live + 1, live_seconds + seconds
            else:
                table, table_seconds = table + 1, table_seconds + seconds
    if reports:
        return (
            f"{_count(reports, 'report')} looked up or trained at no charge; what is charged is the search, "
            f"measured here ({format_seconds(search_seconds)})."
        )
    if not live and not table:
        return ""
    return (
        f"{live} of {live + table} trials were trained live ({format_seconds(live_seconds)} here), the other "
        f"{table} answered by the table ({format_seconds(table_seconds)} as recorded)."
    )


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _is(seeds: Sequence[int]) -> str:
    return "is" if len(seeds) == 1 else "are"


def _seeds(seeds: Sequence[int]) -> str:
    shown = ", ".join(str(seed) for seed in sorted(seeds)[:8])
    return f"seed{'' if len(seeds) == 1 else 's'} {shown}{', ...' if len(seeds) > 8 else ''}"
