"""The quality of a table, before anyone trusts it: what it misses, how noisy it is, whether it agrees.

Nothing is judged by a single number. Each verdict is a sentence with its evidence; ``"bad"`` means that a
number cannot be right, ``"mind"`` that a reader must know it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotMeasured
from nasbench.store.agreement import (
    IsomorphAgreement,
    OneShotAgreement,
    RankAgreement,
    SplitAgreement,
    epochs_against_last,
    isomorphs_against_each_other,
    one_shot_agreement,
    repeats_against_each_other,
    splits_against_each_other,
)
from nasbench.store.checks import same_split
from nasbench.store.noise import Noise, noise
from nasbench.store.outliers import Outliers, outliers
from nasbench.store.table import Table
from nasbench.units import format_error

Says = Literal["good", "mind", "bad"]

_RANKED = 0.8  # Spearman between single trainings from which a table ranks architectures
_SPREAD = 0.3  # errors that a table for comparing strategies should span
_AGREE_P = 0.001
_AGREE_RATIO = 1.5  # variance ratio up to which a difference is too small to matter, however certain
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is recorded.

    Attributes:
        architectures: Rows.
        space_size: Architectures in the space, or None.
        classes: Distinct networks among the rows.
        trainings: Trainings with an error at the longest length.
        failed: Trainings that failed.
        failed_architectures: Some of their architectures, in the space's notation.
        recorded: (replicates, epochs) trainings with a validation error.
        missing: (replicates, epochs) trainings begun, not failed, without one at that length.
        devices: Trainings by device, as provenance says; empty where it says nothing.
        versions: Trainings by version of torch, likewise.
    """

    architectures: int
    space_size: int | None
    classes: int
    trainings: int
    failed: int
    failed_architectures: tuple[str, ...]
    recorded: tuple[tuple[int, ...], ...]
    missing: tuple[tuple[int, ...], ...]
    devices: dict[str, int]
    versions: dict[str, int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One finding.

    Attributes:
        check: What was looked at.
        says: ``"good"``, ``"mind"`` or ``"bad"``.
        sentence: The evidence.
    """

    check: str
    says: Says
    sentence: str


@dataclass(frozen=True, slots=True)
class Quality:
    """Everything a table report says.

    Attributes:
        table: Name of the table.
        content_hash: Its content hash.
        attributes: What it says of itself.
        epochs: Training lengths.
        coverage: What is recorded.
        errors: Lowest, 5th, 50th and 95th percentile and highest of the mean validation errors.
        noise: Of the validation error at the longest training.
        test_noise: Of the test error, or None.
        by_epoch: (length, agreement with the longest) of the first training of each architecture.
        repeats: Agreement of first and second trainings, or None.
        splits: Validation against test, or None.
        isomorphs: Equal networks, or None where the space merges none.
        falling_seconds: Trainings whose seconds fall along the epochs; 0 where each length is its own.
        outliers: What is unlike the rest.
        one_shot: Errors by shared weights against the table's own, one a supernet.
        verdicts: What follows.
    """

    table: str
    content_hash: str
    attributes: dict[str, Any]
    epochs: tuple[int, ...]
    coverage: Coverage
    errors: tuple[float, ...]
    noise: Noise
    test_noise: Noise | None
    by_epoch: tuple[tuple[int, RankAgreement], ...]
    repeats: RankAgreement | None
    splits: SplitAgreement | None
    isomorphs: IsomorphAgreement | None
    falling_seconds: int
    outliers: Outliers
    one_shot: tuple[OneShotAgreement, ...]
    verdicts: tuple[Verdict, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON; None where there is no number."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), allow_nan=False))
        return plain

    @property
    def holds(self) -> bool:
        """Whether nothing is bad."""
        return all(verdict.says != "bad" for verdict in self.verdicts)


def table_quality(table: Table) -> Quality:
    """Measure the quality of a table.

    Raises:
        NotMeasured: No architecture has a validation error at the longest training.
    """
    values = np.asarray(table.column("valid_error")[:, :, -1], dtype=np.float64)
    if np.isnan(values).all():
        raise NotMeasured(
            f"table {table.name}: expected validation errors at {table.epochs[-1]} epochs, got none. "
            "There is nothing to report on yet."
        )
    mean = table.mean("valid_error")
    noises = noise(values)
    test = None
    if table.has("test_error"):
        test = noise(np.asarray(table.column("test_error")[:, :, -1], dtype=np.float64))
    quality = Quality(
        table=table.name,
        content_hash=table.content_hash,
        attributes=asdict(table.info),
        epochs=table.epochs,
        coverage=_coverage(table),
        errors=tuple(float(v) for v in np.nanpercentile(mean, (0, 5, 50, 95, 100))),
        noise=noises,
        test_noise=test,
        by_epoch=tuple(epochs_against_last(table)),
        repeats=repeats_against_each_other(values),
        splits=splits_against_each_other(table),
        isomorphs=isomorphs_against_each_other(table),
        falling_seconds=_falling(np.asarray(table.column("train_seconds")))
        if table.info.lengths == "one-training"
        else 0,
        outliers=outliers(table, noises),
        one_shot=one_shot_agreement(table),
    )
    copied = [str(finding) for finding in same_split(table.data())]
    return Quality(
        **{name: getattr(quality, name) for name in Quality.__slots__ if name != "verdicts"},
        verdicts=tuple(_verdicts(quality, copied)),
    )


def _coverage(table: Table) -> Coverage:
    recorded = ~np.isnan(table.column("valid_error"))
    failed = np.zeros(recorded.shape[:2], bool) if table.failed is None else table.failed == 1
    begun = recorded.any(axis=2) & ~failed
    data = table.data()
    devices: Counter[str] = Counter()
    versions: Counter[str] = Counter()
    if data.provenance is not None:
        rows = [json.loads(text) for text in data.provenance.rows]
        places, counts = np.unique(data.provenance.of[data.provenance.of >= 0], return_counts=True)
        for place, count in zip(places.tolist(), counts.tolist(), strict=True):
            devices[str(rows[place].get("device", "not stated"))] += count
            versions[str(rows[place].get("torch", "not stated"))] += count
    gone = np.flatnonzero(failed.any(axis=1))[:_SHOWN]
    return Coverage(
        architectures=len(table),
        space_size=table.most_rows,
        classes=len(np.unique(table.space.canonical(table.codes), axis=0)),
        trainings=int(recorded[:, :, -1].sum()),
        failed=int(failed.sum()),
        failed_architectures=tuple(table.space.format(tuple(table.codes[row].tolist())) for row in gone),
        recorded=_rows(recorded.sum(axis=0)),
        missing=_rows((begun[:, :, None] & ~recorded).sum(axis=0)),
        devices=dict(sorted(devices.items())),
        versions=dict(sorted(versions.items())),
    )


def _rows(counts: npt.NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row) for row in counts.tolist())


def _falling(seconds: npt.NDArray[np.float32]) -> int:
    """Count trainings whose recorded seconds fall anywhere along the epochs."""
    so_far = np.fmax.accumulate(seconds, axis=2)
    return int((seconds[:, :, 1:] < so_far[:, :, :-1]).any(axis=2).sum())


def _verdicts(quality: Quality, copied: list[str]) -> Iterator[Verdict]:
    yield from _about_coverage(quality)
    yield from _about_noise(quality)
    yield from _about_agreement(quality, copied)
    falling = quality.falling_seconds
    yield Verdict(
        "time",
        "bad" if falling else "good",
        f"The seconds of {falling:,} trainings fall along the epochs."
        if falling
        else "Seconds never fall along a training.",
    )
    if len(quality.coverage.devices) > 1:
        yield Verdict(
            "device",
            "mind",
            f"Trainings were made on {len(quality.coverage.devices)} kinds of device; their seconds are not "
            "seconds of one device.",
        )
    found = quality.outliers
    n_rows, n_trainings = len(found.architectures), len(found.trainings)
    if n_rows or n_trainings:
        yield Verdict(
            "outliers",
            "mind",
            f"{n_rows:,} of {found.compared:,} architectures lie more than 6 robust standard deviations from "
            f"their {found.against if found.against == 'neighbours' else 'like in parameters'}, "
            f"{n_trainings:,} trainings from their own repeats.",
        )
    else:
        yield Verdict("outliers", "good", "Nothing lies beyond 6 robust standard deviations.")


def _about_coverage(quality: Quality) -> Iterator[Verdict]:
    coverage = quality.coverage
    holes = sum(map(sum, coverage.missing))
    size = coverage.space_size
    of = "" if size is None else f" of the {size:,} in the space"
    whole = f"{coverage.architectures:,} architectures{of}, {coverage.trainings:,} full trainings"
    if holes:
        yield Verdict("coverage", "mind", f"{whole}; {holes:,} cells of begun trainings are missing.")
    else:
        yield Verdict("coverage", "good", f"{whole}; no begun training misses an epoch.")
    if coverage.failed:
        yield Verdict("failures", "mind", f"{coverage.failed:,} trainings failed; they cost their seconds.")


def _about_noise(quality: Quality) -> Iterator[Verdict]:
    low, spread_low, _, spread_high, high = quality.errors
    spread = f"Mean errors span {format_error(low)} to {format_error(high)} % (5th to 95th percentile "
    spread += f"{format_error(spread_low)} to {format_error(spread_high)} %)."
    yield Verdict("spread", "good" if high - low >= _SPREAD else "mind", spread)
    noises = quality.noise
    if noises.sd is None or noises.floor is None:
        yield Verdict("noise", "mind", "Nothing was trained twice: the noise is unknown.")
        return
    tops = [
        f"{'more than any' if r is None else f'{r:,}'} for rank {k}" for k, r in noises.replicates_for_top
    ]
    yield Verdict(
        "noise",
        "good",
        f"Repeats differ by {format_error(noises.sd)} points (standard deviation, {noises.architectures:,} "
        f"architectures). Among the best, two single trainings tell apart {format_error(noises.floor)}; "
        f"repeats of each needed to tell the best from another: {', '.join(tops) or 'unknown'}.",
    )
    ranks = quality.repeats.spearman if quality.repeats else None
    if ranks is not None and quality.repeats is not None:
        yield Verdict(
            "ranking",
            "good" if ranks >= _RANKED else "mind",
            f"Two trainings rank {quality.repeats.n:,} architectures with Spearman {ranks:.3f}.",
        )


def _about_agreement(quality: Quality, copied: list[str]) -> Iterator[Verdict]:
    for sentence in copied:
        yield Verdict("splits", "bad", sentence)
    splits = quality.splits
    if splits is None:
        yield Verdict(
            "splits", "mind", "No test error is recorded: incumbents are scored by validation error."
        )
    elif not copied:
        rank = splits.ranks.spearman
        yield Verdict(
            "splits",
            "good" if rank is not None and rank >= _RANKED else "mind",
            f"Validation and test rank with Spearman {'–' if rank is None else f'{rank:.3f}'}; test is "
            f"{format_error(abs(splits.bias))} points {'lower' if splits.bias < 0 else 'higher'} on "
            "average; choosing by validation costs "
            f"{format_error(splits.selected_test - splits.best_test)} points of test error.",
        )
    for shared in quality.one_shot:
        tau = shared.ranks.kendall
        yield Verdict(
            "one-shot",
            "mind",
            f"{shared.name} ranks {shared.ranks.n:,} architectures with Kendall tau "
            f"{'–' if tau is None else f'{tau:.3f}'} against their own errors; its best has "
            f"{format_error(shared.selected)} %, the table's best {format_error(shared.best)} %.",
        )
    same = quality.isomorphs
    if same is None:
        return
    if not same.classes:
        kept = f" ({same.copies:,} rows repeat another's training)" if same.copies else ""
        yield Verdict("isomorphs", "good", f"No network was trained separately as two architectures{kept}.")
    elif same.ratio is None or same.p is None:
        yield Verdict(
            "isomorphs",
            "mind",
            f"{same.members:,} equal cells, but no repeats to judge their differences by.",
        )
    else:
        agree = same.p >= _AGREE_P or same.ratio <= _AGREE_RATIO
        yield Verdict(
            "isomorphs",
            "good" if agree else "mind",
            f"{same.members:,} cells of {same.classes:,} classes were trained separately; between equal "
            f"cells the variance is {same.ratio:.2f} times what repeats explain (F test, p = {same.p:.2g}).",
        )
