"""How the authors' package takes an architecture's text apart, and prints what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.compat.nats_results import ArchResults
from nasbench.errors import NotInSpace
from nasbench.spaces.nb201 import OPERATIONS

_SHOWN = {
    "cifar10-valid": (("train", "train"), ("valid", "x-valid")),
    "cifar10": (("train", "train"), ("test ", "ori-test")),
    "cifar100": (("train", "train"), ("valid", "x-valid"), ("test", "x-test")),
    "ImageNet16-120": (("train", "train"), ("valid", "x-valid"), ("test", "x-test")),
}


def str2lists(arch_str: str) -> list[tuple[tuple[str, int], ...]]:
    """List the (operation, input node) of every node but the first.

    Raises:
        NotInSpace: A term is not ``operation~node``.
    """
    return [_terms(node) for node in arch_str.split("+")]


def str2matrix(arch_str: str, search_space: Sequence[str] = OPERATIONS) -> npt.NDArray[np.float64]:
    """Return the matrix of operation indices: row = node, column = input node; the rest is 0.

    Raises:
        NotInSpace: A term is not ``operation~node``, or its operation is not of ``search_space``.
    """
    nodes = str2lists(arch_str)
    matrix = np.zeros((len(nodes) + 1, len(nodes) + 1))
    for target, terms in enumerate(nodes, start=1):
        for operation, source in terms:
            if operation not in search_space:
                raise NotInSpace(
                    f"arch_str: the operations are {', '.join(search_space)}, got {operation!r}."
                )
            matrix[target, source] = list(search_space).index(operation)
    return matrix


def _terms(node: str) -> tuple[tuple[str, int], ...]:
    out = []
    for term in filter(None, node.split("|")):
        operation, _, source = term.partition("~")
        if not source.isdecimal():
            raise NotInSpace(f"arch_str: expected operation~node, got {term!r}.")
        out.append((operation, int(source)))
    return tuple(out)


def describe(results: ArchResults, *, is_size: bool) -> str:
    """Write costs and mean metrics of an architecture on every data set, laid out as by the authors."""
    names = results.get_dataset_names()
    lines = [results.arch_str, f"datasets : {names}, extra-info : arch-index={results.arch_index}"]
    for name in names:
        cost = results.get_compute_costs(name)
        latency = None if cost["latency"] is None else f"{cost['latency'] * 1000:.2f}"
        lines.append(
            f"{name:14s} FLOP={cost['flops']:6.2f} M, Params={cost['params']:.3f} MB, latency={latency} ms."
        )
        shown = _SHOWN[name]
        if is_size and name == "cifar10-valid":
            shown = (*shown, ("test", "ori-test"))
        infos = [(label, results.get_metrics(name, split)) for label, split in shown]
        lines.append(f"{name:14s} " + ", ".join(f"{label} : [{_metric(info)}]" for label, info in infos))
    return "\n".join(lines)


def _metric(info: dict[str, Any]) -> str:
    return f"loss = {info['loss']:.3f} & top1 = {info['accuracy']:.2f}%"
