"""Images as their files hold them: before any split or scaling."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.errors import FormatError


@dataclass(frozen=True, slots=True)
class Pixels:
    """Labelled raw images.

    Attributes:
        images: (n, channels, height, width) as read: uint8 of most sets, other numbers of an ``.npz``.
        labels: (n,) int64 class indices, from 0.
    """

    images: npt.NDArray[np.generic]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: npt.NDArray[np.int64]) -> Pixels:
        """Return the images at these places, in this order."""
        return Pixels(self.images[index], self.labels[index])


def labelled(images: npt.NDArray[np.generic], labels: npt.NDArray[np.generic], *, where: str) -> Pixels:
    """Put images and labels together.

    Args:
        images: (n, channels, height, width) finite numbers.
        labels: (n,) or (n, 1) whole numbers from 0.
        where: Name of the file, for messages.

    Raises:
        FormatError: The arrays do not fit each other, or hold something else.
    """
    flat = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if flat.ndim != 1 or not np.issubdtype(flat.dtype, np.integer) or (flat.size and flat.min() < 0):
        raise FormatError(
            f"{where}: labels: expected n whole numbers from 0, got {flat.dtype} of shape {labels.shape}. "
            "Number the classes from 0."
        )
    if len(images) != len(flat) or not len(flat):
        raise FormatError(
            f"{where}: labels: expected one for each of the {len(images):,} images, got {len(flat):,}. "
            "Fetch the "
            "files again."
        )
    whole = np.issubdtype(images.dtype, np.integer)
    if not whole and not (np.issubdtype(images.dtype, np.floating) and np.isfinite(images).all()):
        raise FormatError(f"{where}: images: expected finite real numbers, got other {images.dtype}.")
    return Pixels(images, flat.astype(np.int64))


def count_classes(*parts: Pixels, where: str) -> int:
    """Return the number of classes.

    Raises:
        FormatError: A class below the highest one has no image in one of the parts.
    """
    classes = 1 + max(int(part.labels.max()) for part in parts)
    for part in parts:
        missing = np.setdiff1d(np.arange(classes), part.labels)
        if len(missing):
            raise FormatError(
                f"{where}: labels: expected every class of 0 to {classes - 1} in every part, got none of "
                "class "
                f"{missing[0]}. Number the classes from 0 without a gap."
            )
    return classes


def checksum(*parts: Pixels) -> str:
    """Return the SHA-256 of all pixels and labels, their types and shapes: 64 hexadecimal digits.

    It is the same whatever file the images came in and however that was compressed.
    """
    digest = hashlib.sha256()
    for part in parts:
        for array in (part.images, part.labels):
            little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            digest.update(f"{little.dtype.str}{little.shape}".encode())
            digest.update(little.tobytes())
    return digest.hexdigest()
