"""A pickle reader that builds nothing but plain values: any global outside an allow-list is refused.

The only place of the package where a pickle is read at all.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import IO, Any

from nasbench.errors import FormatError

Allowed = Mapping[tuple[str, str], Any]
"""What (module, name) stands for; no module is imported to find out."""


def numpy_scalars() -> dict[tuple[str, str], Any]:
    """Allow numpy scalars and their types, named as numpy 1 and as numpy 2 name them."""
    import numpy as np

    scalar = np.float64(0).__reduce__()[0]  # the function behind every pickled numpy scalar

    return {
        ("numpy", "dtype"): np.dtype,
        ("numpy.core.multiarray", "scalar"): scalar,
        ("numpy._core.multiarray", "scalar"): scalar,
    }


def numpy_arrays() -> dict[tuple[str, str], Any]:
    """Allow numpy arrays and their types, named as numpy 1 and as numpy 2 name them."""
    import numpy as np

    reconstruct = np.empty(0).__reduce__()[0]  # the function behind every pickled numpy array

    return {
        ("numpy", "dtype"): np.dtype,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy.core.multiarray", "_reconstruct"): reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): reconstruct,
    }


class _Restricted(pickle.Unpickler):
    def __init__(self, stream: IO[bytes], allowed: Allowed, where: str, encoding: str) -> None:
        super().__init__(stream, encoding=encoding)
        self._allowed = allowed
        self._where = where

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._allowed[module, name]
        except KeyError:
            raise FormatError(
                f"{self._where}: expected plain values only, got the global {module}.{name}, which could "
                "run code. "
                "Do not open this file."
            ) from None

    def persistent_load(self, pid: Any) -> Any:
        raise FormatError(
            f"{self._where}: expected plain values only, got a reference to outside storage ({pid!r}). "
            "Do not open this file."
        )


def restricted_load(
    stream: IO[bytes], *, where: str, allowed: Allowed | None = None, encoding: str = "ASCII"
) -> Any:
    """Read one pickle.

    Args:
        stream: Open for reading bytes.
        where: Name of the file, for messages.
        allowed: Globals that may appear, with what they stand for; none by default.
        encoding: How strings that Python 2 pickled are read; ``"latin1"`` where they hold arrays.

    Raises:
        FormatError: A global outside the list, or not a whole pickle.
    """
    try:
        return _Restricted(stream, allowed or {}, where, encoding).load()
    except FormatError:
        raise
    except Exception as error:  # a broken pickle may raise anything
        raise FormatError(
            f"{where}: expected a whole pickle, got one that breaks off or makes no sense ({error}). Fetch "
            "it again."
        ) from error
