"""Images as their files hold them: whole numbers from 0, before any split or scaling."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


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
