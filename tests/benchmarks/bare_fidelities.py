"""Baselines: local search, successive halving, Hyperband and ASHA by hand on a dictionary."""

from __future__ import annotations

import heapq
import random

from bare_loop import Rows

from nasbench.store.table import Table

Curves = dict[tuple[int, ...], list[tuple[list[float], list[float]]]]


def curves_of(table: Table) -> Curves:
    """Load a table into a plain dictionary: code -> (validation error, seconds) by epoch, of each repeat."""
    codes = next(table.space.enumerate())
    rows = table.rows(codes).tolist()
    valid, seconds = (table.column(name).tolist() for name in ("valid_error", "train_seconds"))
    repeats = table.column("valid_error")[:, :, -1]
    held = (repeats == repeats).sum(axis=1).tolist()
    return {
        tuple(code): list(zip(valid[row][: held[row]], seconds[row][: held[row]], strict=True))
        for code, row in zip(codes.tolist(), rows, strict=True)
    }


def local_search(rows: Rows, evaluations: int, *, seed: int) -> list[tuple[tuple[int, ...], float, float]]:
    """First improvement with restarts; what was seen is not asked again."""
    rng = random.Random(seed)
    seen: dict[tuple[int, ...], float] = {}
    history: list[tuple[tuple[int, ...], float, float]] = []
    spent = 0.0

    def ask(code: tuple[int, ...]) -> float:
        nonlocal spent
        errors, seconds = rows[code]
        error = errors[rng.randrange(len(errors))]
        spent += seconds
        seen[code] = error
        history.append((code, error, spent))
        return error

    while len(history) < evaluations and len(seen) < len(rows):
        current = tuple([rng.randrange(5) for _ in range(6)])
        if current in seen:
            continue
        best = ask(current)
        moved = True
        while moved and len(history) < evaluations:
            moved = False
            near = [
                (*current[:i], v, *current[i + 1 :]) for i in range(6) for v in range(5) if v != current[i]
            ]
            rng.shuffle(near)
            for code in near:
                error = seen[code] if code in seen else ask(code)
                if error < best:
                    current, best, moved = code, error, True
                    break
                if len(history) >= evaluations:
                    break
    return history


def halving(
    curves: Curves, evaluations: int, *, brackets: list[list[tuple[int, int]]], seed: int
) -> list[tuple[tuple[int, ...], int, float, float]]:
    """Brackets of (epochs, places) one after another; a promotion pays the further epochs."""
    rng = random.Random(seed)
    history: list[tuple[tuple[int, ...], int, float, float]] = []
    spent = 0.0
    while len(history) < evaluations:
        for bracket in brackets:
            rung = []
            for _ in range(bracket[0][1]):
                code = tuple([rng.randrange(5) for _ in range(6)])
                repeats = curves[code]
                rung.append((code, repeats[rng.randrange(len(repeats))]))
            before = 0
            for epochs, places in bracket:
                scored = []
                for code, (errors, seconds) in rung[:places]:
                    spent += seconds[epochs - 1] - (seconds[before - 1] if before else 0.0)
                    history.append((code, epochs, errors[epochs - 1], spent))
                    scored.append((errors[epochs - 1], code, (errors, seconds)))
                scored.sort()
                rung = [(code, curve) for _, code, curve in scored]
                before = epochs
    return history[:evaluations]


def asha(
    curves: Curves, evaluations: int, *, lengths: list[int], eta: int, seed: int
) -> list[tuple[tuple[int, ...], int, float, float]]:
    """Asynchronous promotion with one worker, as its pseudo-code says it."""
    rng = random.Random(seed)
    rungs: list[list[tuple[float, int]]] = [[] for _ in lengths]
    promoted: list[set[int]] = [set() for _ in lengths]
    trained: list[tuple[tuple[int, ...], tuple[list[float], list[float]]]] = []
    history: list[tuple[tuple[int, ...], int, float, float]] = []
    spent = 0.0
    while len(history) < evaluations:
        chosen, at = None, 0
        for k in range(len(lengths) - 2, -1, -1):
            best = heapq.nsmallest(len(rungs[k]) // eta, rungs[k])
            chosen = next((number for _, number in best if number not in promoted[k]), None)
            if chosen is not None:
                promoted[k].add(chosen)
                at = k + 1
                break
        if chosen is None:
            code = tuple([rng.randrange(5) for _ in range(6)])
            repeats = curves[code]
            chosen = len(trained)
            trained.append((code, repeats[rng.randrange(len(repeats))]))
        code, (errors, seconds) = trained[chosen]
        epochs = lengths[at]
        spent += seconds[epochs - 1] - (seconds[lengths[at - 1] - 1] if at else 0.0)
        rungs[at].append((errors[epochs - 1], chosen))
        history.append((code, epochs, errors[epochs - 1], spent))
    return history
