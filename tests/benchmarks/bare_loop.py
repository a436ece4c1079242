"""The baseline: regularized evolution and random search as one would write them by hand on a dictionary."""

from __future__ import annotations

import random
from collections import deque

from nasbench.store.table import Table

Rows = dict[tuple[int, ...], tuple[list[float], float]]


def dictionary_of(table: Table) -> Rows:
    """Load a table into a plain dictionary: code -> (validation errors, seconds)."""
    valid = table.column("valid_error")[:, :, -1].tolist()
    seconds = table.column("train_seconds")[:, 0, -1].tolist()
    return {
        tuple(code): ([v for v in errors if v == v], s)
        for code, errors, s in zip(table.codes.tolist(), valid, seconds, strict=True)
    }


def regularized_evolution(
    rows: Rows, evaluations: int, *, population: int, sample: int, seed: int
) -> list[tuple[tuple[int, ...], float, float]]:
    """Search by hand; returns (code, error, seconds spent) of each evaluation."""
    rng = random.Random(seed)
    members: deque[tuple[float, tuple[int, ...]]] = deque()
    history = []
    spent = 0.0
    for _ in range(evaluations):
        if len(members) < population:
            code = tuple([rng.randrange(5) for _ in range(6)])
        else:
            parent = min((rng.choice(members) for _ in range(sample)), key=lambda member: member[0])[1]
            child = list(parent)
            edge = rng.randrange(6)
            operation = rng.randrange(4)
            child[edge] = operation + (operation >= child[edge])
            code = tuple(child)
        errors, seconds = rows[code]
        error = errors[rng.randrange(len(errors))]
        spent += seconds
        members.append((error, code))
        history.append((code, error, spent))
        if len(members) > population:
            members.popleft()
    return history


def random_search(rows: Rows, evaluations: int, *, seed: int) -> list[tuple[tuple[int, ...], float, float]]:
    """Search by hand; returns (code, error, seconds spent) of each evaluation."""
    rng = random.Random(seed)
    history = []
    spent = 0.0
    for _ in range(evaluations):
        code = tuple([rng.randrange(5) for _ in range(6)])
        errors, seconds = rows[code]
        spent += seconds
        history.append((code, errors[rng.randrange(len(errors))], spent))
    return history
