"""NAS-Bench-Graph as its package ``nas-bench-graph`` carries it: nine data sets of graphs.

Each file ``light/NAME.bench`` is a pickle that maps a number of five digits (the tree of links, then the
four operations) to ``valid_perf``, ``perf`` (on the test split), ``latency`` and ``para`` (millions of
parameters). There are no learning curves and no training time in it. The package's code is never imported.

Source: the files and the README of nas-bench-graph 1.4.0; Qin et al. 2022.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasbench.errors import FormatError, MissingExtra, NotInSpace, UnknownName
from nasbench.spaces import get_space
from nasbench.spaces.nas_bench_graph import OPERATIONS, OPERATIONS_OF_PROTEINS, code_of_key
from nasbench.store.data import Scalar, TableData
from nasbench.store.imports.kept_tables import KeptTables
from nasbench.store.imports.restricted import numpy_scalars, restricted_load
from nasbench.store.info import TableInfo
from nasbench.store.writer import checked_table

PACKAGE = "nas-bench-graph"
_FIELDS = ("latency", "para", "perf", "valid_perf")
_EPOCHS = 1  # the whole training: its length is not in the package
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class _DataSet:
    title: str
    space: str = "nas-bench-graph"
    operations: tuple[str, ...] = OPERATIONS


DATA_SETS: Mapping[str, _DataSet] = {
    "arxiv": _DataSet("ogbn-arxiv"),
    "citeseer": _DataSet("Citeseer"),
    "computers": _DataSet("Amazon Computers"),
    "cora": _DataSet("Cora"),
    "cs": _DataSet("Coauthor CS"),
    "photo": _DataSet("Amazon Photo"),
    "physics": _DataSet("Coauthor Physics"),
    "proteins": _DataSet("ogbn-proteins", "nas-bench-graph-proteins", OPERATIONS_OF_PROTEINS),
    "pubmed": _DataSet("Pubmed"),
}
"""Name of a file -> what it is of."""

_NOTES = (
    "One value an architecture; the README says that each was trained with three seeds, and the package does "
    "not have their results apart, so no noise between repeats is in this table. valid_error and test_error "
    "are 1 minus what the package calls performance; which measure that is on this data set it does not say. "
    "epochs: 1 stands for the whole training, whose length is not in the package. No training time is in it: "
    "train_seconds counts epochs. parameters: a mean over repeats where it is no whole number."
)

Progress = Callable[[int, int, str], None]


def package_folder() -> tuple[Path, str]:
    """Find the data files of the installed package, without importing it.

    Returns:
        The folder of the ``.bench`` files and the version of the package.

    Raises:
        MissingExtra: The package is not installed, or has no such files.
    """
    try:
        found = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        raise MissingExtra(
            f"Importing NAS-Bench-Graph needs the files of {PACKAGE}. Install them with: "
            f"pip install --no-deps {PACKAGE}"
        ) from None
    for file in found.files or ():
        if file.name.endswith(".bench"):
            return Path(str(found.locate_file(file))).parent, found.version
    raise MissingExtra(
        f"path: expected .bench files in the package {PACKAGE} {found.version}, got none. Install it again: "
        f"pip install --no-deps --force-reinstall {PACKAGE}"
    )


def read_nas_bench_graph(
    path: Path | None = None,
    names: Sequence[str] = (),
    *,
    kept: KeptTables | None = None,
    progress: Progress | None = None,
) -> list[TableData]:
    """Read data sets.

    Args:
        path: Folder of ``.bench`` files; None = that of the installed package.
        names: Data sets, e.g. ``"cora"``; none = all that are there.
        kept: Keeps each table through a kill, and gives back those that an earlier start read of the same
            files; whoever has written the tables removes them. None = nothing is kept.
        progress: Told (data sets read, data sets, name).

    Returns:
        One table a data set, named ``nas-bench-graph-NAME``, sorted and checked.

    Raises:
        UnknownName: No such data set.
        MissingExtra: Neither path nor package, or a file is not there.
        FormatError: A file is not what it should be; the message names file, key and field.
    """
    folder, version = package_folder() if path is None else (path, "")
    for name in names:
        if name not in DATA_SETS:
            raise UnknownName.among("data set", name, DATA_SETS)
    chosen = list(names) or [name for name in DATA_SETS if (folder / f"{name}.bench").is_file()]
    if not chosen:
        raise MissingExtra(
            f"path: expected files such as cora.bench in {str(folder)!r}, got none. They are in the folder "
            f"nas_bench_graph/light of the package {PACKAGE}."
        )
    tables = []
    for number, name in enumerate(chosen):
        if progress is not None:
            progress(number, len(chosen), name)
        source = folder / f"{name}.bench"
        content = _content(source)
        info = _info(DATA_SETS[name], source, hashlib.sha256(content).hexdigest(), version)
        table = kept.take(_name(name), info) if kept else None
        if table is None:
            table = _table(source, name, content, info)
            if kept:
                kept.put(table)
        tables.append(table)
    return tables


def _name(data_set: str) -> str:
    return f"nas-bench-graph-{data_set}"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise MissingExtra(
            f"path: expected {path.name} in {str(path.parent)!r}, got none. Install it with: pip install "
            f"--no-deps {PACKAGE}"
        ) from None


def _table(path: Path, name: str, content: bytes, info: TableInfo) -> TableData:
    data_set = DATA_SETS[name]
    records = restricted_load(io.BytesIO(content), where=str(path), allowed=numpy_scalars())
    if not isinstance(records, dict) or not records:
        raise FormatError(f"{path}: expected a dict of architectures, got {type(records).__name__}.")
    codes = np.array([_code(path, key, data_set) for key in records], dtype=np.int8)
    _require_canonical(path, list(records), codes, data_set)
    values = np.array([_values(path, key, record) for key, record in records.items()])  # (n, fields)
    of = {field: values[:, i] for i, field in enumerate(_FIELDS)}
    n = len(codes)
    table = TableData(
        name=_name(name),
        info=info,
        codes=codes,
        epochs=(_EPOCHS,),
        curves={
            "valid_error": (1.0 - of["valid_perf"]).reshape(n, 1, 1).astype(np.float32),
            "test_error": (1.0 - of["perf"]).reshape(n, 1, 1).astype(np.float32),
            "train_seconds": np.full((n, 1, 1), _EPOCHS, dtype=np.float32),
        },
        scalars={
            "latency": Scalar(of["latency"], "not stated by the source; by their size, seconds"),
            "parameters": Scalar(_whole(of["para"] * _MILLION), "parameters"),
        },
    )
    return checked_table(table)


def _code(path: Path, key: object, data_set: _DataSet) -> tuple[int, ...]:
    if type(key) is not int or key < 0:
        raise FormatError(f"{path}: expected numbers of five digits as keys, got {key!r}.")
    try:
        return code_of_key(key, data_set.operations)
    except NotInSpace as error:
        raise FormatError(f"{path}: {error} Is this the file of {data_set.title}?") from None


def _require_canonical(path: Path, keys: list[int], codes: np.ndarray[Any, Any], data_set: _DataSet) -> None:
    """Refuse a key that is no architecture, or under which no architecture is looked up."""
    space = get_space(data_set.space)
    inside = space.contains(codes)
    wrong = ~inside
    wrong[inside] = (space.canonical(codes[inside]) != codes[inside]).any(axis=1)
    if wrong.any():
        raise FormatError(
            f"{path}: expected the canonical key of each architecture of {space.name}, got "
            f"{keys[int(np.argmax(wrong))]:05d}."
        )


def _values(path: Path, key: int, record: object) -> list[float]:
    if not isinstance(record, dict) or set(record) != set(_FIELDS):
        got = ", ".join(map(str, record)) if isinstance(record, dict) else type(record).__name__
        raise FormatError(
            f"{path}: {key:05d}: expected {', '.join(_FIELDS)}, got {got:.80}. Only the files of the package "
            "are read, not the larger ones with the results of every epoch."
        )
    values = []
    for field in _FIELDS:
        value = record[field]
        most = 1.0 if field.endswith("perf") else math.inf
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= most:
            wanted = "a fraction in [0, 1]" if most == 1.0 else "a number >= 0"
            raise FormatError(f"{path}: {key:05d}/{field}: expected {wanted}, got {value!r}.")
        values.append(float(value))
    return values


def _whole(values: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, Any]:
    rounded = np.round(values)
    return rounded.astype(np.int64) if (np.abs(values - rounded) < 1e-3).all() else values


def _info(data_set: _DataSet, path: Path, sha256: str, version: str) -> TableInfo:
    return TableInfo(
        space=data_set.space,
        dataset=data_set.title,
        splits={"valid": "the package's valid_perf", "test": "the package's perf"},
        recipe={"note": "tuned by the authors for each data set; not in the package"},
        reference_device="none: the source recorded no training time",
        device_kind="none",
        licence="Apache-2.0 (nas-bench-graph)",
        source=f"NAS-Bench-Graph, {path.name} of the package nas-bench-graph {version}".rstrip(),
        source_url="https://pypi.org/project/nas-bench-graph/",
        citation=(
            "Qin, Zhang, Wang, Zhang and Zhu, NAS-Bench-Graph: Benchmarking Graph Neural Architecture "
            "Search, NeurIPS 2022"
        ),
        notes=f"{_NOTES} SHA-256 of the file: {sha256}.",
        rows_answer_for="class",
    )
