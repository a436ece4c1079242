"""Opening table files: what kind of file it is, which tables it holds, and their arrays as memory maps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, FormatError, MissingExtra, UnknownName
from nasbench.store.content import Entry
from nasbench.store.schema import DATASETS, FORMAT, TABLE_ATTRIBUTES, check_version, may_be_wide

# Datasets up to this many bytes are read; larger ones are mapped.
_READ_LIMIT = 4_096


def new_file(path: str | Path) -> Path:
    """Return the path of a file that is about to be made.

    Raises:
        BadOption: It is there already, or its folder is not.
    """
    target = Path(path)
    if target.exists():
        raise BadOption(f"table: expected a file that is not there yet, got {str(path)!r}. Remove it first.")
    if not target.parent.is_dir():
        raise BadOption(f"table: there is no folder {str(target.parent)!r}. Make it first.")
    return target


@contextmanager
def open_file(path: Path) -> Iterator[Any]:
    """Open a table file for reading.

    Raises:
        MissingExtra: No such file.
        FormatError: Not an HDF5 file, a truncated one, not a table file, or of another schema version.
    """
    try:
        file = h5py.File(path, "r")
    except FileNotFoundError:
        raise MissingExtra(
            f"path: expected a table file, got {str(path)!r}, which does not exist. "
            "List the tables that are here with: nasbench list tables"
        ) from None
    except OSError as error:
        raise FormatError(
            f"{path}: expected a whole HDF5 file, got a truncated or foreign one ({error}). Fetch it again."
        ) from error
    with file:
        found = file.attrs.get("format")
        if found != FORMAT:
            raise FormatError(
                f"{path}: format: expected {FORMAT!r}, got {found!r}. Results of other programs come in "
                "with: "
                "nasbench import"
            )
        check_version(str(file.attrs.get("schema_version")), where=str(path))
        yield file


def table_names(path: str | Path) -> tuple[str, ...]:
    """List the tables of a file without reading any of their data.

    Raises:
        MissingExtra: No such file.
        FormatError: Not a table file.
    """
    with open_file(Path(path)) as file:
        return tuple(sorted(file))


def choose(path: Path, names: tuple[str, ...], name: str | None) -> str:
    """Pick one table of a file: the named one, or the only one.

    Raises:
        UnknownName: No table of that name, or none named where the file holds several.
        FormatError: The file holds no table.
    """
    if not names:
        raise FormatError(f"{path}: expected at least one table, got none. Write the file again.")
    if name is None:
        if len(names) == 1:
            return names[0]
        raise UnknownName(
            f"name: {path} holds {len(names)} tables, got no name. Use one of these: {', '.join(names)}."
        )
    wanted = kebab(name)
    for candidate in names:
        if kebab(candidate) == wanted:
            return candidate
    raise UnknownName.among("table", name, names, hint=f"{path} holds: {', '.join(names)}.")


def kebab(name: str) -> str:
    """Write a name as people should type it: lower case, hyphens for underscores."""
    return name.strip().lower().replace("_", "-")


def attributes(path: Path, group: Any) -> dict[str, str]:
    """Read a table's attributes as text.

    Raises:
        FormatError: One that the schema requires is missing or not text; the message names it.
    """
    found = dict(group.attrs)
    name = group.name.lstrip("/")
    for field in TABLE_ATTRIBUTES:
        if field.name not in found and not field.required:
            continue
        if not isinstance(found.get(field.name), str):
            raise FormatError(
                f"{path}: {name}/{field.name}: expected a text attribute, got {found.get(field.name)!r}. "
                "Write the table again with nasbench.store.writer."
            )
    return {key: str(value) for key, value in found.items()}


def entries(path: Path, group: Any, *, all_attributes: bool = False) -> dict[str, Entry]:
    """Give every dataset of a table; large contiguous ones are mapped, not read.

    Args:
        path: The file.
        group: The table's group in it.
        all_attributes: Read the attributes of every dataset, not of the scalars only. The curves' follow from
            their names, and attributes are what takes time when a table is opened.

    Raises:
        FormatError: A required dataset is missing, or one has the wrong type or number of axes.
    """
    datasets: dict[str, Any] = {}
    for key, member in group.items():
        if isinstance(member, h5py.Group):
            datasets.update({f"{key}/{inner}": member[inner] for inner in member})
        else:
            datasets[key] = member
    _check_types(path, group.name.lstrip("/"), datasets)
    mapping: npt.NDArray[np.uint8] | None = None
    out = {}
    for key, dataset in datasets.items():
        dataset_id = dataset.id
        dtype, shape = dataset_id.dtype, dataset_id.shape
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        offset = dataset_id.get_offset() if size > _READ_LIMIT else None
        if offset is None and size > _READ_LIMIT and _is_empty(dataset):
            array = np.broadcast_to(np.asarray(dataset.fillvalue), shape)
        elif offset is None or offset % dtype.itemsize or dtype.hasobject:
            array = dataset[()]
            array.setflags(write=False)
        else:
            if mapping is None:
                mapping = np.asarray(np.memmap(path, dtype=np.uint8, mode="r"))
            array = mapping[offset : offset + size].view(dtype).reshape(shape)
        wanted = all_attributes or key.startswith("scalars/")
        out[key] = Entry(array, {k: str(v) for k, v in dataset.attrs.items()} if wanted else {})
    return out


def _is_empty(dataset: Any) -> bool:
    """Say whether no room was ever given to a dataset: all of it is its fill value."""
    return int(dataset.id.get_storage_size()) == 0


def _check_types(path: Path, name: str, datasets: dict[str, Any]) -> None:
    axes = {
        field.name: (field.type, field.shape.count(",") + (not field.shape.endswith(",)")))
        for field in DATASETS
    }
    for field in DATASETS:
        if field.required and field.name not in datasets:
            raise FormatError(
                f"{path}: {name}/{field.name}: expected {field.type} of shape {field.shape}, got none. "
                "Write the table again with nasbench.store.writer."
            )
    for key, dataset in datasets.items():
        if not isinstance(dataset, h5py.Dataset):
            raise FormatError(f"{path}: {name}/{key}: expected a dataset, got a group. Remove it.")
        wanted, ndim = axes.get(key, ("float32", 3) if key.startswith("curves/") else ("", 0))
        if key.startswith("curves/") and may_be_wide(key) and dataset.dtype == np.dtype("float64"):
            wanted = "float64"
        if wanted in ("", "bytes"):
            continue
        if dataset.dtype != np.dtype(wanted) or len(dataset.shape) != ndim:
            raise FormatError(
                f"{path}: {name}/{key}: expected {wanted} with {ndim} axes, got {dataset.dtype} of shape "
                f"{dataset.shape}. Write the table again with nasbench.store.writer."
            )
