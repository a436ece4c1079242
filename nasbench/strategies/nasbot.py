"""NASBOT: Bayesian optimisation with a Gaussian process on the transport distance between networks.

1. Propose ``startup`` uniform draws.
2. Fit a Gaussian process to the logarithms of the errors told. Its kernel is the mean of exp(-beta D) and
   exp(-gamma R): D adds up the OTMANN distances for four weights of the structure, R the squares of the same
   divided by the masses of both networks. Beta, gamma and the noise are chosen by marginal likelihood.
3. Search for the highest expected improvement by evolution: rate the 10 best architectures and 10 draws, then
   ``rounds`` times 50 children of rated ones, drawn by exp(standardised rating / 2) and changed by 1 to 5
   elementary moves with chances 0.5, 0.25, 0.125, 0.075 and 0.05.
4. Propose the best rated that was never proposed, and go to 2.

On a space without a graph a network is the chain of its decisions: a layer each, labelled with the choice
taken. With many decisions it thinks long there, since every pair of networks is new.

Start, moves and children are those of the authors' repository ``nasbot``. Deviations: one beta and one gamma
where there each of the four weights has its own, and equal parts of the two kernels; logarithms of errors; as
many rounds at every trial, where there they grow with the trials; the moves are the space's own.

Running trials are believed at their guess. Failed ones are left out of the model and not proposed again. The
search ends when every architecture was proposed.

Source: Kandasamy, Neiswanger, Schneider, Poczos and Xing 2018.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.strategies.acquisition import expected_improvement
from nasbench.strategies.archive import Archive
from nasbench.strategies.gaussian_process import KernelModel
from nasbench.strategies.layer_graph import LayerGraphs
from nasbench.strategies.strategy import Card
from nasbench.strategies.transport_distance import TransportDistance

_Array = npt.NDArray[np.float64]

_START = 10  # best architectures, and draws, that the evolution starts from; our choice
_CHILDREN = 50  # nasbot opt/ga_optimiser.py, num_mutations_per_epoch
_TEMPERATURE = 2.0  # nasbot opt/ga_optimiser.py, fitness_sampler_scaling_const
_MOVES = (0.5, 0.25, 0.125, 0.075, 0.05)  # nasbot opt/nasbot.py, ga_mutation_op_distro


class OTMANNKernel:
    """Mean of a kernel on the transport distance and one on the distance a unit of mass.

    Args:
        space: The space.
    """

    shapes = tuple(itertools.product((0.01, 0.03, 0.1, 0.3, 1.0), (0.3, 1.0, 3.0, 10.0, 30.0)))
    """(beta, gamma) to choose from; our choice."""

    def __init__(self, space: Space) -> None:
        self._graphs = LayerGraphs(space)
        self._distance = TransportDistance()

    def compare(self, a: Sequence[Code], b: Sequence[Code]) -> _Array:
        """Sum the distances, and the squared distances a unit of mass, over the coefficients, (2, n, m)."""
        first, second = self._graphs(a), self._graphs(b)
        distance = self._distance(first, second)
        mass_a, mass_b = (np.array([self._distance.mass(g) for g in graphs]) for graphs in (first, second))
        relative = distance / np.maximum(mass_a[:, None] + mass_b, 1e-12)
        return np.stack([distance.sum(axis=0), (relative**2).sum(axis=0)])

    def similarity(self, compared: _Array, shape: tuple[float, float]) -> _Array:
        """Let both decay."""
        kernel: _Array = 0.5 * np.exp(-shape[0] * compared[0]) + 0.5 * np.exp(-shape[1] * compared[1])
        return kernel


class NASBOT:
    """Bayesian optimisation with optimal transport.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        startup: Random proposals before the model is used, >= 1.
        rounds: Rounds of 50 children rated for each proposal, >= 1.

    Raises:
        BadOption: An option is out of its range.
    """

    card: ClassVar[Card] = Card(family="Bayesian optimisation", paper="Kandasamy et al. 2018")

    def __init__(self, space: Space, *, rng: np.random.Generator, startup: int = 20, rounds: int = 3) -> None:
        for name, value in (("startup", startup), ("rounds", rounds)):
            if type(value) is not int or value < 1:
                raise BadOption(f"{name}: expected a whole number >= 1, got {value!r}.")
        self._model = KernelModel(OTMANNKernel(space))
        self._draw = uniforms(rng)
        self._archive = Archive(space, self._draw)
        self._startup = startup
        self._rounds = rounds
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
        code = self._evolve()
        if code is None:
            return archive.draw_new()
        model.believe(code)
        return code

    def _evolve(self) -> Code | None:
        """Search for the highest expected improvement; None where all that was met was proposed before."""
        archive = self._archive
        rated = self._rate([*archive.best(_START), *archive.random_candidates(_START)])
        for _ in range(self._rounds):
            children = archive.mutated_candidates(self._parents(rated), _CHILDREN, moves=_MOVES)
            rated.update(self._rate([code for code in children if code not in rated]))
        return max((code for code in rated if archive.is_new(code)), key=rated.__getitem__, default=None)

    def _rate(self, codes: Sequence[Code]) -> dict[Code, float]:
        """Compute the expected improvement of architectures."""
        if not codes:
            return {}
        mean, deviation = self._model.guess(codes)
        best = float(self._archive.log_errors.min())
        return dict(zip(codes, expected_improvement(mean, deviation, best).tolist(), strict=True))

    def _parents(self, rated: dict[Code, float]) -> list[Code]:
        """Draw parents of one round, with replacement."""
        codes, ratings = list(rated), np.array(list(rated.values()))
        scores = (ratings - ratings.mean()) / max(float(ratings.std()), 1e-12)
        cumulative = np.exp((scores - scores.max()) / _TEMPERATURE).cumsum()
        places = [self._draw() * cumulative[-1] for _ in range(_CHILDREN)]
        return [codes[i] for i in np.searchsorted(cumulative, places, side="right").tolist()]

    def tell(self, trials: Sequence[Trial]) -> None:
        """File the answers."""
        self._archive.tell(trials)
        self._is_current = False
