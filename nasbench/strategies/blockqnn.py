"""BlockQNN: tabular Q-learning on blocks, with a shaped reward that can be had from short trainings.

1. Write ``agents`` architectures decision by decision: with chance epsilon a uniform legal value, else the
   one with the highest utility Q (see ``q_learning.py``), and propose them.
2. When one is told, remember it with its reward r = accuracy - ``mu`` log(MACs) - ``rho`` log(density).
3. When ``agents`` were told, draw ``replay`` of all that are remembered, with replacement, and update Q
   along each backwards. Each of its T decisions has the reward r / T, so that no decision has to wait for
   the last one's reward to be handed back, and all together have r.
4. Lower epsilon by the schedule; go to 1.

With ``early_epochs`` architectures are trained for so long only, and r corrects for what they would gain in
a full training: the larger and denser of two networks with one early accuracy has the lower r. Whenever an
architecture enters the ``finalists`` highest r so far, its training is continued to the full length, so
that the run has an answer at every moment; the error of that training is not learnt from. The paper trains
the best blocks in full after the search.

MACs are counted in millions; another unit adds a constant to every r. The density of a block is its number
of links over its number of nodes, where each operation other than ``none`` is a node, as are the input and
the output, and operations are linked where one's output is the other's input: a chain of n operations has
(n + 1) / (n + 2). A block without links counts as having one.

Defaults: rate and schedule are those of a public implementation: epsilon 1.0 for 95 iterations, 0.9, 0.8,
0.7 for 7 each, 0.6 to 0.2 for 10 each and 0.1 for 12, here for ever after. 128 replays are as reported, and
so are the 64 blocks of an iteration; here it is one, so that 178 trainings end the schedule. ``scale``
stretches it. ``mu`` and ``rho`` are to be set for the space. ``finalists`` is our choice.

Deviations from Zhong et al. 2018: as in ``metaqnn.py`` the state is the index of the decision with the
value of the decision before (``state="prefix"`` for all values before), and an architecture proposed before
is not trained again unless 100 attempts bring no other. Utilities start at 0.

Source: Zhong, Yan, Wu, Shao and Liu 2018, section 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.q_learning import QTable, State, Step, back_up, scheduled_epsilon
from nasbench.strategies.strategy import Card, Setting

_SCHEDULE = (
    *((1.0, 95), (0.9, 7), (0.8, 7), (0.7, 7)),
    *((0.6, 10), (0.5, 10), (0.4, 10), (0.3, 10), (0.2, 10), (0.1, 12)),
)
_INITIAL = 0.0  # utility of what was never tried
_MACS = 1e6  # unit of MACs


class BlockQNN:
    """Q-learning with a shaped, and optionally corrected, reward.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Training lengths and costs.
        agents: Architectures of an iteration, >= 1.
        scale: Length of the epsilon schedule over 178 iterations, > 0.
        learning_rate: Of Q, in (0, 1].
        replay: Remembered architectures that Q is updated with in each iteration, >= 1.
        state: ``"layer"`` or ``"prefix"``.
        early_epochs: Training length of the search, one of ``setting.epochs``; None is the full length.
        mu: Weight of log(MACs) in the reward, >= 0; above 0 needs the cost ``"macs"``.
        rho: Weight of log(density) in the reward, >= 0; above 0 needs a space with the encoding ``"graph"``
            and the same operations on all its edges, ``none`` among them.
        finalists: Best architectures that are trained in full where ``early_epochs`` is shorter, >= 1.

    Raises:
        BadOption: An option is out of its range, or the setting or the space has not what it needs.
    """

    card: ClassVar[Card] = Card(
        family="reinforcement learning", paper="Zhong et al. 2018", multi_fidelity=True
    )

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        agents: int = 1,
        scale: float = 1.0,
        learning_rate: float = 0.01,
        replay: int = 128,
        state: State = "layer",
        early_epochs: int | None = None,
        mu: float = 0.0,
        rho: float = 0.0,
        finalists: int = 10,
    ) -> None:
        for name, whole in (("agents", agents), ("replay", replay), ("finalists", finalists)):
            if type(whole) is not int or whole < 1:
                raise BadOption(f"{name}: expected a whole number >= 1, got {whole!r}.")
        if type(scale) not in (int, float) or not 0 < scale < math.inf:
            raise BadOption(f"scale: expected a number > 0, got {scale!r}.")
        if type(learning_rate) not in (int, float) or not 0 < learning_rate <= 1:
            raise BadOption(f"learning_rate: expected a number in (0, 1], got {learning_rate!r}.")
        for name, weight in (("mu", mu), ("rho", rho)):
            if type(weight) not in (int, float) or not 0 <= weight < math.inf:
                raise BadOption(f"{name}: expected a number >= 0, got {weight!r}.")
        if mu > 0 and "macs" not in setting.costs:
            raise BadOption(f"mu: expected 0 where the source does not know the cost macs, got {mu}.")
        if rho > 0 and not has_density(space):
            raise BadOption(
                f"rho: expected 0 in space {space.name}, which has no graph with operations on its edges, "
                f"got {rho}."
            )
        if early_epochs is not None and (type(early_epochs) is not int or early_epochs not in setting.epochs):
            lengths = ", ".join(map(str, setting.epochs))
            raise BadOption(f"early_epochs: expected one of {lengths}, got {early_epochs!r}.")
        self._space = space
        self._costs = setting.costs
        self._full = setting.epochs[-1]
        self._search_epochs = early_epochs or self._full
        self._table = QTable(space, state=state, initial=_INITIAL)
        self._draw = uniforms(rng)
        self._agents = agents
        self._scale = scale
        self._rate = learning_rate
        self._replay = replay
        self._mu, self._rho = mu, rho
        self._written = 0
        self._memory: list[tuple[list[Step], float]] = []
        self._in_iteration = 0
        self._finalists = finalists
        self._best: list[float] = []  # highest rewards so far, ascending, at most ``finalists``
        self._to_finish: list[Proposal] = []  # full trainings of finalists

    @property
    def epsilon(self) -> float:
        """Chance of a random value at each decision of the next architecture."""
        return scheduled_epsilon(_SCHEDULE, self._written, self._scale * self._agents)

    def ask(self, n: int) -> list[Proposal]:
        """Propose to finish the training of a new best architecture, then write new ones."""
        proposals = []
        for _ in range(n):
            if self._to_finish:
                proposals.append(self._to_finish.pop(0))
            else:
                code = self._table.write(self.epsilon, self._draw)
                self._written += 1
                proposals.append(Proposal(code, epochs=self._search_epochs))
        return proposals

    def tell(self, trials: Sequence[Trial]) -> None:
        """Remember the answers of the search, and replay at the end of an iteration."""
        for trial in trials:
            if trial.epochs != self._search_epochs:
                continue
            if trial.valid_error is not None:
                reward = self.reward(trial.code, trial.valid_error)
                self._memory.append((self._table.episode(trial.code), reward))
                if len(self._best) < self._finalists or reward > self._best[0]:
                    self._best = sorted([*self._best, reward])[-self._finalists :]
                    if trial.epochs < self._full:
                        self._to_finish.append(
                            Proposal(trial.code, epochs=self._full, continues=trial.number)
                        )
            self._in_iteration += 1
            if self._in_iteration == self._agents:
                self._in_iteration = 0
                self._learn()

    def reward(self, code: Code, valid_error: float) -> float:
        """Accuracy, corrected for the size and the density of the network."""
        reward = 1.0 - valid_error
        if self._mu > 0:
            reward -= self._mu * math.log(max(self._costs["macs"](code), 1.0) / _MACS)
        if self._rho > 0:
            reward -= self._rho * math.log(density(self._space, code))
        return reward

    def _learn(self) -> None:
        """Replay; every step of an episode of T steps has a T-th of its reward."""
        for _ in range(self._replay if self._memory else 0):
            episode, reward = self._memory[int(self._draw() * len(self._memory))]
            share = reward / len(episode)
            back_up(episode, intermediate=share, last=share, rate=self._rate)


def has_density(space: Space) -> bool:
    """Say whether ``density`` is defined: a graph whose edges carry operations, ``none`` among them."""
    return "graph" in space.encodings and _is_operation(space) is not None


def density(space: Space, code: Code) -> float:
    """Number of links over number of nodes of the block, with operations as nodes; see the module."""
    is_operation = _is_operation(space)
    graph = space.encode([code], "graph")[0]  # (nodes, nodes, operations), the edge from i to j at [i, j]
    edges = graph[..., is_operation].any(axis=2)
    into, out_of = edges.sum(axis=0), edges.sum(axis=1)
    links = out_of[0] + (into * out_of).sum() + into[-1]
    return float(max(links, 1) / (edges.sum() + 2))


def _is_operation(space: Space) -> npt.NDArray[np.bool_] | None:
    """Mark the choices that are not ``none``; None where the decisions differ or have no ``none``."""
    choices = space.decisions[0].choices
    if "none" not in choices or any(decision.choices != choices for decision in space.decisions):
        return None
    return np.array([choice != "none" for choice in choices])
