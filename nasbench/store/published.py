"""What papers report: the rows of ``data/published.csv``, never measured here and always labelled."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from pathlib import Path

from nasbench.errors import FormatError
from nasbench.store.bundled import find_data_file

FILE = "published.csv"


@dataclass(frozen=True, slots=True)
class PublishedResult:
    """One row as the field prints it.

    Attributes:
        method: Name of the method.
        error_percent: Test error in percent, or None.
        error_std_percent: Its standard deviation over repeats, or None where none is printed.
        gpu_days: Cost of the search as printed, or None where there was no search.
        parameters_millions: Parameters of the network found, or None.
        reference: ``Lastname Year``.
        note: What a reader must know before comparing.
        dataset: Data set of the error.
    """

    method: str
    error_percent: float | None
    error_std_percent: float | None
    gpu_days: float | None
    parameters_millions: float | None
    reference: str
    note: str
    dataset: str


_NUMBERS = ("error_percent", "error_std_percent", "gpu_days", "parameters_millions")


def read_published(path: str | Path | None = None) -> list[PublishedResult]:
    """Read the published results in the order of the file.

    Args:
        path: A file of the same columns; None = the one that comes with the program.

    Raises:
        MissingExtra: The program's own file is not installed.
        FormatError: Other columns, or a number that is none; the message names file and line.
    """
    file = find_data_file(FILE) if path is None else Path(path)
    names = [part.name for part in fields(PublishedResult)]
    with file.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        if reader.fieldnames is None or sorted(reader.fieldnames) != sorted(names):
            raise FormatError(f"{file}: expected the columns {', '.join(names)}, got {reader.fieldnames}.")
        return [_row(file, number, row) for number, row in enumerate(reader, start=2)]


def _row(file: Path, line: int, row: dict[str, str]) -> PublishedResult:
    values: dict[str, float | None] = {}
    for name in _NUMBERS:
        try:
            values[name] = float(row[name]) if row[name] else None
        except ValueError:
            raise FormatError(
                f"{file}: line {line}, {name}: expected a number or nothing, got {row[name]!r}."
            ) from None
    return PublishedResult(
        method=row["method"], **values, reference=row["reference"], note=row["note"], dataset=row["dataset"]
    )
