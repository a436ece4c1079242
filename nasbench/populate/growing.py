"""Growing a surrogate: choose which architectures to train next, train them, fit again, until it is enough.

1. A table begins with ``BEGIN`` random architectures, ``REPEATED`` of them trained twice, which tells the
   noise.
2. A surrogate is fitted on the table. It is enough where what it does not know of an architecture is no
   more than the noise between two trainings of one: training it anew would tell no more than asking.
3. Otherwise a batch is chosen: at random; where the members disagree most; or what searches on the surrogate
   hand over. It is trained, and step 2 follows.

What a batch should bring is read off the error that the same model has on half of the architectures: errors
    are taken to fall as a power of their number. The draws of a round depend on the seed and on the number
    of architectures that are there, so that an interrupted growth goes on as it would have.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from nasbench.errors import BadOption
from nasbench.evaluation.surrogate_source import SurrogateSource
from nasbench.populate.filling import Tally, fill, missing
from nasbench.populate.job import Task
from nasbench.populate.pool import Pool
from nasbench.populate.target import Target
from nasbench.records import Code, Codes
from nasbench.runs.execute import RunSpec, execute
from nasbench.seeds import generator
from nasbench.spaces import Space, get_space
from nasbench.store.table import Table, open_table
from nasbench.surrogates.fitting import fit_surrogate
from nasbench.surrogates.rows import FEWEST
from nasbench.surrogates.surrogate import Surrogate

Choice = Literal["random", "disagreement", "strategies"]

BEGIN = 80
REPEATED = 24
_CANDIDATES = 2_000  # random architectures among which disagreement is sought
_SEARCHES = ("regularized-evolution", "local-search", "tpe", "random-search")
_SEARCH_BUDGET = "150evals"
_TRIES = 50  # blocks of draws until unseen architectures are given up


@dataclass(frozen=True, slots=True)
class Round:
    """Where a growth stands.

    Attributes:
        architectures: Trained so far.
        trainings: Trainings so far.
        seconds: Their seconds in all.
        error: Mean absolute error on held-out architectures, fraction.
        unknown: Typical standard deviation of what the surrogate does not know, fraction.
        noise: Standard deviation between trainings of one architecture, fraction; None where it is not known.
        expected: Error expected after the next batch, fraction; None where it cannot be told.
        is_enough: Whether what is not known is no more than the noise.
    """

    architectures: int
    trainings: int
    seconds: float
    error: float
    unknown: float
    noise: float | None
    expected: float | None
    is_enough: bool


def check_choice(choice: str) -> Choice:
    """Return a way of choosing.

    Raises:
        BadOption: No such way.
    """
    for known in get_args(Choice):
        if choice == known:
            return known  # type: ignore[no-any-return]  # one of the literals
    raise BadOption(f"choose: expected {' or '.join(get_args(Choice))}, got {choice!r}.")


def begin(
    target: Target, pool: Pool, *, seed: int, tell: Callable[[Tally], None] = lambda _tally: None
) -> None:
    """Train the first architectures, and some of them again."""
    space = get_space(target.job.space)
    first = _unseen(space, [], BEGIN, seed=seed)
    tasks = [Task(code, 0) for code in first] + [Task(code, 1) for code in first[:REPEATED]]
    fill(target, missing(target, tasks), pool, tell=tell)


def look(target: Target, *, model: str, seed: int, batch: int) -> tuple[Surrogate, Round]:
    """Fit a surrogate on what is there and say how good it is.

    Args:
        target: The table; written first.
        model: Name of ``surrogates.members.MODELS``.
        seed: Of the fit.
        batch: Size of the next batch, for what it is expected to bring.

    Raises:
        BadOption: Too few architectures, or nothing to predict.
        NotMeasured: No whole training.
    """
    target.export()
    table = open_table(target.path, target.name)
    made = fit_surrogate(table, model=model, seed=seed)
    held = made.card.quality["valid_error"]["mae"]
    predicted = made.predict(made.fitted).errors["valid_error"]
    unknown = float(np.sqrt((predicted.unknown[:, 0] ** 2).mean()))
    noise = None if made.noise is None else float(np.sqrt((predicted.noise[:, 0] ** 2).mean()))
    repeats = sum(table.replicates_of(row) for row in range(len(table)))
    longest = table.column("train_seconds").astype(np.float64)
    return made, Round(
        architectures=len(table),
        trainings=repeats,
        seconds=float(np.nansum(np.nanmax(np.where(np.isnan(longest), -1.0, longest), axis=2).clip(min=0.0))),
        error=held,
        unknown=unknown,
        noise=noise,
        expected=_expected(table, made, model=model, seed=seed, batch=batch),
        is_enough=noise is not None and unknown <= noise,
    )


def _expected(table: Table, made: Surrogate, *, model: str, seed: int, batch: int) -> float | None:
    """Extrapolate the held-out error by a power law through half of the architectures and all of them."""
    all_of_them = made.card.architectures
    half = all_of_them // 2
    if half < FEWEST:
        return None
    before = fit_surrogate(table, model=model, seed=seed, rows=half).card.quality["valid_error"]["mae"]
    now = made.card.quality["valid_error"]["mae"]
    exponent = max(0.0, math.log(max(before, 1e-9) / max(now, 1e-9)) / math.log(all_of_them / half))
    return float(now * (all_of_them / (all_of_them + batch)) ** exponent)


def choose_next(
    surrogate: Surrogate, content: str, trained: Sequence[Code], *, choice: Choice, batch: int, seed: int
) -> list[Code]:
    """Choose which architectures to train next, none of them trained before.

    Args:
        surrogate: Fitted on what is there.
        content: Names it: its noise depends on it where searches are run on it.
        trained: Architectures that are there.
        choice: How.
        batch: How many; fewer come back only where the space has no more.
        seed: Root seed of the growth.
    """
    space = surrogate.space
    if choice == "random":
        return _unseen(space, trained, batch, seed=seed)
    if choice == "disagreement":
        candidates = _unseen(space, trained, max(_CANDIDATES, batch), seed=seed)
        unknown = surrogate.predict(np.array(candidates)).errors["valid_error"].unknown[:, 0]
        order = np.argsort(-unknown, kind="stable")[:batch]
        return [candidates[i] for i in order.tolist()]
    found = _proposed(surrogate, content, trained, batch=batch, seed=seed)
    rest = _unseen(space, [*trained, *found], batch - len(found), seed=seed)
    return [*found, *rest]


def _proposed(
    surrogate: Surrogate, content: str, trained: Sequence[Code], *, batch: int, seed: int
) -> list[Code]:
    """Take the best unseen architectures of each search on the surrogate, in turn."""
    source = SurrogateSource(surrogate, content, is_noisy=False)
    known = set(trained)
    queues = []
    for name in _SEARCHES:
        columns, _ = execute(RunSpec("grow", name, name, {}, _SEARCH_BUDGET), seed + len(trained), source)
        codes = _standing(surrogate.space, columns.codes)
        order = np.argsort(columns.valid_error, kind="stable")
        queues.append(iter(list(dict.fromkeys(tuple(codes[i].tolist()) for i in order))))
    found: list[Code] = []
    while queues and len(found) < batch:
        for queue in list(queues):
            code = next((code for code in queue if code not in known), None)
            if code is None:
                queues.remove(queue)
            elif len(found) < batch:
                found.append(code)
                known.add(code)
    return found


def _unseen(space: Space, trained: Sequence[Code], n: int, *, seed: int) -> list[Code]:
    """Draw n architectures that are not trained yet, one of each class of equal networks."""
    rng = generator(seed, "grow", str(len(trained)))
    known, found = set(trained), list[Code]()
    for _ in range(_TRIES):
        if len(found) >= n:
            break
        for code in map(tuple, _standing(space, space.sample(max(n, 64), rng=rng)).tolist()):
            if code not in known and len(found) < n:
                known.add(code)
                found.append(code)
    return found


def _standing(space: Space, codes: Codes) -> Codes:
    """Replace codes by those that stand for their class."""
    return space.canonical(codes)
