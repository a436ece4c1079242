"""One architecture of NATS-Bench or NAS-Bench-201, from the record of the release to arrays.

A record maps a training length to a state of the authors' ``ArchResults``: one result for each pair of data
set and training seed, each with dictionaries by epoch (training) and by ``<split>@<epoch>`` (evaluation).
What the authors' dictionaries lack is nan here; values are the source's own, accuracies in percent.

Left out: training top-5 accuracies and network weights, which are None in these files.

Source: the files of Dong, Liu, Musial and Gabrys 2021 and of Dong and Yang 2020; nats_bench 1.8.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import FormatError
from nasbench.store.imports.pickle_numbers import Keys, Numbers, Places
from nasbench.store.info import canonical_json

Values = npt.NDArray[np.float64]

EPOCHS_OF_KEY = {"01": 1, "12": 12, "90": 90, "200": 200, "less": 12, "full": 200}
"""Training length of a record's key; ``less`` and ``full`` are NAS-Bench-201's words."""
DATA_SETS = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
SPLITS = ("x-valid", "x-test", "ori-test")
QUANTITIES = ("accuracy", "loss", "seconds")
_TRAINING = {"accuracy": "train_acc1es", "loss": "train_losses", "seconds": "train_times"}
_EVALUATION = {"accuracy": "eval_acc1es", "loss": "eval_losses", "seconds": "eval_times"}


@dataclass(frozen=True, slots=True)
class Trainings:
    """All repeats of one architecture on one data set with one training length.

    Attributes:
        seeds: Training seed of each repeat, in the order of the source.
        values: By ``<split>/<quantity>``, (repeats, epochs); nan = not in the source. Accuracy in percent,
            seconds of that epoch alone.
        accounts: One JSON text a repeat: seed, millions of parameters and multiply-accumulates, latencies,
            and the seconds of an epoch of each split where all epochs took the same.
    """

    seeds: tuple[int, ...]
    values: Mapping[str, Values]
    accounts: tuple[str, ...]


Record = dict[tuple[int, str], Trainings]
"""(training length, data set) -> trainings."""


def read_record(record: Any, *, index: int, where: str) -> tuple[str, Record]:
    """Turn the record of one architecture into arrays.

    Args:
        record: As unpickled.
        index: Its index in the release.
        where: File and index, for messages.

    Returns:
        The architecture in the authors' notation, and its trainings.

    Raises:
        FormatError: Not of the form that the release has; the message names the field.
    """
    if not isinstance(record, dict) or not record:
        raise FormatError(f"{where}: expected a dictionary by training length, got {record!r:.80}.")
    names = set()
    out: Record = {}
    for key, state in record.items():
        if key not in EPOCHS_OF_KEY:
            raise FormatError(
                f"{where}: expected the training lengths {_listed(EPOCHS_OF_KEY)}, got {key!r}."
            )
        epochs = EPOCHS_OF_KEY[key]
        place = f"{where}: {key!r}"
        if _field(state, "arch_index", int, place) != index:
            raise FormatError(f"{place}: arch_index: expected {index}, got {state['arch_index']!r}.")
        names.add(_field(state, "arch_str", str, place))
        results = _field(state, "all_results", dict, place)
        for data_set, seeds in _field(state, "dataset_seed", dict, place).items():
            if data_set not in DATA_SETS:
                raise FormatError(f"{place}: expected the data sets {_listed(DATA_SETS)}, got {data_set!r}.")
            if not seeds:
                continue
            missing = [seed for seed in seeds if (data_set, seed) not in results]
            if missing or len(set(seeds)) != len(seeds):
                raise FormatError(f"{place}: all_results: expected one for each seed of {data_set} {seeds}.")
            repeats = [results[data_set, seed] for seed in seeds]
            out[epochs, data_set] = _trainings(repeats, tuple(seeds), epochs, f"{place}: {data_set}")
    if len(names) != 1:
        raise FormatError(f"{where}: arch_str: expected one architecture, got {sorted(map(str, names))}.")
    return names.pop(), out


def _listed(names: Any) -> str:
    return ", ".join(map(repr, names))


def _field(state: Any, name: str, kind: type, where: str) -> Any:
    """Return a field of a dictionary, or say what was wanted there."""
    value = state.get(name) if isinstance(state, dict) else None
    if not isinstance(value, kind):
        raise FormatError(f"{where}: {name}: expected {kind.__name__}, got {value!r:.80}.")
    return value


def _trainings(results: list[Any], seeds: tuple[int, ...], epochs: int, where: str) -> Trainings:
    rows: list[dict[str, Values]] = []
    accounts = []
    for result, seed in zip(results, seeds, strict=True):
        place = f"{where}, seed {seed}"
        if _field(result, "epochs", int, place) != epochs:
            raise FormatError(f"{place}: epochs: expected {epochs}, got {result['epochs']!r}.")
        try:
            rows.append(_values(result, epochs, place))
            accounts.append(_account(result, seed, rows[-1]))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise FormatError(f"{place}: expected numbers by epoch, got none ({error!r}).") from error
    values: dict[str, Values] = {}
    by_quantity: dict[str, list[str]] = {quantity: [] for quantity in QUANTITIES}
    nothing = np.full(epochs, np.nan)
    for name in dict.fromkeys(name for row in rows for name in row):
        values[name] = np.array([row.get(name, nothing) for row in rows])
        by_quantity[name.rpartition("/")[2]].append(name)
    for quantity, names in by_quantity.items():
        if not _is_plausible(quantity, np.concatenate([values[name] for name in names])):
            for name in names:  # all at once; named one by one
                _check(name, quantity, values[name], where)
    return Trainings(seeds, values, tuple(accounts))


def _is_plausible(quantity: str, values: Values) -> bool:
    """Say whether all values are such as a measurement has, from the least and the largest; nan is none."""
    least, largest = float(np.fmin.reduce(values, axis=None)), float(np.fmax.reduce(values, axis=None))
    if math.isnan(least):  # nothing but nan
        return True
    if quantity == "accuracy":
        return least >= 0 and largest <= 100
    return largest < math.inf and least > (0 if quantity == "seconds" else -math.inf)


def _wrong(quantity: str, values: Values) -> tuple[npt.NDArray[np.bool_], str]:
    """Say where values are none that a measurement has, and what they should be."""
    if quantity == "accuracy":
        return (values < 0) | (values > 100), "percent in [0, 100]"
    if quantity == "seconds":
        return (values <= 0) | np.isinf(values), "seconds > 0"
    return np.isinf(values), "finite numbers"


def _check(name: str, quantity: str, values: Values, where: str) -> None:
    """Refuse values that no measurement has."""
    wrong, wanted = _wrong(quantity, values)
    if wrong.any():
        raise FormatError(f"{where}: {name}: expected {wanted}, got {values[wrong][0]}.")


def _values(result: Mapping[str, Any], epochs: int, where: str) -> dict[str, Values]:
    out: dict[str, Values] = {}
    for quantity, name in _TRAINING.items():
        by_epoch = result[name]
        if by_epoch is None:
            raise FormatError(f"{where}: {name}: expected {quantity} by epoch, got None.")
        out[f"train/{quantity}"] = _by_epoch(by_epoch, range(epochs), where=f"{where}: {name}")
    names = result["eval_names"]
    if unknown := sorted(set(names) - set(SPLITS)):
        raise FormatError(f"{where}: eval_names: expected {_listed(SPLITS)}, got {unknown[0]!r}.")
    for quantity, name in _EVALUATION.items():
        found = result[name]
        if type(found) is Numbers:
            for split, places, its_epochs in _layout(found.names, tuple(names), epochs, f"{where}: {name}"):
                values = found.array[places]
                if len(values) < epochs:
                    values = np.full(epochs, np.nan)
                    values[its_epochs] = found.array[places]
                out[f"{split}/{quantity}"] = values
            continue
        whole = {split: _whole(found, split, epochs) for split in names}
        by_split = _sparse(found, whole, epochs)
        taken = sum(
            epochs if whole[split] is not None else int(np.count_nonzero(~np.isnan(values)))
            for split, values in by_split.items()
        )
        out.update({f"{split}/{quantity}": values for split, values in by_split.items()})
        if taken != len(found):
            _account_for(found, names, epochs, f"{where}: {name}")
    return out


def _by_epoch(values: Mapping[int, float], epochs: range, *, where: str) -> Values:
    """Read a dictionary by epoch; epochs that it lacks are nan."""
    if type(values) is Numbers and _is_by_epoch(values.names, epochs):
        return values.array
    if len(values) == len(epochs) and list(values) == list(epochs):
        return np.fromiter(values.values(), dtype=np.float64, count=len(epochs))
    if unknown := [key for key in values if key not in epochs]:
        raise FormatError(f"{where}: expected epochs 0 to {epochs[-1]}, got {unknown[0]!r}.")
    return np.fromiter((values.get(epoch, np.nan) for epoch in epochs), np.float64, len(epochs))


def _is_by_epoch(names: Keys, epochs: range) -> bool:
    """Say whether keys are just the epochs, in their order; noted with the keys."""
    if epochs not in names.notes:
        names.notes[epochs] = list(names) == list(epochs)
    return bool(names.notes[epochs])


def _layout(
    names: Keys, splits: tuple[str, ...], epochs: int, where: str
) -> list[tuple[str, slice | Places, Places]]:
    """Find each split in the keys of an evaluation: where its values stand, and their epochs.

    Noted with the keys.

    Raises:
        FormatError: A key that is none of a split and an epoch.
    """
    if (splits, epochs) not in names.notes:
        place_of_key = {key: place for place, key in enumerate(names)}
        found = []
        for split in splits:
            keys = _keys(split, epochs)[0]
            there = [epoch for epoch, key in enumerate(keys) if key in place_of_key]
            places = [place_of_key[keys[epoch]] for epoch in there]
            found.append((split, _slice_or_places(places), np.array(there, dtype=np.int64)))
        if sum(len(there) for *_, there in found) != len(names):
            _account_for(names, splits, epochs, where)
        names.notes[splits, epochs] = found
    layout: list[tuple[str, slice | Places, Places]] = names.notes[splits, epochs]
    return layout


def _slice_or_places(places: list[int]) -> slice | Places:
    """Name places in the way in which numpy takes them fastest."""
    if places and places == list(range(places[0], places[0] + len(places))):
        return slice(places[0], places[-1] + 1)
    return np.array(places, dtype=np.int64)


def _whole(values: Mapping[str, float], split: str, epochs: int) -> Values | None:
    """Read what a dictionary by ``<split>@<epoch>`` holds of one split; None where an epoch is missing."""
    try:
        return np.fromiter(_keys(split, epochs)[1](values), dtype=np.float64, count=epochs)
    except KeyError:
        return None


def _sparse(
    values: Mapping[str, float], found: Mapping[str, Values | None], epochs: int
) -> dict[str, Values]:
    """Fill in the splits that lack epochs: most have the last one alone, which is tried first."""
    out = {split: whole for split, whole in found.items() if whole is not None}
    missing = [split for split in found if split not in out]
    last = {split: values[key] for split in missing if (key := f"{split}@{epochs - 1}") in values}
    rest = len(values) - epochs * len(out)
    for split in missing:
        if len(last) == len(missing) == rest:
            out[split] = np.full(epochs, np.nan)
            out[split][-1] = last[split]
        else:
            numbers = [values.get(key, np.nan) for key in _keys(split, epochs)[0]]
            out[split] = np.fromiter(numbers, dtype=np.float64, count=epochs)
    return {split: out[split] for split in found}


@functools.cache
def _keys(split: str, epochs: int) -> tuple[list[str], Callable[[Mapping[str, float]], Any]]:
    keys = [f"{split}@{epoch}" for epoch in range(epochs)]
    if epochs == 1:  # an itemgetter of one key gives no tuple
        return keys, lambda values: (values[keys[0]],)
    return keys, operator.itemgetter(*keys)


def _account_for(values: Iterable[str], names: Iterable[str], epochs: int, where: str) -> None:
    """Say which key of an evaluation is none of a split and an epoch; one whose value is nan is."""
    known = {key for split in names for key in _keys(split, epochs)[0]}
    for key in values:
        if key not in known:
            raise FormatError(
                f"{where}: expected <split>@<epoch> of {_listed(names)} and epochs 0 to {epochs - 1}, "
                f"got {key!r}."
            )


def _account(result: Mapping[str, Any], seed: int, values: Mapping[str, Values]) -> str:
    latency = result["latency"]
    each = {
        name.removesuffix("/seconds"): float(seconds[0])
        for name, seconds in values.items()
        if name.endswith("/seconds") and _is_constant(seconds)
    }
    return canonical_json(
        {
            "each_epoch_seconds": each,
            "flop_millions": float(result["flop"]),
            "latency_seconds": None if latency is None else [float(value) for value in latency],
            "parameters_millions": float(result["params"]),
            "seed": int(seed),
        }
    )


def _is_constant(values: Values) -> bool:
    """Say whether all values are the first, to the bit; nan is no value."""
    first = values[:1]
    return bool(first[0] == first[0]) and first.tobytes() * len(values) == values.tobytes()
