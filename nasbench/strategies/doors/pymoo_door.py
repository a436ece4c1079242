"""pymoo's evolutionary algorithms, driven generation by generation through their ask and tell.

1. The first generation is ``population`` uniform draws from the space.
2. Ask pymoo for a generation: uniform crossover of two parents, then each decision is drawn anew with
   probability 1 / decisions. Values that the space's masks forbid are repaired, and pymoo leaves out children
   that are already in the population.
3. Propose its members; once all have been told, tell pymoo their objectives and go to 2. A failed training
   breaks a constraint of the problem, so that it is worse than any that trained.

The objectives are the validation error and, for an algorithm of several objectives, each cost named in
``costs``. Free workers wait for the end of a generation. It ends where pymoo finds no child that is not in
the population, which happens on tiny spaces. Operators are pymoo's for categories; its defaults are for
numbers. Selection and survival are pymoo's defaults; ``population`` is ours, for some hundred evaluations
(pymoo: 100).

Source: Blank and Deb 2020; see pymoo's documentation for the paper of each algorithm.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial
from nasbench.spaces import Space
from nasbench.strategies.doors.library import library, quiet
from nasbench.strategies.doors.repair import repaired
from nasbench.strategies.strategy import Card, Setting

ALGORITHMS = {
    "ga": ("pymoo.algorithms.soo.nonconvex.ga", "GA"),
    "nsga2": ("pymoo.algorithms.moo.nsga2", "NSGA2"),
    "sms-emoa": ("pymoo.algorithms.moo.sms", "SMSEMOA"),
}


class Pymoo:
    """An algorithm of pymoo.

    Args:
        space: The space to search.
        rng: Draws the first generation and seeds the algorithm.
        setting: Where the costs come from.
        algorithm: One of ``ALGORITHMS``; ``"ga"`` has one objective, the others two or more.
        costs: Names of costs, as a list or as text separated by ``,`` or ``+``; none for ``"ga"``.
        population: Members of a generation, >= 2.

    Raises:
        BadOption: An option is out of its range, or the run does not know one of the costs.
        MissingExtra: pymoo is not installed.
    """

    card: ClassVar[Card] = Card(
        family="another library", paper="Blank and Deb 2020", needs=("pymoo",), multi_objective=True
    )

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        algorithm: str = "ga",
        costs: str | Sequence[str] = (),
        population: int = 20,
    ) -> None:
        if algorithm not in ALGORITHMS:
            raise BadOption(f"algorithm: expected one of {', '.join(ALGORITHMS)}, got {algorithm!r}.")
        if type(population) is not int or population < 2:
            raise BadOption(f"population: expected a whole number >= 2, got {population!r}.")
        self._costs = _cost_functions(costs, setting)
        if (algorithm == "ga") != (not self._costs):
            wanted = "none" if algorithm == "ga" else "at least one"
            raise BadOption(f"costs: expected {wanted} for algorithm {algorithm}, got {costs!r}.")
        self._evaluator = _pymoo("pymoo.core.evaluator").Evaluator()
        self._static = _pymoo("pymoo.problems.static")
        with quiet("pymoo"):
            self._algorithm = self._make(space, rng, algorithm, population)
        self._generation: Any = None  # pymoo's population of the current generation
        self._queue: list[Code] = []  # its codes that are not yet proposed, last first
        self._objectives: list[tuple[float, ...] | None] = []  # of each of its members, once told
        self._first = 0  # number of its first trial
        self._is_done = False

    def _make(self, space: Space, rng: np.random.Generator, name: str, population: int) -> Any:
        """Make the algorithm for the problem."""
        module, algorithm = ALGORITHMS[name]
        variable, problem = _pymoo("pymoo.core.variable"), _pymoo("pymoo.core.problem")
        self._problem = problem.Problem(
            vars={
                str(i): variable.Choice(options=list(range(len(decision.choices))))
                for i, decision in enumerate(space.decisions)
            },
            n_obj=1 + len(self._costs),
            n_ieq_constr=1,
        )
        made = getattr(_pymoo(module), algorithm)(
            pop_size=population,
            sampling=space.sample(population, rng=rng).astype(np.int64),
            crossover=_pymoo("pymoo.operators.crossover.ux").UniformCrossover(),
            mutation=_pymoo("pymoo.operators.mutation.rm").ChoiceRandomMutation(),
            repair=_repair(space),
            eliminate_duplicates=True,
        )
        never = _pymoo("pymoo.core.termination").NoTermination()
        return made.setup(self._problem, termination=never, seed=int(rng.integers(2**31)))

    def ask(self, n: int) -> list[Proposal]:
        """Propose from the current generation; nothing while its last members are running."""
        if n and not self._queue and None not in self._objectives and not self._is_done:
            self._breed()
        proposals: list[Proposal] = []
        while self._queue and len(proposals) < n:
            proposals.append(Proposal(self._queue.pop()))
        return proposals

    def _breed(self) -> None:
        """Hand the last generation back and ask for the next."""
        with quiet("pymoo"):
            if self._generation is not None:
                self._hand_back()
            self._generation = self._algorithm.ask()
        self._first += len(self._objectives)
        codes = [] if self._generation is None else self._generation.get("X").tolist()
        self._queue = [tuple(code) for code in reversed(codes)]
        self._objectives = [None] * len(codes)
        self._is_done = not codes

    def _hand_back(self) -> None:
        """Tell pymoo the objectives of a generation; the constraint is broken above zero."""
        objectives = np.array(self._objectives)
        known = self._static.StaticProblem(
            self._problem,
            F=np.nan_to_num(objectives, nan=1.0),
            G=np.isnan(objectives).any(axis=1, keepdims=True).astype(float),
        )
        self._evaluator.eval(known, self._generation)
        self._algorithm.tell(infills=self._generation)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Note the objectives; nan where the training failed."""
        for trial in trials:
            error = math.nan if trial.valid_error is None else trial.valid_error
            point = (error, *(cost(trial.code) for cost in self._costs))
            self._objectives[trial.number - self._first] = point


def _pymoo(module: str) -> Any:
    """Import a module of pymoo."""
    return library(module, extra="pymoo", purpose="Strategy pymoo")


def _repair(space: Space) -> Any:
    """Make pymoo's operator that turns children into architectures of the space."""

    def repair(_problem: Any, children: npt.NDArray[Any], **_: Any) -> npt.NDArray[np.int64]:
        return np.array([repaired(space, child) for child in children], dtype=np.int64)

    operator = _pymoo("pymoo.core.repair").Repair()
    operator._do = repair
    return operator


def _cost_functions(costs: str | Sequence[str], setting: Setting) -> list[Callable[[Code], float]]:
    """Find the costs by name."""
    if isinstance(costs, str):
        costs = re.split(r"\s*[,+]\s*", costs.strip())
    is_names = isinstance(costs, list | tuple) and all(isinstance(name, str) and name for name in costs)
    if not is_names or len(set(costs)) != len(costs):
        raise BadOption(f"costs: expected different names of costs, got {costs!r}.")
    missing = [name for name in costs if name not in setting.costs]
    if missing:
        known = ", ".join(sorted(setting.costs)) or "none"
        raise BadOption(f"costs: this run does not know {', '.join(missing)}. Known: {known}.")
    return [setting.costs[name] for name in costs]
