"""What the one-shot searches have in common: weights trained once for all architectures, answers as reports.

1. A subclass trains the shared weights of ``Setting.relaxation`` epoch by epoch and scores architectures by
   them; whenever it has a new current architecture it yields it.
2. Each yielded architecture is proposed with ``purpose="report"``: it is looked up or trained for the record,
   never told back. It pays for the seconds of the relaxation since the previous proposal, not for its own
   training.
3. After the last one the strategy is done.

On a table that does not answer for its whole space, what is proposed is the architecture of the table that
has the most operations in common with the one that was found.

Against a table the relaxation is an analogue: no weights are trained, a step only costs its time, and the
score of an architecture is its expected error in the table.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np

from nasbench.errors import BadOption, MissingExtra
from nasbench.records import Code, Proposal, Trial
from nasbench.seeds import uniforms
from nasbench.spaces import Space
from nasbench.spaces.mixture import Mixture
from nasbench.strategies.health import look
from nasbench.strategies.relaxation import Relaxation, no_relaxation, path
from nasbench.strategies.strategy import Setting


class OneShotSearch(ABC):
    """Trains, scores and reports; how is the subclass's.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Its ``relaxation`` makes the shared weights.
        epochs: Of the shared weights, >= 1.

    Raises:
        BadOption: The source has no shared weights, or ``epochs`` is no whole number >= 1.
        MissingExtra: torch is not installed.
    """

    def __init__(self, space: Space, *, rng: np.random.Generator, setting: Setting, epochs: int) -> None:
        require_count("epochs", epochs)
        try:
            import torch  # noqa: F401
        except ImportError as error:
            raise MissingExtra.of("torch", "torch", "Search with shared weights") from error
        if setting.relaxation is None:
            raise no_relaxation("shared weights")
        self._space = space
        self._watch = setting.watch
        self._reports = 0
        self._draw = uniforms(rng)
        self._relaxation: Relaxation = setting.relaxation(rng)
        self._epochs = epochs
        self._relaxation.plan(epochs)
        self._charged_seconds = 0.0
        self._answers = self._search()

    @abstractmethod
    def _search(self) -> Iterator[Code]:
        """Train and score; yield the current architecture whenever there is a new one."""

    def ask(self, n: int) -> list[Proposal]:
        """Search on to the next current architecture and report it; ``[]`` after the last."""
        if n < 1:
            return []
        code = next(self._answers, None)
        if code is None:
            return []
        seconds = self._relaxation.seconds - self._charged_seconds
        health = None
        if self._watch is not None and self._watch.is_due(self._reports, self._planned_reports):
            health = look(self._watch, self._space, self._relaxation)
        self._reports += 1
        self._charged_seconds = self._relaxation.seconds  # looking is not paid
        # The code itself, but on a table that does not hold it: there what it has most in common with.
        form = self._relaxation.form
        code = form.architecture(form.chosen([code])[0])
        return [Proposal(code, purpose="report", search_seconds=seconds, health=health)]

    @property
    def _planned_reports(self) -> int:
        """Count the reports of a whole search: one an epoch, unless the subclass says otherwise."""
        return self._epochs

    def tell(self, trials: Sequence[Trial]) -> None:  # noqa: B027 - the same for all
        """Learn nothing: a report is never told back."""

    def _train_on_random_paths(self) -> None:
        """Train one epoch; each minibatch meets one architecture drawn uniformly."""
        for _ in range(self._relaxation.epoch_steps):
            self._relaxation.weight_step(self._path(self._space.sample_one(self._draw)))

    def _path(self, code: Code) -> Mixture:
        """Return the mixture of one discrete architecture."""
        return path(self._relaxation.form, code)

    def _scores(self, codes: Sequence[Code]) -> list[float]:
        """Estimate the errors of architectures with the shared weights."""
        errors: list[float] = self._relaxation.score(np.array(codes, dtype=np.int8)).tolist()
        return errors

    def _best_of(self, codes: Sequence[Code]) -> Code:
        """Return the architecture of the lowest score, the first of equals."""
        scores = self._scores(codes)
        return codes[scores.index(min(scores))]


def require_count(name: str, value: int, least: int = 1) -> None:
    """Refuse what is not a whole number >= ``least``.

    Raises:
        BadOption: It is not.
    """
    if type(value) is not int or value < least:
        raise BadOption(f"{name}: expected a whole number >= {least}, got {value!r}.")


def require_share(name: str, value: float) -> None:
    """Refuse what is not a number in [0, 1).

    Raises:
        BadOption: It is not.
    """
    if type(value) not in (int, float) or not 0 <= value < 1:
        raise BadOption(f"{name}: expected a number in [0, 1), got {value!r}.")
