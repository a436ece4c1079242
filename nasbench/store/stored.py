"""What a table file holds, as arrays: attributes, codes, curves and scalars; no look-up by architecture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import FormatError, NotMeasured, UnknownName
from nasbench.records import Codes
from nasbench.spaces import space_of
from nasbench.store.content import Entry, info_from
from nasbench.store.data import Curve, Provenance, Scalar, TableData


class StoredTable:
    """The content of one table as it lies in its file, mapped where it is large.

    Attributes:
        name: Name of the table.
        path: The file it lies in.
        info: Its attributes.
        space: Its space.
        codes: (n, L) architectures in lexicographic order.
        epochs: Training lengths recorded, increasing.
        replicates: Largest number of training repeats of one architecture.
    """

    def __init__(
        self, name: str, path: Path, attribute_by_name: dict[str, str], entry_by_path: dict[str, Entry]
    ) -> None:
        self.name = name
        self.path = path
        self.info = info_from(attribute_by_name)
        self.space = space_of(self.info.space, self.info.space_definition)
        self.codes: Codes = _array(entry_by_path["codes"])
        self.epochs = tuple(_array(entry_by_path["epochs"]).tolist())
        self._curves = {
            key.removeprefix("curves/"): _array(entry)
            for key, entry in entry_by_path.items()
            if key.startswith("curves/")
        }
        self._scalars = {
            key.removeprefix("scalars/"): entry
            for key, entry in entry_by_path.items()
            if key.startswith("scalars/")
        }
        self._failed = _array(entry_by_path["failed"]) if "failed" in entry_by_path else None
        self._provenance = entry_by_path.get("provenance/rows"), entry_by_path.get("provenance/of")
        shape = self._curves["valid_error"].shape
        self.replicates: int = shape[1]
        if (len(self.codes), len(self.epochs)) != (shape[0], shape[2]):
            raise FormatError(
                f"{path}: {name}/curves/valid_error: expected shape (n, r, e) (= ({len(self.codes)}, r, "
                f"{len(self.epochs)})), got {shape}. Write the table again with nasbench.store.writer."
            )

    def __len__(self) -> int:
        """Number of architectures."""
        return len(self.codes)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {len(self)} architectures, epochs {self.epochs})"

    @property
    def most_rows(self) -> int | None:
        """Rows that a table of the whole space would have; None where the space is unbounded.

        Where a row answers for its class and the space knows how many networks it holds, those; else codes.
        """
        networks: int | None = getattr(self.space, "networks", None)
        return networks if networks and self.info.rows_answer_for == "class" else self.space.size

    @property
    def content_hash(self) -> str:
        """SHA-256 of the content, as the file states it."""
        return self.info.content_hash

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the curves, sorted."""
        return tuple(sorted(self._curves))

    @property
    def scalars(self) -> tuple[str, ...]:
        """Names of the values an architecture has, sorted."""
        return tuple(sorted(self._scalars))

    def has(self, metric: str) -> bool:
        """Say whether the table has this curve."""
        return metric in self._curves

    def column(self, metric: str) -> Curve:
        """Return a whole curve, (n, replicates, epochs), as mapped; nan = not measured.

        Raises:
            NotMeasured: The table has no such curve.
        """
        if metric not in self._curves:
            raise NotMeasured(
                f"metric: table {self.name} holds {', '.join(self.metrics)}, got {metric!r}. Use one of "
                "these."
            )
        curve: Curve = self._curves[metric]
        return curve

    def scalar(self, name: str) -> npt.NDArray[np.generic]:
        """Return one value an architecture, (n,), in the unit that ``scalar_unit`` names.

        Raises:
            UnknownName: The table has no such scalar.
        """
        return self._scalar(name).array

    def scalar_unit(self, name: str) -> tuple[str, str]:
        """Return the unit of a scalar and the device it belongs to (or ``""``).

        Raises:
            UnknownName: The table has no such scalar.
        """
        attribute = self._scalar(name).attributes
        return attribute.get("unit", ""), attribute.get("device", "")

    def scalar_provenance(self, name: str) -> str:
        """Return how the values of a scalar came about, JSON; ``""`` where trainings of the table made them.

        Raises:
            UnknownName: The table has no such scalar.
        """
        return self._scalar(name).attributes.get("provenance", "")

    def _scalar(self, name: str) -> Entry:
        if name not in self._scalars:
            raise UnknownName.among(
                "scalar", name, self._scalars, hint=f"See: nasbench table info {self.path}"
            )
        return self._scalars[name]

    @property
    def records_validation(self) -> bool:
        """Whether there is any validation error; else the table can be read and not be searched."""
        splits = self.info.splits
        return not splits or "valid" in splits or not bool(np.isnan(self.column("valid_error")).all())

    @property
    def failed(self) -> npt.NDArray[np.int8] | None:
        """Which trainings failed, (n, replicates), 1 = failed; None where none did."""
        return self._failed

    @property
    def provenance(self) -> tuple[npt.NDArray[np.bytes_], npt.NDArray[np.int32]] | None:
        """How trainings came about, as mapped: JSON texts, and (n, replicates) which; -1 = none."""
        rows, of = self._provenance
        return None if rows is None or of is None else (_array(rows), _array(of))

    def data(self) -> TableData:
        """Return the whole content in memory, ready to be written again, merged or compared."""
        rows, of = self._provenance
        return TableData(
            self.name,
            self.info,
            self.codes,
            self.epochs,
            dict(self._curves),
            {
                name: Scalar(entry.array, *self.scalar_unit(name), self.scalar_provenance(name))
                for name, entry in self._scalars.items()
            },
            self.failed,
            None
            if rows is None or of is None
            else Provenance(tuple(text.decode("utf-8") for text in rows.array.tolist()), _array(of)),
        )


def _array(entry: Entry) -> Any:
    """Give the array of a dataset whose type was checked when the file was opened."""
    return entry.array
