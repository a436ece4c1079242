"""The face of NAS-Bench-301's package over surrogates of ours: ``load_ensemble(...).predict(...)``.

A script written for it names the folder of a performance or a runtime model; here it is the file of a
surrogate fitted on a table of the space ``darts``, which predicts both. The original's own ensembles are
pickles and are not
read: fit one on a table instead. What differs, on purpose:

* ``with_noise=True`` draws the next training of that architecture, the same in every process, instead of
  one from an unseeded global generator.
* What is returned is of the table that the surrogate was fitted on: its data set, recipe and device.

Source: automl/nasbench301 (Zela et al. 2022), README and ``nasbench301/api.py`` for names and units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nasbench.errors import BadOption, FormatError
from nasbench.evaluation.surrogate_source import SurrogateSource
from nasbench.records import Code
from nasbench.spaces.darts_configspace import from_configspace
from nasbench.surrogates.bundled import find_surrogate
from nasbench.surrogates.files import load
from nasbench.surrogates.names import ENDING
from nasbench.units import percent

Target = Literal["performance", "runtime"]


class Ensemble:
    """What ``load_ensemble`` returns.

    Args:
        source: The surrogate.
        target: What ``predict`` returns.
    """

    def __init__(self, source: SurrogateSource, target: Target) -> None:
        self.source = source
        self.target = target
        self._asked: dict[Code, int] = {}

    def predict(self, config: Any, representation: str, with_noise: bool = True) -> float:
        """Predict one architecture.

        Args:
            config: A genotype (an object with ``normal`` and ``reduce``, or its text), or a configuration of
                ConfigSpace (a mapping, or an object with ``get_dictionary``).
            representation: ``"genotype"`` or ``"configspace"``.
            with_noise: Draw the accuracy of one training instead of the mean; each call draws the next one.

        Returns:
            Validation accuracy in percent, or seconds of a full training where ``target`` is ``"runtime"``.

        Raises:
            BadOption: No such representation.
            NotInSpace: No architecture of the space.
        """
        code = self._code(config, representation)
        if self.target == "runtime":
            return float(self.source.surrogate.predict(np.array([code])).train_seconds[0, 0])
        if with_noise and self.source.is_noisy:
            replicate = self._asked.get(code, 0)
            self._asked[code] = replicate + 1
            error = self.source.draw(code, replicate)
        else:
            error = float(self.source.surrogate.predict(np.array([code])).errors["valid_error"].mean[0, 0])
        return percent(1.0 - error)

    def _code(self, config: Any, representation: str) -> Code:
        if representation == "configspace":
            values = config.get_dictionary() if hasattr(config, "get_dictionary") else config
            if not isinstance(values, Mapping):
                values = dict(values)
            return from_configspace(values)
        if representation != "genotype":
            raise BadOption(f"representation: expected 'genotype' or 'configspace', got {representation!r}.")
        return self.source.space.parse(config if isinstance(config, str) else _genotype_text(config))


def load_ensemble(ensemble_parent_dir: str | Path, target: Target | None = None) -> Ensemble:
    """Open a surrogate of the space ``darts``.

    Args:
        ensemble_parent_dir: A file ``NAME.surrogate.h5``, or the name of one that comes with the program.
        target: ``"performance"`` or ``"runtime"``; None takes the second where the name has ``runtime`` in
            it, as the original's folders have.

    Raises:
        FormatError: A folder of the original's pickles, or a surrogate of another space.
        BadOption: No such target.
        UnknownName: No such surrogate.
        MissingExtra: No such file.
    """
    path = Path(ensemble_parent_dir)
    if path.is_dir():
        raise FormatError(
            f"ensemble_parent_dir: expected a surrogate file *{ENDING}, got the folder {path}. The "
            "pickles of "
            "NAS-Bench-301 are not read; fit a surrogate on a table: nasbench surrogate fit TABLE"
        )
    if target not in (None, "performance", "runtime"):
        raise BadOption(f"target: expected 'performance' or 'runtime', got {target!r}.")
    surrogate, content = load(find_surrogate(str(ensemble_parent_dir)))
    if surrogate.space.name != "darts":
        raise FormatError(
            f"ensemble_parent_dir: expected a surrogate of the space darts, got {surrogate.card.name} of "
            f"{surrogate.space.name}. Ask it as a source: nasbench query {ensemble_parent_dir} ARCHITECTURE"
        )
    chosen: Target = target or ("runtime" if "runtime" in path.name else "performance")
    return Ensemble(SurrogateSource(surrogate, content), chosen)


def _genotype_text(genotype: Any) -> str:
    """Write a genotype object as its notation; what it holds is put together again, never evaluated."""
    parts = []
    for cell in ("normal", "reduce"):
        edges: Sequence[tuple[str, int]] = getattr(genotype, cell)
        parts.append(f"{cell}={[(str(name), int(source)) for name, source in edges]!r}")
        joined = [int(state) for state in getattr(genotype, f"{cell}_concat")]
        parts.append(f"{cell}_concat={joined!r}")
    return f"Genotype({', '.join(parts)})"
