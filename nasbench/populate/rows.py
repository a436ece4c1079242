"""Between outcomes and the arrays of a table, both ways."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.populate.job import Outcome
from nasbench.records import Code
from nasbench.spaces import Space
from nasbench.store.data import Provenance, Scalar, TableData
from nasbench.store.info import TableInfo, canonical_json
from nasbench.store.merge import ROW_UNIT
from nasbench.store.trainings import training_seeds

TRAINED_ROW = "trained_row"
"""Scalar of a table whose equal networks were trained once: the row whose training each row repeats."""

_UNITS = {"parameters": "parameters", "macs": "multiply-accumulates", "latency_seconds": "seconds"}
_REASON = "failure"


def table_data(
    outcomes: Iterable[Outcome], *, name: str, info: TableInfo, expand: Space | None = None
) -> TableData:
    """Arrange trainings as a table.

    A table keeps the repeats of an architecture in the first places, so full trainings (failed ones answer
    for every length) stand first, in the order of their seeds, and shorter ones after them. Where all
    repeats are trained, the place is the seed; the provenance names the seed in any case.

    Args:
        outcomes: Trainings, each task once.
        name: Name of the table.
        info: Its attributes.
        expand: Give the results of each architecture to all codes of its class in this space, too.

    Raises:
        BadOption: There is no training.
    """
    by_code: dict[Code, list[Outcome]] = {}
    for outcome in outcomes:
        by_code.setdefault(outcome.code, []).append(outcome)
    if not by_code:
        raise BadOption(
            "table: expected at least one finished training, got none. There is nothing to write."
        )
    longest = max(1, *(outcome.epochs for rows in by_code.values() for outcome in rows))
    kept = {code: sorted(by_code[code], key=lambda o: _place(o, longest)) for code in sorted(by_code)}
    codes = list(kept)
    replicates = max(map(len, kept.values()))
    metrics = sorted(
        {"valid_error", "train_seconds"}.union(*(o.curves for rows in kept.values() for o in rows))
    )
    names = sorted(set().union(*(o.scalars for rows in kept.values() for o in rows)))
    curves = {m: np.full((len(codes), replicates, longest), np.nan, np.float32) for m in metrics}
    scalars = {n: np.full(len(codes), np.nan) for n in names}
    failed = np.zeros((len(codes), replicates), np.int8)
    texts = {o.task: _provenance_text(o) for rows in kept.values() for o in rows}
    row_texts = sorted(set(texts.values()))
    number_of = {text: number for number, text in enumerate(row_texts)}
    of = np.full((len(codes), replicates), -1, np.int32)
    for row, code in enumerate(codes):
        for number, outcome in enumerate(kept[code]):
            place = row, number
            for metric, values in outcome.curves.items():
                curves[metric][*place, : len(values)] = values
            if outcome.status == "failed":
                failed[place] = 1
                curves["train_seconds"][*place, outcome.epochs :] = outcome.seconds
            of[place] = number_of[texts[outcome.task]]
            for scalar, value in outcome.scalars.items():
                scalars[scalar][row] = value
    data = TableData(
        name=name,
        info=info,
        codes=np.array(codes, np.int8),
        epochs=tuple(range(1, longest + 1)),
        curves=curves,
        scalars={n: Scalar(_whole(values), _UNITS.get(n, n)) for n, values in scalars.items()},
        failed=failed if failed.any() else None,
        provenance=Provenance(tuple(row_texts), of),
    )
    return data if expand is None else expanded(data, expand)


def expanded(data: TableData, space: Space) -> TableData:
    """Give every architecture's results to all codes of its class; say in a scalar which row was trained.

    Where a class holds several trained codes, each keeps its own results and the others take the first's.
    """
    everything = np.concatenate(list(space.enumerate()))
    canonical = space.rank(space.canonical(everything))
    own_rank = space.rank(data.codes)
    trained_of_class: dict[int, int] = {}
    own = space.rank(space.canonical(data.codes))
    for row, key in enumerate(own.tolist()):
        trained_of_class.setdefault(key, row)
    row_of_rank = dict(zip(own_rank.tolist(), range(len(data.codes)), strict=True))
    chosen = np.flatnonzero(np.isin(canonical, own))
    ranks = space.rank(everything[chosen]).tolist()
    source = np.array(
        [
            row_of_rank.get(rank, trained_of_class[key])
            for rank, key in zip(ranks, canonical[chosen].tolist(), strict=True)
        ]
    )
    codes = everything[chosen].astype(np.int8)
    place_of_rank = {rank: place for place, rank in enumerate(ranks)}
    trained = np.array([place_of_rank[rank] for rank in own_rank.tolist()])[source]
    return replace(
        data,
        codes=codes,
        curves={metric: array[source] for metric, array in data.curves.items()},
        scalars={
            **{name: replace(scalar, values=scalar.values[source]) for name, scalar in data.scalars.items()},
            TRAINED_ROW: Scalar(trained.astype(np.int32), ROW_UNIT),
        },
        failed=None if data.failed is None else data.failed[source],
        provenance=None
        if data.provenance is None
        else Provenance(data.provenance.rows, data.provenance.of[source]),
    )


def with_columns_of(data: TableData, stored: TableData) -> TableData:
    """Add the scalars that no training made from an earlier state of a table; nan for its new rows."""
    kept = {name: scalar for name, scalar in stored.scalars.items() if scalar.provenance}
    row_of = {tuple(code): row for row, code in enumerate(stored.codes.tolist())}
    rows = np.array([row_of.get(tuple(code), -1) for code in data.codes.tolist()])
    columns = {
        name: replace(scalar, values=np.where(rows < 0, np.nan, scalar.values[rows]))
        for name, scalar in kept.items()
    }
    return replace(data, scalars={**data.scalars, **columns})


def outcomes_of(data: TableData) -> Iterator[Outcome]:
    """Read trainings back from a table; rows that repeat another row's training are skipped.

    The seed of a training is its replicate.
    """
    seeds = training_seeds(data)
    rows = [json.loads(text) for text in data.provenance.rows] if data.provenance else []
    epochs = len(data.epochs)
    recorded = ~np.isnan(data.curves["valid_error"])
    last = np.where(recorded.any(axis=2), epochs - recorded[:, :, ::-1].argmax(axis=2), 0)
    trained = data.scalars.get(TRAINED_ROW)
    for row, code in enumerate(data.codes.tolist()):
        if trained is not None and int(trained.values[row]) != row:
            continue
        scalars = {
            name: _plain(scalar.values[row])
            for name, scalar in data.scalars.items()
            if name != TRAINED_ROW and not scalar.provenance and not np.isnan(scalar.values[row])
        }
        for place in range(recorded.shape[1]):
            has_failed = data.failed is not None and data.failed[row, place] == 1
            length = int(last[row, place])
            if not length and not has_failed:
                continue
            number = -1 if data.provenance is None else int(data.provenance.of[row, place])
            origin: dict[str, Any] = dict(rows[number]) if number >= 0 else {}
            seconds = data.curves["train_seconds"][row, place]
            yield Outcome(
                code=tuple(code),
                replicate=int(seeds[row, place]),
                status="failed" if has_failed else "ok",
                reason=str(origin.pop(_REASON, "")),
                seconds=float(seconds[-1] if has_failed else seconds[length - 1]),
                curves={
                    metric: tuple(array[row, place, :length].tolist())
                    for metric, array in data.curves.items()
                    if length and not np.isnan(array[row, place, :length]).all()
                },
                scalars=scalars,
                provenance=origin,
            )


def _place(outcome: Outcome, longest: int) -> tuple[int, int]:
    """Give the sort key of a training among the repeats of its architecture."""
    return -(longest if outcome.status == "failed" else outcome.epochs), outcome.replicate


def _provenance_text(outcome: Outcome) -> str:
    reason = {_REASON: outcome.reason} if outcome.status == "failed" else {}
    return canonical_json({**outcome.provenance, "seed": outcome.replicate, **reason})


def _whole(values: npt.NDArray[np.float64]) -> npt.NDArray[np.generic]:
    """Give whole numbers their own type where none is missing."""
    if not np.isnan(values).any() and (values == np.round(values)).all():
        return values.astype(np.int64 if np.abs(values).max(initial=0) > np.iinfo(np.int32).max else np.int32)
    return values


def _plain(value: Any) -> float:
    """Turn a numpy number into a Python one."""
    number: float = value.item()
    return number
