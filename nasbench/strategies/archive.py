"""What a model-based strategy remembers: what it proposed, what is running, what was answered.

No architecture is proposed twice. One that failed is not proposed again and has no error; one that was told
more than once counts with its mean error.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nasbench.records import Code, Proposal, Trial
from nasbench.spaces import Draw, Space

_SMALL = 1_000  # architectures of a space that is listed from the start; our choice
_DRAWS = 1_000  # draws in a row, all proposed before, that make a larger space be listed; our choice
_TRIES = 5  # draws or mutations for each candidate wanted, before fewer are taken; our choice
_LEAST_ERROR = 1e-4  # errors below count as this much before a logarithm; our choice


class Archive:
    """Proposed, running and answered architectures of one search, and where new ones come from.

    Args:
        space: The space searched.
        draw: Draws one uniform in [0, 1).
    """

    def __init__(self, space: Space, draw: Draw) -> None:
        self._space = space
        self._draw = draw
        self._proposed: set[Code] = set()
        self._running: dict[Code, None] = {}  # in order of proposal
        self._errors: dict[Code, list[float]] = {}  # in order of the first answer
        self._left: list[Code] | None = None  # never proposed; None until the space is listed
        if space.size is not None and space.size <= _SMALL:
            self._list_left()

    def __len__(self) -> int:
        """Count the architectures proposed."""
        return len(self._proposed)

    def is_new(self, code: Code) -> bool:
        """Say whether an architecture was never proposed."""
        return code not in self._proposed

    def propose(self, code: Code) -> Proposal:
        """File an architecture as running."""
        self._proposed.add(code)
        self._running[code] = None
        if self._left is not None:
            self._left.remove(code)
        return Proposal(code)

    def tell(self, trials: Sequence[Trial]) -> None:
        """File answers; a failed trial is only no longer running."""
        for trial in trials:
            self._running.pop(trial.code, None)
            if trial.valid_error is not None:
                self._errors.setdefault(trial.code, []).append(trial.valid_error)

    @property
    def running(self) -> list[Code]:
        """Architectures without an answer yet, in order of proposal."""
        return list(self._running)

    @property
    def codes(self) -> list[Code]:
        """Architectures with an error, in order of answer."""
        return list(self._errors)

    @property
    def errors(self) -> npt.NDArray[np.float64]:
        """Their errors in the same order, (n,)."""
        return np.array([sum(errors) / len(errors) for errors in self._errors.values()])

    @property
    def log_errors(self) -> npt.NDArray[np.float64]:
        """Their natural logarithms, (n,); what is below 0.01 percent counts as that."""
        return np.log(np.maximum(self.errors, _LEAST_ERROR))

    def best(self, n: int) -> list[Code]:
        """List the at most ``n`` architectures of lowest error, best first."""
        codes = self.codes
        return [codes[i] for i in np.argsort(self.errors, kind="stable")[:n].tolist()]

    # New architectures --------------------------------------------------------------------------

    def draw_new(self) -> Code | None:
        """Draw an architecture that was never proposed; None, for ever, where there seems to be none."""
        if self._left is None:
            for _ in range(_DRAWS):
                code = self._space.sample_one(self._draw)
                if code not in self._proposed:
                    return code
        left = self._list_left()
        return left[int(self._draw() * len(left))] if left else None

    def _list_left(self) -> list[Code]:
        """List what was never proposed; nothing, in a space of unknown size."""
        if self._left is None:
            blocks = self._space.enumerate() if self._space.size is not None else iter(())
            codes = (tuple(row) for block in blocks for row in block.tolist())
            self._left = [code for code in codes if code not in self._proposed]
        return self._left

    def random_candidates(self, n: int) -> list[Code]:
        """Draw at most ``n`` different architectures that were never proposed."""
        if self._left is not None and len(self._left) <= n:
            return list(self._left)
        found: dict[Code, None] = {}
        for _ in range(_TRIES * n):
            if len(found) == n:
                break
            code = self._space.sample_one(self._draw)
            if code not in self._proposed:
                found[code] = None
        return list(found)

    def mutated_candidates(
        self, parents: Sequence[Code], n: int, *, moves: Sequence[float] = (1.0,)
    ) -> list[Code]:
        """Mutate the parents in turn into at most ``n`` different architectures that were never proposed.

        Args:
            parents: Architectures to start from, at least one.
            n: Candidates wanted.
            moves: Chances of 1, 2, 3, ... elementary moves; they add up to 1.
        """
        found: dict[Code, None] = {}
        n = n if self._left is None else min(n, len(self._left))
        limits = [0.0, *np.cumsum(moves)[:-1].tolist()]
        for i in range(_TRIES * n):
            if len(found) == n:
                break
            code = parents[i % len(parents)]
            u = self._draw()
            for limit in limits:
                if u >= limit:
                    code = self._space.mutate_one(code, self._draw)
            if code not in self._proposed:
                found[code] = None
        return list(found)
