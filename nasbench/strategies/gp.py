"""Bayesian optimisation with a Gaussian process on architectures.

1. Propose ``startup`` uniform draws.
2. Fit a Gaussian process to the logarithms of the errors told, its kernel's shape and its noise chosen by
   marginal likelihood.
3. Make ``candidates`` architectures that were never proposed: half of them the 10 best so far changed by one
   elementary move each, the others uniform draws.
4. Propose the candidate of highest acquisition, and go to 2.

Kernels are those of ``kernels.py``: ``"auto"`` is the Weisfeiler-Lehman kernel where the space has a graph,
as in NAS-BOWL, and the Hamming kernel elsewhere. Pool size, its halves and the 10 best are NAS-BOWL's; it
starts from 30 draws and proposes 5 at a time, here every answer is used at once.

Running trials are believed at their guess. Failed ones are left out of the model and not proposed again. The
search ends when every architecture was proposed.

Source: Ru, Wan, Dong and Osborne 2021 (NAS-BOWL); Rasmussen and Williams 2006 for the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.acquisition import ACQUISITIONS, acquire
from nasbench.strategies.archive import Archive
from nasbench.strategies.gaussian_process import KernelModel
from nasbench.strategies.kernels import make_kernel
from nasbench.strategies.strategy import Card

_PARENTS = 10  # best architectures that are mutated; NAS-BOWL n_best


class GP:
    """Gaussian-process Bayesian optimisation.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        kernel: ``"auto"``, ``"hamming"`` (any space), ``"path"`` or ``"wl"`` (spaces with paths or graphs).
        acquisition: ``"ei"``, ``"pi"``, ``"ucb"`` or ``"its"``.
        startup: Random proposals before the model is used, >= 1.
        candidates: Architectures rated for each proposal, >= 2.

    Raises:
        BadOption: An option is out of its range, or the space lacks what the kernel needs.
    """

    card: ClassVar[Card] = Card(family="Bayesian optimisation", paper="Ru et al. 2021")

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        kernel: str = "auto",
        acquisition: str = "ei",
        startup: int = 10,
        candidates: int = 100,
    ) -> None:
        if acquisition not in ACQUISITIONS:
            raise BadOption(
                f"acquisition: expected one of {', '.join(map(repr, ACQUISITIONS))}, got {acquisition!r}."
            )
        for name, value, least in (("startup", startup, 1), ("candidates", candidates, 2)):
            if type(value) is not int or value < least:
                raise BadOption(f"{name}: expected a whole number >= {least}, got {value!r}.")
        self._model = KernelModel(make_kernel(space, kernel))
        self._archive = Archive(space, uniforms(rng))
        self._rng = rng
        self._acquisition = acquisition
        self._startup = startup
        self._candidates = candidates
        self._is_current = False  # whether the model has seen every answer

    def ask(self, n: int) -> list[Proposal]:
        """Propose random draws until ``startup`` were proposed, then what the model favours."""
        proposals: list[Proposal] = []
        while len(proposals) < n and (code := self._next()) is not None:
            proposals.append(self._archive.propose(code))
        return proposals

    def _next(self) -> Code | None:
        """Choose one architecture; None at the end of the space."""
        archive, model = self._archive, self._model
        if len(archive) < self._startup or not archive.codes:
            return archive.draw_new()
        if not self._is_current:
            model.learn(archive.codes, archive.log_errors, archive.running)
            self._is_current = True
        pool = self._pool()
        if not pool:
            return archive.draw_new()
        mean, deviation = model.guess(pool)
        best = float(archive.log_errors.min())
        rating = acquire(self._acquisition, mean, deviation, best=best, rng=self._rng)
        code = pool[int(np.argmax(rating))]
        model.believe(code)
        return code

    def _pool(self) -> list[Code]:
        """Make the candidates: mutations of the best, and uniform draws."""
        archive, half = self._archive, self._candidates // 2
        near = archive.mutated_candidates(archive.best(_PARENTS), half)
        return list(dict.fromkeys(near + archive.random_candidates(self._candidates - half)))

    def tell(self, trials: Sequence[Trial]) -> None:
        """File the answers."""
        self._archive.tell(trials)
        self._is_current = False
