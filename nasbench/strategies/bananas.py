"""BANANAS: Bayesian optimisation with an ensemble of perceptrons on path encodings.

1. Propose ``startup`` uniform draws.
2. Train ``members`` perceptrons, each on all errors told, in percent. They see the path encoding where the
   space has one, else the one-hot encoding.
3. Make 100 candidates that were never proposed: mutations of the best architecture, then of the second best,
   and so on down to the fifth while there are fewer.
4. Draw each candidate's error from the normal that the ensemble's mean and spread make (independent Thompson
   sampling), propose the ``k`` lowest, and go to 2.

Defaults are those of the authors' repository ``naszilla``. Deviations: all paths are encoded, where there
only the shortest are; a mutation is one to four elementary moves of the space, with the chances that
naszilla's independent changes of each edge of nb201 give these numbers. With asynchronous workers a round
starts when the last one is handed out, on whatever was told so far.

Failed trials are left out of the training and not proposed again. The search ends when every architecture was
proposed.

Source: White, Neiswanger and Savani 2021, Algorithm 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.acquisition import ACQUISITIONS, acquire, thompson_sampling
from nasbench.strategies.archive import Archive
from nasbench.strategies.mlp_ensemble import MLPEnsemble
from nasbench.strategies.strategy import Card
from nasbench.units import percent

_Array = npt.NDArray[np.float64]

_CANDIDATES = 100  # naszilla nas_benchmarks.py, get_candidates
_PARENTS = 5  # naszilla nas_benchmarks.py, num_arches_to_mutate * patience_factor
# Chances of 1 to 4 changed edges of 6, each changed with chance 1/4 (naszilla cell_201.py), if any is.
_MOVES = (0.43, 0.36, 0.16, 0.05)


class Bananas:
    """Bayesian optimisation with a neural ensemble.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        startup: Random proposals before the model is used, >= 1.
        k: Proposals between two trainings of the ensemble, >= 1.
        acquisition: ``"its"``, ``"ts"`` (Thompson sampling: one member is believed), ``"ei"``, ``"pi"`` or
            ``"ucb"``.
        members: Perceptrons, >= 2.
        layers: Hidden layers of each, >= 1.
        width: Units of a hidden layer, >= 1.
        epochs: Passes over the data in each training, >= 1.
        learning_rate: Adam's step size, > 0.

    Raises:
        BadOption: An option is out of its range.
    """

    card: ClassVar[Card] = Card(family="Bayesian optimisation", paper="White et al. 2021")

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        startup: int = 10,
        k: int = 10,
        acquisition: str = "its",
        members: int = 5,
        layers: int = 10,
        width: int = 20,
        epochs: int = 150,
        learning_rate: float = 0.01,
    ) -> None:
        for name, value, least in (
            ("startup", startup, 1),
            ("k", k, 1),
            ("members", members, 2),
            ("layers", layers, 1),
            ("width", width, 1),
            ("epochs", epochs, 1),
        ):
            if type(value) is not int or value < least:
                raise BadOption(f"{name}: expected a whole number >= {least}, got {value!r}.")
        if not 0 < learning_rate < float("inf"):
            raise BadOption(f"learning_rate: expected a number > 0, got {learning_rate!r}.")
        known = ("ts", *ACQUISITIONS)
        if acquisition not in known:
            raise BadOption(
                f"acquisition: expected one of {', '.join(map(repr, known))}, got {acquisition!r}."
            )
        self._space = space
        self._encoding = "path" if "path" in space.encodings else "onehot"
        self._rng = rng
        self._archive = Archive(space, uniforms(rng))
        self._startup = startup
        self._k = k
        self._acquisition = acquisition
        self._members, self._layers, self._width = members, layers, width
        self._epochs, self._learning_rate = epochs, learning_rate
        self._queue: list[Code] = []  # this round's choices not yet proposed, best last

    def ask(self, n: int) -> list[Proposal]:
        """Propose random draws until ``startup`` were proposed, then the choices of round after round."""
        proposals: list[Proposal] = []
        while len(proposals) < n and (code := self._next()) is not None:
            proposals.append(self._archive.propose(code))
        return proposals

    def _next(self) -> Code | None:
        """Choose one architecture; None at the end of the space."""
        if len(self._archive) < self._startup or not self._archive.codes:
            return self._archive.draw_new()
        if not self._queue:
            candidates = self._candidates()
            if not candidates:
                return self._archive.draw_new()
            rating = self._rate(candidates)
            chosen = np.argsort(-rating, kind="stable")[: self._k]
            self._queue = [candidates[i] for i in chosen[::-1].tolist()]
        return self._queue.pop()

    def _candidates(self) -> list[Code]:
        """Mutate the best architecture, then the next while there are too few candidates."""
        found: dict[Code, None] = {}
        for parent in self._archive.best(_PARENTS):
            if len(found) >= _CANDIDATES:
                break
            found.update(dict.fromkeys(self._archive.mutated_candidates([parent], _CANDIDATES, moves=_MOVES)))
        return list(found)

    def _rate(self, candidates: Sequence[Code]) -> _Array:
        """Train the ensemble anew and rate candidates, (n,), higher is better."""
        archive = self._archive
        known, asked = (
            self._space.encode(np.array(codes), self._encoding) for codes in (archive.codes, candidates)
        )
        targets = [percent(error) for error in archive.errors.tolist()]
        ensemble = MLPEnsemble(
            known.shape[1],
            members=self._members,
            layers=self._layers,
            width=self._width,
            learning_rate=self._learning_rate,
            rng=self._rng,
        )
        ensemble.fit(known, targets, epochs=self._epochs)
        guesses = ensemble.predict(asked)
        if self._acquisition == "ts":
            return thompson_sampling(guesses, rng=self._rng)
        return acquire(
            self._acquisition, guesses.mean(axis=0), guesses.std(axis=0), best=min(targets), rng=self._rng
        )

    def tell(self, trials: Sequence[Trial]) -> None:
        """File the answers."""
        self._archive.tell(trials)
