"""Global random state, lent to a library that draws from it and put back when the library is done."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import numpy as np


class GlobalState:
    """A state of its own for the generators inside ``random`` and ``numpy.random``.

    Args:
        rng: Seeds the state.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        seed = int(rng.integers(2**32))
        with self._callers_kept():
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002 - the legacy state is what is lent
            self._own = random.getstate(), np.random.get_state()  # noqa: NPY002

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """Run the body on this state, which goes on from where it last was; the caller's is untouched."""
        with self._callers_kept():
            random.setstate(self._own[0])
            np.random.set_state(self._own[1])  # noqa: NPY002
            try:
                yield
            finally:
                self._own = random.getstate(), np.random.get_state()  # noqa: NPY002

    @staticmethod
    @contextlib.contextmanager
    def _callers_kept() -> Iterator[None]:
        """Put the state back as it was."""
        callers = random.getstate(), np.random.get_state()  # noqa: NPY002
        try:
            yield
        finally:
            random.setstate(callers[0])
            np.random.set_state(callers[1])  # noqa: NPY002
