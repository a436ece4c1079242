"""From the values that a library without masks chose to an architecture of the space."""

from __future__ import annotations

from collections.abc import Sequence

from nasbench.records import Code
from nasbench.spaces import Space


def repaired(space: Space, values: Sequence[int]) -> Code:
    """Go through the decisions in order and replace each illegal value by the next legal one, cyclically.

    Legal codes stay as they are, so that on a plain product nothing is changed.

    Args:
        space: The space.
        values: One value a decision, each of its decision's choices.
    """
    code: Code = ()
    for value in values:
        legal = space.allowed(code)
        while not legal[value]:
            value = (value + 1) % len(legal)
        code = (*code, int(value))
    return code
