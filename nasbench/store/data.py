"""A table in memory, before it is written or after it is read whole: arrays and attributes, no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import FormatError
from nasbench.store.info import TableInfo
from nasbench.store.schema import may_be_wide

Curve = npt.NDArray[np.floating[Any]]
"""(n, replicates, e) one metric, float32 or float64; nan = not measured."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value an architecture.

    Attributes:
        values: (n,) whole or real numbers; nan = not measured.
        unit: Unit in words, e.g. ``"seconds"``.
        device: The device the values belong to, or ``""``.
        provenance: How values that no training of the table made came about, JSON, or ``""``.
    """

    values: npt.NDArray[np.generic]
    unit: str
    device: str = ""
    provenance: str = ""


@dataclass(frozen=True, slots=True)
class Provenance:
    """How trainings came about.

    Attributes:
        rows: One JSON text each.
        of: (n, replicates) index into ``rows``; -1 = none.
    """

    rows: tuple[str, ...]
    of: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class TableData:
    """The whole content of one table.

    Attributes:
        name: Name of the table, as people type it.
        info: Its attributes.
        codes: (n, L) architectures, each once; the writer sorts them.
        epochs: (e,) training lengths, increasing.
        curves: (n, replicates, e) a metric; nan = not measured. ``valid_error`` and ``train_seconds`` must be
            there; unit and direction follow from the end of the name (``_error``, ``_loss``, ``_seconds``).
        scalars: One value an architecture, by name.
        failed: (n, replicates), 1 where a training diverged or crashed; None where none did.
        provenance: How each training came about, or None.
    """

    name: str
    info: TableInfo
    codes: npt.NDArray[np.int8]
    epochs: tuple[int, ...]
    curves: Mapping[str, Curve]
    scalars: Mapping[str, Scalar] = field(default_factory=dict)
    failed: npt.NDArray[np.int8] | None = None
    provenance: Provenance | None = None


def sorted_by_code(data: TableData) -> TableData:
    """Put the rows in lexicographic order of their codes and every array in its stored type.

    Raises:
        FormatError: An array's first axes do not fit the codes; the message names table and field.
    """
    codes = np.asarray(data.codes)
    if codes.ndim != 2 or not len(codes) or codes.dtype.kind not in "iu":
        raise FormatError(
            f"{data.name}/codes: expected whole numbers of shape (n, L) with n >= 1, got {codes.dtype} of "
            "shape "
            f"{codes.shape}."
        )
    if codes.min() < -128 or codes.max() > 127:
        raise FormatError(f"{data.name}/codes: expected values of int8, got {codes.min()} to {codes.max()}.")
    n, e = len(codes), len(data.epochs)
    valid = data.curves.get("valid_error")
    replicates = np.shape(valid)[1] if valid is not None and np.ndim(valid) == 3 else 0

    def shaped(
        field_name: str, array: npt.ArrayLike, shape: tuple[int, ...], symbols: str
    ) -> npt.NDArray[np.generic]:
        values = np.asarray(array)
        if values.shape != shape:
            raise FormatError(
                f"{data.name}/{field_name}: expected shape {symbols} (= {shape}), got {values.shape}."
            )
        return values

    by_code = np.lexsort(codes.T[::-1])
    in_order = np.array_equal(by_code, np.arange(n))
    order = slice(None) if in_order else by_code  # where nothing moves, nothing large is copied
    curve_shape = (n, replicates, e)
    return replace(
        data,
        codes=np.ascontiguousarray(codes[order], dtype="i1"),
        epochs=tuple(int(epoch) for epoch in data.epochs),
        curves={
            metric: _float(
                metric, shaped(f"curves/{metric}", array, curve_shape, "(n, replicates, epochs)")[order]
            )
            for metric, array in sorted(data.curves.items())
        },
        scalars={
            name: replace(
                scalar, values=_little(shaped(f"scalars/{name}", scalar.values, (n,), "(n,)")[order])
            )
            for name, scalar in sorted(data.scalars.items())
        },
        failed=None
        if data.failed is None
        else shaped("failed", data.failed, (n, replicates), "(n, replicates)")[order].astype("i1"),
        provenance=None
        if data.provenance is None
        else Provenance(
            tuple(data.provenance.rows),
            shaped("provenance/of", data.provenance.of, (n, replicates), "(n, replicates)")[order].astype(
                "<i4"
            ),
        ),
    )


def _float(metric: str, values: npt.NDArray[np.generic]) -> Curve:
    """Store errors as float32, and of the other curves those as float64 that come so."""
    wide = values.dtype == np.float64 and may_be_wide(metric)
    return np.ascontiguousarray(values, dtype="<f8" if wide else "<f4")


def _little(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
