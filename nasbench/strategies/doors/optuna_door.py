"""Optuna's samplers and pruners, driven through the ask-and-tell face of a study in memory.

1. Ask the study for a trial and suggest one categorical value a decision, in order, among the values that
   ``space.allowed`` names after those taken so far; a decision with one legal value is not suggested.
2. Where a pruner is chosen, hand each reported error on, and stop the trial that it says should be pruned.
3. Tell the study the validation error; stopped trials are told as pruned, failed ones as failed.

Optuna wants the choices of a parameter to stay what they were, so a decision is one parameter for each set
of values it is ever offered, and the set is part of its name. Samplers that look at all parameters together
see those that all trials share, as on any conditional space of Optuna; the others are modelled one by one by
``tpe`` and drawn at random by ``nsga2`` and ``gp``. On a plain product nothing of this shows.

Deviation: CMA-ES knows no categories, so ``cmaes`` gets one number in [0, 1] for each choice of each
decision, and a decision takes the legal choice with the greatest (random keys, Bean 1994).

Source: Akiba, Sano, Yanase, Ohta and Koyama 2019; defaults are Optuna's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Code, Proposal, Trial, Verdict
from nasbench.spaces import Space
from nasbench.strategies.doors.library import library, quiet
from nasbench.strategies.strategy import Card, Setting

SAMPLERS = ("tpe", "independent-tpe", "random", "nsga2", "cmaes", "gp")
PRUNERS = ("none", "median", "successive-halving", "hyperband")


class Optuna:
    """A study of Optuna.

    Args:
        space: The space to search.
        rng: Seeds the sampler.
        setting: Its ``epochs`` are the steps at which a pruner may stop a trial.
        sampler: One of ``SAMPLERS``; ``"gp"`` needs torch too.
        pruner: One of ``PRUNERS``.

    Raises:
        BadOption: No such sampler or pruner, or a pruner where only one training length is offered.
        MissingExtra: Optuna, or what the sampler needs besides, is not installed.
    """

    card: ClassVar[Card] = Card(
        family="another library", paper="Akiba et al. 2019", needs=("optuna",), multi_fidelity=True
    )

    report: Callable[[Trial, int, float], Verdict]
    """Only there with a pruner, so that without one nothing has to look at running trials."""

    def __init__(
        self,
        space: Space,
        *,
        rng: np.random.Generator,
        setting: Setting,
        sampler: str = "tpe",
        pruner: str = "none",
    ) -> None:
        for name, given, known in (("sampler", sampler, SAMPLERS), ("pruner", pruner, PRUNERS)):
            if given not in known:
                raise BadOption(f"{name}: expected one of {', '.join(known)}, got {given!r}.")
        if pruner != "none" and len(setting.epochs) < 2:
            raise BadOption(
                f"pruner: expected 'none' where a source offers one training length, got {pruner!r}."
            )
        self._space = space
        self._suggest = self._suggest_keys if sampler == "cmaes" else self._suggest_values
        self._optuna = library("optuna", extra="optuna", purpose="Strategy optuna")
        seed = int(rng.integers(2**31))
        with quiet("optuna"):
            self._study = self._optuna.create_study(
                sampler=_sampler(self._optuna, sampler, seed),
                pruner=_pruner(self._optuna, pruner, setting.epochs),
                study_name=str(seed),  # Hyperband draws a trial's bracket from the study's name
            )
        self._running: dict[int, Any] = {}  # Optuna's trials by number, which is ours too
        if pruner != "none":
            self.report = self._report

    def ask(self, n: int) -> list[Proposal]:
        """Propose what the sampler suggests."""
        proposals = []
        with quiet("optuna"):
            for _ in range(n):
                trial = self._study.ask()
                self._running[trial.number] = trial
                proposals.append(Proposal(self._suggest(trial)))
        return proposals

    def _suggest_values(self, trial: Any) -> Code:
        """Suggest one of the legal values of each decision."""
        code: Code = ()
        for i, decision in enumerate(self._space.decisions):
            legal = np.flatnonzero(self._space.allowed(code)).tolist()
            name = f"{i} of {legal}" if len(legal) < len(decision.choices) else str(i)
            code = (*code, trial.suggest_categorical(name, legal) if len(legal) > 1 else legal[0])
        return code

    def _suggest_keys(self, trial: Any) -> Code:
        """Suggest a number for each choice and take the legal one with the greatest."""
        code: Code = ()
        for i, decision in enumerate(self._space.decisions):
            keys = [trial.suggest_float(f"{i} {choice}", 0.0, 1.0) for choice in range(len(decision.choices))]
            code = (*code, int(np.where(self._space.allowed(code), keys, -1.0).argmax()))
        return code

    def _report(self, trial: Trial, epoch: int, valid_error: float) -> Verdict:
        """Let the pruner decide after an epoch."""
        running = self._running[trial.number]
        with quiet("optuna"):
            running.report(valid_error, step=epoch)
            return Verdict.STOP if running.should_prune() else Verdict.CONTINUE

    def tell(self, trials: Sequence[Trial]) -> None:
        """Finish Optuna's trials."""
        states = self._optuna.trial.TrialState
        with quiet("optuna"):
            for trial in trials:
                running = self._running.pop(trial.number)
                if trial.valid_error is None:
                    self._study.tell(running, state=states.FAIL)
                elif trial.status == "stopped":
                    self._study.tell(running, state=states.PRUNED)
                else:
                    self._study.tell(running, trial.valid_error)


def _sampler(optuna: Any, name: str, seed: int) -> Any:
    """Make a sampler with Optuna's defaults."""
    samplers = optuna.samplers
    if name == "independent-tpe":
        return samplers.TPESampler(seed=seed, multivariate=False)
    if name == "cmaes":
        library("cmaes", extra="optuna", purpose="Sampler cmaes")
        return samplers.CmaEsSampler(seed=seed)
    if name == "gp":
        library("torch", extra="torch", purpose="Sampler gp")
        return samplers.GPSampler(seed=seed)
    plain = {"tpe": "TPESampler", "random": "RandomSampler", "nsga2": "NSGAIISampler"}
    return getattr(samplers, plain[name])(seed=seed)


def _pruner(optuna: Any, name: str, epochs: Sequence[int]) -> Any:
    """Make a pruner with Optuna's defaults between the shortest and the full training length."""
    pruners = optuna.pruners
    if name == "median":
        return pruners.MedianPruner()
    if name == "successive-halving":
        return pruners.SuccessiveHalvingPruner(min_resource=epochs[0])
    if name == "hyperband":
        return pruners.HyperbandPruner(min_resource=epochs[0], max_resource=epochs[-1])
    return pruners.NopPruner()
