"""CIFAR-10 and CIFAR-100 as their python archives hold them, packed or extracted.

Each batch is a pickle of a dict with ``data``, (n, 3072) unsigned bytes: 32 x 32 red values row by row, then
green, then blue; and ``labels`` (CIFAR-10) or ``fine_labels`` (CIFAR-100). Batches are read by the restricted
reader, so nothing in them can run.

Source: Krizhevsky 2009; the checksums are those of torchvision, ``torchvision/datasets/cifar.py``.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasbench.errors import FormatError
from nasbench.store.imports.restricted import numpy_arrays, restricted_load
from nasbench.training.data.files import check_known, read_bytes
from nasbench.training.data.pixels import Pixels, labelled

_CHANNELS, _SIDE = 3, 32


@dataclass(frozen=True, slots=True)
class CifarFiles:
    """Names and published checksums of one of the two sets.

    Attributes:
        archive: File name of the packed archive.
        folder: The folder in it.
        train: Batches of the training part.
        test: Batches of the test part.
        labels: Key of the labels in a batch.
        known: MD5 of each batch, by name.
    """

    archive: str
    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    labels: str
    known: Mapping[str, str]


CIFAR10 = CifarFiles(
    archive="cifar-10-python.tar.gz",
    folder="cifar-10-batches-py",
    train=tuple(f"data_batch_{i}" for i in range(1, 6)),
    test=("test_batch",),
    labels="labels",
    known={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
    },
)
CIFAR100 = CifarFiles(
    archive="cifar-100-python.tar.gz",
    folder="cifar-100-python",
    train=("train",),
    test=("test",),
    labels="fine_labels",
    known={
        "train": "16019d7e3df5f24257cddd939b257f8d",
        "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
    },
)


def missing_batches(files: CifarFiles) -> Callable[[Path], Sequence[str]]:
    """Return a function that lists what a place lacks: nothing, where it is an archive."""

    def missing(place: Path) -> Sequence[str]:
        if place.is_file():
            return ()
        return [name for name in (*files.train, *files.test) if not (place / name).is_file()]

    return missing


def read_cifar(place: Path, files: CifarFiles) -> tuple[Pixels, Pixels]:
    """Read training and test part.

    Args:
        place: The packed archive, or the folder of batches.
        files: Which of the two sets it is.

    Raises:
        FormatError: The archive or a batch is broken, foreign, or not the published one.
        MissingExtra: A batch of the folder is absent.
    """
    names = (*files.train, *files.test)
    if place.is_dir():
        contents = {name: read_bytes(place / name) for name in names}
    else:
        contents = _unpack(place, files.folder, names)
    parts = {}
    for name, content in contents.items():
        check_known(name, content, files.known, where=place)
        parts[name] = parse_batch(content, labels=files.labels, where=f"{place}: {name}")
    train, test = (
        Pixels(
            np.concatenate([parts[name].images for name in part]),
            np.concatenate([parts[name].labels for name in part]),
        )
        for part in (files.train, files.test)
    )
    return train, test


def parse_batch(content: bytes, *, labels: str, where: str) -> Pixels:
    """Read one batch.

    Args:
        content: The whole file.
        labels: Key of the labels.
        where: Name of the file, for messages.

    Raises:
        FormatError: Not such a pickle, or not a whole one.
    """
    # Python 2 wrote the published batches: its byte strings are read as latin1, one character a byte.
    batch: Any = restricted_load(io.BytesIO(content), where=where, allowed=numpy_arrays(), encoding="latin1")
    if not isinstance(batch, dict) or not {"data", labels} <= batch.keys():
        raise FormatError(f"{where}: expected a dict with 'data' and '{labels}', got something else.")
    data = batch["data"]
    pixels = _CHANNELS * _SIDE * _SIDE
    if not (isinstance(data, np.ndarray) and data.dtype == np.uint8 and data.shape[1:] == (pixels,)):
        raise FormatError(
            f"{where}: data: expected unsigned bytes of shape (n, {pixels}), got "
            f"{getattr(data, 'dtype', type(data).__name__)} of shape {getattr(data, 'shape', ())}."
        )
    try:
        numbers = np.array(batch[labels], dtype=np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(
            f"{where}: {labels}: expected whole numbers, got something else ({error})."
        ) from error
    return labelled(data.reshape(-1, _CHANNELS, _SIDE, _SIDE), numbers, where=where)


def _unpack(archive: Path, folder: str, names: Sequence[str]) -> dict[str, bytes]:
    """Read members of a packed archive into memory; nothing is written to the disk."""
    found = {}
    wanted = {f"{folder}/{name}": name for name in names}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                stream = tar.extractfile(member) if member.name in wanted else None
                if stream is not None:
                    found[wanted[member.name]] = stream.read()
                if len(found) == len(names):
                    break
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise FormatError(
            f"{archive}: expected a whole archive, got one that breaks off or is none ({error}). Fetch it "
            "again."
        ) from error
    for name in names:
        if name not in found:
            raise FormatError(
                f"{archive}: expected {folder}/{name} in it, got none. Is it the archive its name says?"
            )
    return {name: found[name] for name in names}
