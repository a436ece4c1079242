"""Syne Tune's schedulers, driven by the calls that its tuner makes.

1. ``suggest`` a configuration, one categorical value a decision; repair it where the space's masks forbid a
   value, and propose the architecture at full length.
2. Show ``on_trial_result`` each epoch of a running trial, where the scheduler looks at them, and stop the
   trial when it says so.
3. At the end call ``on_trial_result``, then ``on_trial_complete`` where it does not say stop; for a failed
   training call ``on_trial_error``, for one stopped early ``on_trial_remove``.

``asha``, ``bohb`` and ``asha-bore`` are asynchronous successive halving, of the kind that stops trainings at
its rungs, with architectures drawn at random, from kernel densities and by BORE; the shortest training length
is their first rung. The others train everything in full.

Defaults are Syne Tune's, but for the kernel densities: with d decisions they are used from 2 (d + 1) results
on, where Syne Tune waits for more than d / 0.15 (Falkner et al. 2018 ask for d + 1 in a density).

Syne Tune draws from the global generators of ``random`` and numpy, which it is lent in a state of its own.

Source: Salinas, Seeger, Klein, Perrone, Wistuba and Archambeau 2022; see Syne Tune's documentation for the
paper of each scheduler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Proposal, Trial, Verdict
from nasbench.spaces import Space
from nasbench.strategies.doors.global_state import GlobalState
from nasbench.strategies.doors.library import library, quiet
from nasbench.strategies.doors.repair import repaired
from nasbench.strategies.strategy import Card, Setting

FULL_LENGTH = {"random-search": "RandomSearch", "tpe": "TPE", "bore": "BORE"}
STOPPING = {"asha": "ASHA", "bohb": "BOHB", "asha-bore": "ASHABORE"}
_ERROR, _EPOCHS = "valid_error", "epochs"
_STOP = "STOP"
_CREATED = datetime(2000, 1, 1)  # of every trial; schedulers carry it along and read nothing from it


class SyneTune:
    """A scheduler of Syne Tune.

    Args:
        space: The space to search.
        rng: Seeds the scheduler and the global state that it is lent.
        setting: Its ``epochs`` are where trainings may be stopped.
        scheduler: One of ``FULL_LENGTH`` or ``STOPPING``.
        reduction: Of every so many trainings that reach a rung one goes on, > 1; only for ``STOPPING``.

    Raises:
        BadOption: No such scheduler, one that stops where only one training length is offered, or a
            ``reduction`` that is not above 1.
        MissingExtra: Syne Tune is not installed.
    """

    card: ClassVar[Card] = Card(
        family="another library", paper="Salinas et al. 2022", needs=("synetune",), multi_fidelity=True
    )

    report: Callable[[Trial, int, float], Verdict]
    """Only there with a scheduler that stops trials, so that with others nothing looks at running ones."""

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        scheduler: str = "asha",
        reduction: float = 3.0,
    ) -> None:
        if scheduler not in FULL_LENGTH | STOPPING:
            known = ", ".join(FULL_LENGTH | STOPPING)
            raise BadOption(f"scheduler: expected one of {known}, got {scheduler!r}.")
        if type(reduction) not in (int, float) or not 1 < reduction < np.inf:
            raise BadOption(f"reduction: expected a number > 1, got {reduction!r}.")
        stops = scheduler in STOPPING
        if stops and len(setting.epochs) < 2:
            raise BadOption(
                f"scheduler: expected one of {', '.join(FULL_LENGTH)} where a source offers one training "
                f"length, got {scheduler!r}."
            )
        self._space = space
        self._names = {i: f"decision {i}" for i, d in enumerate(space.decisions) if len(d.choices) > 1}
        self._trial = _syne_tune("syne_tune.backend.trial_status").Trial
        self._state = GlobalState(rng)
        rungs = {
            "time_attr": _EPOCHS,
            "grace_period": setting.epochs[0],
            "max_t": setting.epochs[-1],
            "reduction_factor": reduction,
        }
        with self._at_work():
            self._scheduler = self._make(
                (FULL_LENGTH | STOPPING)[scheduler], int(rng.integers(2**31)), rungs if stops else {}
            )
        self._running: dict[int, Any] = {}  # Syne Tune's trials by number
        self._proposed = 0
        self._is_done = False
        if stops:
            self.report = self._report

    def _make(self, name: str, seed: int, rungs: dict[str, Any]) -> Any:
        """Make the scheduler."""
        choice = _syne_tune("syne_tune.config_space").choice
        metric = {"metrics": [_ERROR]} if name == "RandomSearch" else {"metric": _ERROR}
        return getattr(_syne_tune("syne_tune.optimizer.baselines"), name)(
            {
                key: choice(list(range(len(self._space.decisions[i].choices))))
                for i, key in self._names.items()
            },
            **metric,
            **rungs,
            **({"num_min_data_points": len(self._names) + 1} if name in ("TPE", "BOHB") else {}),
            do_minimize=True,
            random_seed=seed,
        )

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Let Syne Tune work: quietly, and on its own random state."""
        with quiet("syne_tune"), self._state.lent():
            yield

    def ask(self, n: int) -> list[Proposal]:
        """Propose what the scheduler suggests."""
        proposals: list[Proposal] = []
        with self._at_work():
            while len(proposals) < n and not self._is_done:
                suggestion = self._scheduler.suggest()
                if suggestion is None:
                    self._is_done = True
                    break
                trial = self._trial(self._proposed, suggestion.config, _CREATED)
                self._scheduler.on_trial_add(trial)
                self._running[self._proposed] = trial
                self._proposed += 1
                values = [
                    int(trial.config[self._names[i]]) if i in self._names else 0
                    for i in range(len(self._space.decisions))
                ]
                proposals.append(Proposal(repaired(self._space, values)))
        return proposals

    def _report(self, trial: Trial, epoch: int, valid_error: float) -> Verdict:
        """Let the scheduler decide after an epoch."""
        with self._at_work():
            said = self._scheduler.on_trial_result(
                self._running[trial.number], {_ERROR: valid_error, _EPOCHS: epoch}
            )
        return Verdict.STOP if said == _STOP else Verdict.CONTINUE

    def tell(self, trials: Sequence[Trial]) -> None:
        """Tell the scheduler how its trials ended."""
        with self._at_work():
            for trial in trials:
                ended = self._running.pop(trial.number)
                if trial.valid_error is None:
                    self._scheduler.on_trial_error(ended)
                elif trial.status == "stopped":
                    self._scheduler.on_trial_remove(ended)
                else:
                    result = {_ERROR: trial.valid_error, _EPOCHS: trial.epochs}
                    if self._scheduler.on_trial_result(ended, result) == _STOP:  # at the last rung
                        self._scheduler.on_trial_remove(ended)
                    else:
                        self._scheduler.on_trial_complete(ended, result)


def _syne_tune(module: str) -> Any:
    """Import a module of Syne Tune."""
    return library(module, extra="synetune", purpose="Strategy syne-tune")
