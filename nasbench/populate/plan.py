"""The plan: which trainings a table should hold, in an order of which every prefix is a fair sample."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import numpy as np

from nasbench.errors import BadOption
from nasbench.populate.job import Task
from nasbench.records import Code, Codes
from nasbench.seeds import generator
from nasbench.spaces import Space

Isomorphs = Literal["distinct", "once", "separate"]
"""``distinct``: one code of each class of equal networks is trained and kept. ``once``: the same, and the
table gives its results to all members of the class. ``separate``: every code is trained on its own."""


MOST_LISTED = 2**22
"""Codes of the largest space that is listed whole; of larger ones architectures are drawn."""
_BLOCK = 1_024  # codes drawn at a time


def shuffled(space: Space, *, isomorphs: Isomorphs, seed: int, n: int | None = None) -> list[Code]:
    """List the architectures of a space in a random order, each once.

    Args:
        space: The space.
        isomorphs: One code of each class, unless ``"separate"``.
        seed: Seed of the order.
        n: List the first n only; None lists all.

    Raises:
        BadOption: All of a space that is too large to be listed, or no such ``isomorphs``.
    """
    _require(isomorphs)
    if space.size is None or space.size > MOST_LISTED:
        if n is None:
            raise BadOption(
                f"space: {space.name} is too large to be trained whole. Train a sample of it, or a list."
            )
        return _drawn(space, isomorphs=isomorphs, seed=seed, n=n)
    codes = _kept(np.concatenate(list(space.enumerate())), space, isomorphs)
    order = generator(seed, "populate", "order").permutation(len(codes))
    return [tuple(code) for code in codes[order[:n]].tolist()]


def _drawn(space: Space, *, isomorphs: Isomorphs, seed: int, n: int) -> list[Code]:
    """Draw n architectures, each once; fewer of them are the first of more."""
    rng = generator(seed, "populate", "order")
    found: dict[Code, None] = {}
    while len(found) < n:
        codes = _kept(space.sample(_BLOCK, rng=rng), space, isomorphs)
        found.update(dict.fromkeys(tuple(code) for code in codes.tolist()))
    return list(found)[:n]


def _kept(codes: Codes, space: Space, isomorphs: Isomorphs) -> Codes:
    """Keep the codes that stand for their class, or all where every code is trained on its own."""
    return codes if isomorphs == "separate" else codes[(space.canonical(codes) == codes).all(axis=1)]


def listed(space: Space, texts: Iterable[str], *, isomorphs: Isomorphs) -> list[Code]:
    """Read architectures, one a line, each once, in the order given; empty lines and ``#`` lines are skipped.

    Raises:
        NotInSpace: A line is no architecture of the space.
        BadOption: No line is one, or no such ``isomorphs``.
    """
    _require(isomorphs)
    codes = [space.parse(text) for line in texts if (text := line.strip()) and not text.startswith("#")]
    if not codes:
        raise BadOption("list: expected one architecture a line, got none.")
    if isomorphs != "separate":
        codes = [tuple(code) for code in space.canonical(np.array(codes)).tolist()]
    return list(dict.fromkeys(codes))


def shard(codes: Sequence[Code], number: int, count: int) -> list[Code]:
    """Take the architectures of one shard: every ``count``-th, beginning with the ``number``-th.

    All repeats of an architecture belong to one shard, whatever has been trained already.

    Args:
        codes: Architectures of the whole plan, in its order.
        number: 1 to ``count``.
        count: Number of shards.

    Raises:
        BadOption: ``number`` is not in 1 to ``count``.
    """
    if not 1 <= number <= count:
        raise BadOption(f"shard: expected i/n with i from 1 to n, got {number}/{count}.")
    return list(codes[number - 1 :: count])


def tasks_of(codes: Sequence[Code], *, replicates: int) -> list[Task]:
    """List the trainings: the first repeat of every architecture, then the second of every one, and so on.

    Raises:
        BadOption: ``replicates`` < 1.
    """
    if replicates < 1:
        raise BadOption(f"replicates: expected a whole number >= 1, got {replicates}.")
    return [Task(code, replicate) for replicate in range(replicates) for code in codes]


def _require(isomorphs: str) -> None:
    if isomorphs not in get_args(Isomorphs):
        raise BadOption(f"isomorphs: expected {' or '.join(get_args(Isomorphs))}, got {isomorphs!r}.")
