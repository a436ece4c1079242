"""Tabular Q-learning on architectures written decision by decision: the table and its schedule.

The decisions of a space, in order, are the steps of an episode; the values taken are the actions. The state
before decision i is

* ``"layer"``: (i, the value of decision i - 1), as where a layer is chosen by knowing the layer below it;
  the utility of a value does not depend on what lies further back;
* ``"prefix"``: all values taken so far. This loses nothing, but is sparse: a state is seen once in as many
  trials as there are prefixes of its length.

Discount factor 1. After an episode the values are updated backwards, Q(s, u) += rate (r + max Q(s', .) -
Q(s, u)), so that the last reward reaches the first decision at once.

Source: Watkins 1989, for Q-learning; Baker et al. 2017, section 4, for its use on architectures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from nasbench.errors import BadOption
from nasbench.records import Code
from nasbench.spaces import Draw, Space

_ATTEMPTS = 100  # at an architecture not written before; our choice

State = Literal["layer", "prefix"]

Step = tuple[list[float], int, list[int]]
"""The utilities at one decision (shared with the table), the value taken, the values allowed."""


class QTable:
    """Utilities of every value in every state met so far.

    Args:
        space: The space.
        state: ``"layer"`` or ``"prefix"``.
        initial: Utility of what was never updated.

    Raises:
        BadOption: No such state.
    """

    def __init__(self, space: Space, *, state: State, initial: float) -> None:
        if state not in ("layer", "prefix"):
            raise BadOption(f"state: expected 'layer' or 'prefix', got {state!r}.")
        self._allowed = space.allowed
        self._counts = [len(decision.choices) for decision in space.decisions]
        self._initial = initial
        self._seen = 1 if state == "layer" else len(self._counts)
        self._rows: dict[tuple[int, Code], list[float]] = {}
        self._written: set[Code] = set()

    def row(self, prefix: Code) -> list[float]:
        """Look up the utilities of the values of the decision after ``prefix``."""
        i = len(prefix)
        state = (i, prefix[max(0, i - self._seen) :])
        row = self._rows.get(state)
        if row is None:
            row = self._rows[state] = [self._initial] * self._counts[i]
        return row

    def write(self, epsilon: float, draw: Draw) -> Code:
        """Choose an architecture that was not written before; after 100 attempts, one that was."""
        for _ in range(_ATTEMPTS):
            code = self.choose(epsilon, draw)
            if code not in self._written:
                break
        self._written.add(code)
        return code

    def choose(self, epsilon: float, draw: Draw) -> Code:
        """Choose one architecture: at each decision uniform with chance ``epsilon``, else the best value.

        Equally good values are drawn uniformly.
        """
        code: Code = ()
        for _ in self._counts:
            values = self._values(code)
            if draw() >= epsilon:
                row = self.row(code)
                best = max([row[value] for value in values])
                values = [value for value in values if row[value] == best]
            code = (*code, values[int(draw() * len(values))])
        return code

    def _values(self, prefix: Code) -> list[int]:
        """List the values that may follow ``prefix``."""
        return [value for value, is_allowed in enumerate(self._allowed(prefix).tolist()) if is_allowed]

    def episode(self, code: Code) -> list[Step]:
        """Write down the steps to an architecture, for ``back_up``."""
        return [(self.row(code[:i]), value, self._values(code[:i])) for i, value in enumerate(code)]


def back_up(episode: Sequence[Step], *, intermediate: float, last: float, rate: float) -> None:
    """Update the utilities along an episode, from its end to its start.

    Args:
        episode: From ``QTable.episode``.
        intermediate: Reward of every step but the last.
        last: Reward of the last step.
        rate: Share of the way to the new utility.
    """
    target = last
    for row, value, values in reversed(episode):
        row[value] += rate * (target - row[value])
        target = intermediate + (max(row) if len(values) == len(row) else max([row[v] for v in values]))


def scheduled_epsilon(schedule: Sequence[tuple[float, int]], proposed: int, scale: float) -> float:
    """Look up the chance of a random choice after so many proposals.

    Args:
        schedule: (epsilon, length) of the phases in order; the last epsilon holds for ever after.
        proposed: Proposals made so far.
        scale: Proposals for each unit of length.
    """
    end = 0
    for epsilon, length in schedule:
        end += length
        if proposed < end * scale:
            return epsilon
    return schedule[-1][0]
