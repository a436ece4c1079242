"""What can be built: spaces of architectures, their codes, canonical forms, moves and encodings.

``SPACES`` maps a name to a function that makes the space. A new space is one file here and one line.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from nasbench.errors import UnknownName
from nasbench.spaces.product import ProductSpace
from nasbench.spaces.space import Decision, Draw, Space

__all__ = ["SPACES", "Decision", "Draw", "ProductSpace", "Space", "get_space"]


def _nb201() -> Space:
    from nasbench.spaces.nb201 import NB201Space

    return NB201Space()


def _darts() -> Space:
    from nasbench.spaces.darts import DARTSSpace

    return DARTSSpace()


SPACES: dict[str, Callable[[], Space]] = {
    "darts": _darts,
    "nb201": _nb201,
}


def get_space(name: str) -> Space:
    """Return the space of this name; one object a process, for spaces hold no state.

    Raises:
        UnknownName: No such space; the message lists the near ones.
    """
    key = name.strip().lower().replace("_", "-")
    if key not in SPACES:
        raise UnknownName.among("space", name, SPACES, hint="List them with: nasbench list spaces")
    return _made(key)


@functools.cache
def _made(key: str) -> Space:
    return SPACES[key]()
