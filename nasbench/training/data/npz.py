"""Labelled images in an ``.npz`` file of numpy: a whole set, or one that is cut into parts already.

Arrays are named ``images`` and ``labels`` or ``x`` and ``y``; for parts ``train_images``, ``x_train`` or
``train_x``, and so on with ``valid`` (or ``val``) and ``test``. So the ``mnist.npz`` of Keras and the files
of MedMNIST are read as they are.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nasbench.errors import FormatError, MissingExtra
from nasbench.training.data.pixels import Pixels, labelled

_CHANNELS = (1, 3, 4)
Arrays = Mapping[str, npt.NDArray[np.generic]]


def read_npz(path: Path) -> dict[str, Pixels]:
    """Read all parts.

    Args:
        path: The file. Arrays of Python objects are refused: they could run code.

    Returns:
        ``whole``, or ``train`` and ``test``, or ``train``, ``valid`` and ``test``.

    Raises:
        FormatError: No such arrays, or broken ones.
        MissingExtra: There is no such file.
    """
    arrays = _load(path)
    parts = {}
    for part, keys in _keys():
        for images, labels in keys:
            if images in arrays and labels in arrays:
                where = f"{path}: {images}, {labels}"
                parts[part] = labelled(_channels_first(arrays[images], where), arrays[labels], where=where)
                break
    if set(parts) not in ({"whole"}, {"train", "test"}, {"train", "valid", "test"}):
        raise FormatError(
            f"{path}: expected arrays images and labels (or x and y), or train_images, train_labels, "
            "test_images, "
            f"test_labels and perhaps valid_images, valid_labels, got {', '.join(arrays) or 'none'}."
        )
    shapes = {part: pixels.images.shape[1:] for part, pixels in parts.items()}
    if len(set(shapes.values())) > 1:
        raise FormatError(f"{path}: expected images of one shape, got {shapes}.")
    return parts


def _keys() -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Yield each part with the pairs of names that its images and labels may have."""
    yield "whole", (("images", "labels"), ("x", "y"))
    for part, words in (("train", ("train",)), ("valid", ("valid", "val")), ("test", ("test",))):
        yield (
            part,
            tuple(
                pair
                for word in words
                for pair in (
                    (f"{word}_images", f"{word}_labels"),
                    (f"x_{word}", f"y_{word}"),
                    (f"{word}_x", f"{word}_y"),
                )
            ),
        )


def _load(path: Path) -> dict[str, npt.NDArray[np.generic]]:
    if not path.is_file():
        raise MissingExtra(f"data: expected an .npz file at {path}, got none. Put it there.")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (
        ValueError,
        TypeError,
        AttributeError,
        OSError,
        EOFError,
        zlib.error,
        zipfile.BadZipFile,
    ) as error:
        raise FormatError(
            f"{path}: expected a whole .npz file of plain arrays, got something else ({error})."
        ) from error


def _channels_first(images: npt.NDArray[np.generic], where: str) -> npt.NDArray[np.generic]:
    if images.ndim == 3:
        return images[:, np.newaxis]
    if images.ndim == 4 and images.shape[1] in _CHANNELS:
        return images
    if images.ndim == 4 and images.shape[3] in _CHANNELS:
        return np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    raise FormatError(
        f"{where}: images: expected shape (n, height, width), (n, channels, height, width) or (n, height, "
        "width, "
        f"channels) with 1, 3 or 4 channels, got {images.shape}."
    )
