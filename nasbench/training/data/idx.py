"""The IDX files of MNIST and its likes: four files, each packed with gzip or not.

A file is two zero bytes, the type of its numbers (8: unsigned bytes), the number of dimensions, each
dimension as four bytes with the highest first, then the numbers.

Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits", file formats.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nasbench.errors import FormatError
from nasbench.training.data.files import check_known, read_bytes
from nasbench.training.data.pixels import Pixels, labelled

_PARTS = ("train", "t10k")
_IMAGES, _LABELS = "{}-images-idx3-ubyte", "{}-labels-idx1-ubyte"
FILES = tuple(name.format(part) for part in _PARTS for name in (_IMAGES, _LABELS))
_UNSIGNED_BYTES = 8


def missing_idx_files(folder: Path) -> tuple[str, ...]:
    """List the files of an IDX set that a folder lacks, by the names of the packed ones."""
    return tuple(
        f"{name}.gz" for name in FILES if not any(path.is_file() for path in _spellings(folder, name))
    )


def read_idx_set(folder: Path, *, known: Mapping[str, str]) -> tuple[Pixels, Pixels]:
    """Read training and test part.

    Args:
        folder: Holds the four files, each with or without ``.gz``.
        known: Checksums that are compared, by file name; that of ``NAME.gz`` is of the packed file.

    Raises:
        FormatError: A file is broken, foreign, or not the published one.
        MissingExtra: A file is absent.
    """
    train, test = (
        labelled(
            _read(folder, _IMAGES.format(part), 3, known)[:, np.newaxis],
            _read(folder, _LABELS.format(part), 1, known),
            where=str(folder / _LABELS.format(part)),
        )
        for part in _PARTS
    )
    return train, test


def parse_idx(content: bytes, *, dimensions: int, where: str) -> npt.NDArray[np.uint8]:
    """Read the numbers of one unpacked IDX file.

    Args:
        content: The whole file.
        dimensions: How many it must have.
        where: Name of the file, for messages.

    Raises:
        FormatError: Not an IDX file of unsigned bytes with so many dimensions, or not a whole one.
    """
    magic = bytes((0, 0, _UNSIGNED_BYTES, dimensions))
    if content[:4] != magic:
        raise FormatError(
            f"{where}: magic number: expected {magic.hex()} (IDX, unsigned bytes, {dimensions} "
            "dimensions), got "
            f"{content[:4].hex() or 'nothing'}. Is it the file its name says?"
        )
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise FormatError(f"{where}: header: expected {start} bytes, got {len(content)}. Fetch it again.")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    if len(content) - start != math.prod(shape):
        raise FormatError(
            f"{where}: data: expected {' x '.join(map(str, shape))} (= {math.prod(shape):,}) bytes, got "
            f"{len(content) - start:,}. Fetch it again."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _spellings(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.gz", folder / name


def _read(folder: Path, name: str, dimensions: int, known: Mapping[str, str]) -> npt.NDArray[np.uint8]:
    packed, plain = _spellings(folder, name)
    path = packed if packed.is_file() else plain
    content = read_bytes(path)
    if path == packed:
        check_known(packed.name, content, known, where=path)
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise FormatError(
                f"{path}: gzip: expected a whole packed file, got one that breaks off or is none "
                f"({error}). Fetch it "
                "again."
            ) from error
    array = parse_idx(content, dimensions=dimensions, where=str(path))
    check_known(name, content, known, where=path)
    return array
