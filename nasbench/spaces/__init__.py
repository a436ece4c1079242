"""What can be built: spaces of architectures, their codes, canonical forms, moves and encodings.

``SPACES`` maps a name to a function that makes the space. A new space is one file here and one line.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from nasbench.errors import FormatError, UnknownName
from nasbench.spaces.product import ProductSpace
from nasbench.spaces.space import Decision, Draw, Space

__all__ = ["SPACES", "Decision", "Draw", "ProductSpace", "Space", "get_space", "space_of"]


def _hierarchical() -> Space:
    from nasbench.spaces.hierarchical import HierarchicalSpace

    return HierarchicalSpace()


def _nats_size() -> Space:
    from nasbench.spaces.nats_size import NATSSizeSpace

    return NATSSizeSpace()


def _nb201() -> Space:
    from nasbench.spaces.nb201 import NB201Space

    return NB201Space()


def _chain_skip_6() -> Space:
    from nasbench.spaces.chain_skip import ChainSkipSpace

    return ChainSkipSpace(6)


def _nb101() -> Space:
    from nasbench.spaces.nb101 import NB101Space

    return NB101Space()


def _nb1shot1(number: int) -> Space:
    from nasbench.spaces.nb1shot1 import NB1Shot1Space

    return NB1Shot1Space(number)


def _darts() -> Space:
    from nasbench.spaces.darts import DARTSSpace

    return DARTSSpace()


def _nas_bench_graph() -> Space:
    from nasbench.spaces.nas_bench_graph import NASBenchGraphSpace

    return NASBenchGraphSpace()


def _nas_bench_graph_proteins() -> Space:
    from nasbench.spaces.nas_bench_graph import OPERATIONS_OF_PROTEINS, NASBenchGraphSpace

    return NASBenchGraphSpace("nas-bench-graph-proteins", OPERATIONS_OF_PROTEINS)


def _nasnet() -> Space:
    from nasbench.spaces.nasnet import NASNetSpace

    return NASNetSpace()


def _nb_asr() -> Space:
    from nasbench.spaces.nb_asr import NBASRSpace

    return NBASRSpace()


def _nb_macro() -> Space:
    from nasbench.spaces.nb_macro import NBMacroSpace

    return NBMacroSpace()


def _transnas_macro() -> Space:
    from nasbench.spaces.transnas_macro import TransNASMacroSpace

    return TransNASMacroSpace()


def _transnas_micro() -> Space:
    from nasbench.spaces.transnas_micro import TransNASMicroSpace

    return TransNASMicroSpace()


SPACES: dict[str, Callable[[], Space]] = {
    "chain-skip-6": _chain_skip_6,
    "darts": _darts,
    "hierarchical": _hierarchical,
    "nas-bench-graph": _nas_bench_graph,
    "nas-bench-graph-proteins": _nas_bench_graph_proteins,
    "nasnet": _nasnet,
    "nb-asr": _nb_asr,
    "nb-macro": _nb_macro,
    "nats-size": _nats_size,
    "nb101": _nb101,
    "nb1shot1-1": functools.partial(_nb1shot1, 1),
    "nb1shot1-2": functools.partial(_nb1shot1, 2),
    "nb1shot1-3": functools.partial(_nb1shot1, 3),
    "nb201": _nb201,
    "transnas-macro": _transnas_macro,
    "transnas-micro": _transnas_micro,
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


def space_of(name: str, definition: str = "") -> Space:
    """Return the space that a table names, or the one that it declares for itself.

    Args:
        name: Name of the space.
        definition: The declaration that the table carries (``spaces.declared``), or ``""``.

    Raises:
        UnknownName: No such space, and none is declared.
        FormatError: The declaration is damaged, or is one of another space.
    """
    if not definition:
        return get_space(name)
    space = _declared(definition)
    if space.name != name:
        raise FormatError(f"space_definition: expected one of space {name!r}, got one of {space.name!r}.")
    return space


@functools.cache
def _declared(definition: str) -> Space:
    from nasbench.spaces.declared import read_definition

    return read_definition(definition)
