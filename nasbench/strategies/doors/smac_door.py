"""SMAC3's facades, driven through their ask and tell.

1. Draw an initial design of ``initial`` configurations by Sobol's sequence, as SMAC does.
2. Ask SMAC for a configuration: one categorical hyperparameter a decision. Its model is fitted anew for every
   proposal that follows an answer.
3. Repair it where the space's masks forbid a value, and propose the architecture.
4. Tell SMAC the validation error; a failed training is told as crashed, with the greatest error, 1.

SMAC is told that the target is deterministic: no architecture is proposed a second time unless two
configurations are repaired to the same one. It ends when it finds no new configuration, on a small space
somewhat before the last. Until the first answer has come it proposes nothing beyond its initial design.

``facade="hpo"`` models by a random forest, ``"blackbox"`` by a Gaussian process, ``"random"`` by nothing.
Defaults are SMAC's for a run of 100 trials. Deviations, without which a categorical space is searched badly
or a seed gives several runs:

* SMAC fits its model once in 8 proposals; here it is fitted for each.
* Its local search, which on a small space often ends where it has been, is left with what is new, or else
  with the draws of the highest acquisition. SMAC may draw at random before each result, and so passes over
  results that are not new to random configurations.
* The starts of its local search come in one order, where SMAC takes that of a set, which hangs on
  ``PYTHONHASHSEED``.
* 1,000 draws are rated, not 10,000; a tree has room for 2^14 leaves, not 2^20. Both only save time.

Source: Lindauer et al. 2022.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nasbench.errors import BadOption
from nasbench.records import Proposal, Trial
from nasbench.spaces import Space
from nasbench.strategies.doors.library import library, quiet
from nasbench.strategies.doors.repair import repaired
from nasbench.strategies.strategy import Card

FACADES = {
    "hpo": "HyperparameterOptimizationFacade",
    "blackbox": "BlackBoxFacade",
    "random": "RandomFacade",
}
_ENDLESS = 10**9  # trials that SMAC may make: when a run ends is not its business
_MOST_LEAVES = 2**14  # more than a run has trials; SMAC's 2**20 are allocated, and take seconds, at each fit
_DRAWS = 1_000  # rated by the acquisition before the local search; SMAC's 10,000 take long to draw
_FAILED = 1.0  # cost of a failed training


class SMAC3:
    """A facade of SMAC3.

    Args:
        space: The space to search.
        rng: Seeds SMAC.
        facade: One of ``FACADES``.
        initial: Configurations of the initial design, >= 1; None means SMAC's 10 a decision, at most 25.

    Raises:
        BadOption: No such facade, or ``initial`` is not a whole number >= 1.
        MissingExtra: SMAC is not installed.
    """

    card: ClassVar[Card] = Card(family="another library", paper="Lindauer et al. 2022", needs=("smac",))

    def __init__(
        self, space: Space, *, rng: np.random.Generator, facade: str = "hpo", initial: int | None = None
    ) -> None:
        if facade not in FACADES:
            raise BadOption(f"facade: expected one of {', '.join(FACADES)}, got {facade!r}.")
        if initial is not None and (type(initial) is not int or initial < 1):
            raise BadOption(f"initial: expected a whole number >= 1 or none, got {initial!r}.")
        self._space = space
        self._smac = _smac("smac")
        self._records = _smac("smac.runhistory")
        self._threads = _smac("threadpoolctl")
        self._exhausted = _smac("smac.main.exceptions")
        self._names = {i: f"decision {i}" for i, d in enumerate(space.decisions) if len(d.choices) > 1}
        with quiet("smac"), tempfile.TemporaryDirectory() as folder:
            self._facade, self._initial = self._make(
                getattr(self._smac, FACADES[facade]),
                rng,
                folder=folder,  # SMAC writes what it is, once; what it does is not saved
                n_initial=min(10 * len(self._names), 25) if initial is None else initial,
            )
        self._running: dict[int, Any] = {}  # what SMAC asked for, by the number of our trial
        self._proposed = 0
        self._is_told = False
        self._is_done = False

    def _make(self, facade: Any, rng: np.random.Generator, *, folder: str, n_initial: int) -> tuple[Any, int]:
        """Make the facade; return it and the number of its initial configurations."""
        config_space = _smac("ConfigSpace")
        decisions = self._space.decisions
        scenario = self._smac.Scenario(
            config_space.ConfigurationSpace(
                seed=int(rng.integers(2**31)),  # for the initial design; the facade sets its own
                space={name: list(range(len(decisions[i].choices))) for i, name in self._names.items()},
            ),
            output_directory=Path(folder),
            deterministic=True,
            n_trials=_ENDLESS,
            seed=int(rng.integers(2**31)),
        )
        designs = _smac("smac.initial_design")
        design = (
            designs.RandomInitialDesign if facade is self._smac.RandomFacade else designs.SobolInitialDesign
        )
        configurations = design(scenario, n_configs=n_initial).select_configurations()
        made = facade(
            scenario,
            initial_design=design(scenario, n_configs=0, additional_configs=configurations),
            config_selector=facade.get_config_selector(scenario, retrain_after=1),
            model=self._forest(scenario) if facade is self._smac.HyperparameterOptimizationFacade else None,
            acquisition_maximizer=self._maximizer(facade, scenario),
            logging_level=False,
            overwrite=True,
        )
        return made, len(configurations)

    def _forest(self, scenario: Any) -> Any:
        """Make the facade's random forest, in one thread and without room for a million leaves a tree."""
        forests = _smac("smac.model.random_forest.random_forest")
        return forests.RandomForest(
            configspace=scenario.configspace,
            seed=scenario.seed,
            log_y=True,
            n_trees=10,
            ratio_features=1.0,
            min_samples_split=2,
            min_samples_leaf=1,
            max_leaf_nodes=_MOST_LEAVES,
            n_jobs=1,
        )

    @staticmethod
    def _maximizer(facade: Any, scenario: Any) -> Any:
        """Make the search for the highest acquisition; the random facade's rates nothing."""
        draws = {} if facade.__name__ == "RandomFacade" else {"challengers": _DRAWS}
        return _led_to_new(facade.get_acquisition_maximizer(scenario, **draws))

    def ask(self, n: int) -> list[Proposal]:
        """Propose what SMAC asks for; nothing once it found nothing new."""
        proposals: list[Proposal] = []
        with quiet("smac"), self._threads.threadpool_limits(1):
            while len(proposals) < n and not self._is_done:
                if self._proposed >= self._initial and not self._is_told:
                    break  # without data SMAC draws among the running configurations, for ever if need be
                try:
                    asked = self._facade.ask()
                except (StopIteration, self._exhausted.ConfigurationSpaceExhaustedException):
                    self._is_done = True
                    break
                self._running[self._proposed] = asked
                self._proposed += 1
                values = [
                    int(asked.config[self._names[i]]) if i in self._names else 0
                    for i in range(len(self._space.decisions))
                ]
                proposals.append(Proposal(repaired(self._space, values)))
        return proposals

    def tell(self, trials: Sequence[Trial]) -> None:
        """Hand the answers on."""
        with quiet("smac"):
            for trial in trials:
                failed = trial.valid_error is None
                value = self._records.TrialValue(
                    cost=_FAILED if failed else trial.valid_error,
                    status=self._records.StatusType.CRASHED if failed else self._records.StatusType.SUCCESS,
                )
                self._facade.tell(self._running.pop(trial.number), value, save=False)
                self._is_told = True


def _smac(module: str) -> Any:
    """Import a module of SMAC, or one that comes with it."""
    return library(module, extra="smac", purpose="Strategy smac3")


def _led_to_new(maximizer: Any) -> Any:
    """Bend the search for the highest acquisition: one order of its starts, and results that are new."""
    search = getattr(maximizer, "_local_search", None)
    if search is None:  # the random facade has no model to search on
        return maximizer
    starts, maximize = search._get_init_points_from_previous_configs, maximizer._maximize

    def ordered(*given: Any) -> Any:
        return sorted(starts(*given), key=repr)

    def new(previous: list[Any], n: int) -> Any:
        known = set(previous)
        climbed = maximize(previous, n)
        found = [rated for rated in climbed if rated[1] not in known]
        if not found:
            drawn = maximizer._random_search._maximize(previous, n, _sorted=True)
            found = [rated for rated in drawn if rated[1] not in known]
        return found or climbed

    search._get_init_points_from_previous_configs = ordered
    maximizer._maximize = new
    return maximizer
