"""Single trainings as rows come in, and a table made of them: what write-through adds to a file.

A table keeps the repeats of an architecture in the first places (``docs/table-schema.md``), while a search
meets training seeds in any order and at any length. So the longest trainings stand first, equal ones in order
of seed, and where a training's place is not its seed, its provenance row says the seed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nasbench.errors import FormatError
from nasbench.records import Code
from nasbench.store.data import Provenance, Scalar, TableData
from nasbench.store.info import TableInfo, canonical_json

SECONDS = "train_seconds"
_ERROR = "valid_error"
_UNITS = {"parameters": "parameters", "macs": "multiply-accumulates", "latency_seconds": "seconds"}


@dataclass(frozen=True, slots=True)
class RecordedTraining:
    """One training with its curves.

    Attributes:
        code: The architecture.
        seed: Training seed.
        status: ``"ok"`` or ``"failed"``; one that was stopped early is ``"ok"`` and short.
        reason: Why it failed, for people.
        curves: A value for each epoch that was completed, from the first on, by metric; ``train_seconds``
            among them. nan = not measured.
        total_seconds: Seconds of training in all, those of a failed epoch included.
        scalars: What is known of the network besides, e.g. ``parameters``.
        provenance: Device, versions, code hash: anything JSON can hold.
    """

    code: Code
    seed: int
    status: Literal["ok", "failed"]
    reason: str
    curves: Mapping[str, tuple[float, ...]]
    total_seconds: float
    scalars: Mapping[str, float]
    provenance: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return plain data; nan becomes null."""
        return {
            "code": list(self.code),
            "seed": self.seed,
            "status": self.status,
            "reason": self.reason,
            "curves": {
                name: [None if math.isnan(v) else v for v in values] for name, values in self.curves.items()
            },
            "total_seconds": self.total_seconds,
            "scalars": dict(self.scalars),
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RecordedTraining:
        """Read what ``as_json`` returned.

        Raises:
            FormatError: A field is missing or of the wrong type; the message names it.
        """
        try:
            return cls(
                code=tuple(int(v) for v in data["code"]),
                seed=int(data["seed"]),
                status="failed" if data["status"] == "failed" else "ok",
                reason=str(data["reason"]),
                curves={
                    str(name): tuple(math.nan if v is None else float(v) for v in values)
                    for name, values in data["curves"].items()
                },
                total_seconds=float(data["total_seconds"]),
                scalars={str(name): float(value) for name, value in data["scalars"].items()},
                provenance=dict(data["provenance"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FormatError(
                f"training: expected the fields of a recorded training, got {error!r}."
            ) from error


@dataclass(frozen=True, slots=True)
class _Kept:
    """A training on the grid of a table's epochs."""

    curves: dict[str, npt.NDArray[np.float32]]  # (e,) each
    failed: bool
    length: int  # recorded epochs; a failed training has answered for all of them
    provenance: dict[str, Any]


def training_seeds(data: TableData) -> npt.NDArray[np.int64]:
    """Tell the training seed of every place of a table, (n, replicates).

    The seed is the place, from 0, unless the training's provenance row names another ``seed``.
    """
    n, replicates = data.curves[_ERROR].shape[:2]
    seeds = np.tile(np.arange(replicates, dtype=np.int64), (n, 1))
    if data.provenance is not None and data.provenance.rows:
        named = np.array([_named_seed(text) for text in data.provenance.rows], dtype=np.int64)
        of = data.provenance.of
        found = np.where(of >= 0, named[of.clip(min=0)], -1)
        seeds = np.where(found >= 0, found, seeds)
    return seeds


def _named_seed(text: str) -> int:
    try:
        seed = json.loads(text).get("seed", -1)
    except (ValueError, AttributeError):
        return -1
    return seed if type(seed) is int else -1


def with_trainings(
    base: TableData | None,
    trainings: Iterable[RecordedTraining],
    *,
    name: str = "",
    info: TableInfo | None = None,
    epochs: Sequence[int] = (),
) -> TableData:
    """Add trainings to a table, or make a table of them.

    Of two trainings of one (architecture, seed) the longer one stays; of equal ones the first, the table's
    own before any new one.

    Args:
        base: The table so far, or None.
        trainings: What comes in.
        name: Name of a new table.
        info: Attributes of a new table.
        epochs: Training lengths of a new table.

    Raises:
        FormatError: There is neither a table nor a training, or a new table is not described.
    """
    if base is not None:
        name, info, epochs = base.name, base.info, base.epochs
    if info is None or not name or not epochs:
        raise FormatError("info: expected name, attributes and epochs of a new table, got none. Give them.")
    kept: dict[Code, dict[int, _Kept]] = {} if base is None else _taken_apart(base)
    scalars: dict[Code, dict[str, float]] = {}
    for training in trainings:
        new = _on_grid(training, epochs)
        by_seed = kept.setdefault(training.code, {})
        old = by_seed.get(training.seed)
        if new.length and (old is None or new.length > old.length):
            by_seed[training.seed] = new
        known = scalars.setdefault(training.code, {})
        known.update({key: value for key, value in training.scalars.items() if key not in known})
    kept = {code: by_seed for code, by_seed in kept.items() if by_seed}
    if not kept:
        raise FormatError("trainings: expected at least one that finished an epoch of the table, got none.")
    return _put_together(base, kept, scalars, name=name, info=info, epochs=tuple(epochs))


def _on_grid(training: RecordedTraining, epochs: Sequence[int]) -> _Kept:
    """Take a training's values at a table's epochs; a failed one has its seconds at every length."""
    failed = training.status == "failed"
    curves = {}
    for metric, values in training.curves.items():
        last = training.total_seconds if failed and metric == SECONDS else math.nan
        on_grid = [values[epoch - 1] if epoch <= len(values) else last for epoch in epochs]
        curves[metric] = np.array(on_grid, dtype=np.float32)
    if failed:
        return _Kept(curves, failed, len(epochs) + 1, {**training.provenance, "failure": training.reason})
    unmeasured = np.isnan(curves[_ERROR])
    for column in curves.values():
        column[unmeasured] = np.nan
    return _Kept(curves, failed, int((~unmeasured).sum()), dict(training.provenance))


def _taken_apart(base: TableData) -> dict[Code, dict[int, _Kept]]:
    """List the trainings of a table by architecture and seed."""
    seeds = training_seeds(base).tolist()
    recorded = (~np.isnan(base.curves[_ERROR])).sum(axis=2)
    failed = np.zeros_like(recorded) if base.failed is None else base.failed
    rows = [] if base.provenance is None else [json.loads(text) for text in base.provenance.rows]
    of = np.full_like(recorded, -1) if base.provenance is None else base.provenance.of
    out: dict[Code, dict[int, _Kept]] = {}
    for row, code in enumerate(base.codes.tolist()):
        by_seed = out.setdefault(tuple(code), {})
        for place in range(recorded.shape[1]):
            if recorded[row, place] or failed[row, place]:
                by_seed[seeds[row][place]] = _Kept(
                    {metric: array[row, place] for metric, array in base.curves.items()},
                    bool(failed[row, place]),
                    len(base.epochs) + 1 if failed[row, place] else int(recorded[row, place]),
                    dict(rows[of[row, place]]) if of[row, place] >= 0 else {},
                )
    return out


def _put_together(
    base: TableData | None,
    kept: Mapping[Code, Mapping[int, _Kept]],
    scalars: Mapping[Code, Mapping[str, float]],
    *,
    name: str,
    info: TableInfo,
    epochs: tuple[int, ...],
) -> TableData:
    codes = sorted(kept)
    replicates = max(len(by_seed) for by_seed in kept.values())
    if base is not None:
        replicates = max(replicates, base.curves[_ERROR].shape[1])
    metrics = {m for by_seed in kept.values() for one in by_seed.values() for m in one.curves}
    shape = (len(codes), replicates)
    curves = {m: np.full((*shape, len(epochs)), np.nan, dtype=np.float32) for m in sorted(metrics)}
    failed = np.zeros(shape, dtype=np.int8)
    of = np.full(shape, -1, dtype=np.int32)
    rows: dict[str, int] = {}
    for row, code in enumerate(codes):
        order = sorted(kept[code].items(), key=lambda item: (-item[1].length, item[0]))
        for place, (seed, one) in enumerate(order):
            for metric, values in one.curves.items():
                curves[metric][row, place] = values
            failed[row, place] = one.failed
            about = dict(one.provenance)
            if seed != place or "seed" in about:
                about["seed"] = seed
            if about:
                of[row, place] = rows.setdefault(canonical_json(about), len(rows))
    return TableData(
        name,
        replace(info, content_hash="", created_by=""),
        np.array(codes, dtype=np.int8),
        epochs,
        curves,
        _scalars(base, codes, scalars),
        failed if failed.any() else None,
        Provenance(tuple(rows), of) if rows else None,
    )


def _scalars(
    base: TableData | None, codes: list[Code], new: Mapping[Code, Mapping[str, float]]
) -> dict[str, Scalar]:
    """Join a table's scalars with those of new trainings; what is not known of a row is nan."""
    old = {} if base is None else {tuple(code): row for row, code in enumerate(base.codes.tolist())}
    stored = {} if base is None else base.scalars
    from_row = np.array([old.get(code, -1) for code in codes])
    out: dict[str, Scalar] = {}
    for name in sorted({*stored, *(key for known in new.values() for key in known)}):
        values = np.array([new.get(code, {}).get(name, math.nan) for code in codes])
        scalar = stored.get(name, Scalar(values, _UNITS.get(name, name)))
        if name in stored:
            before = np.asarray(scalar.values, dtype=np.float64)[from_row.clip(min=0)]
            values = np.where((from_row >= 0) & ~np.isnan(before), before, values)
        is_whole = not np.isnan(values).any() and bool((values == np.floor(values)).all())
        out[name] = replace(scalar, values=values.astype(np.int64) if is_whole else values)
    return out
