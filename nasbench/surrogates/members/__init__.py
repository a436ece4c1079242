"""The models behind a surrogate, one file a kind; fitted by a library, kept as arrays, asked in numpy.

``MEMBERS`` names the kinds; ``MODELS`` names what can be fitted: several members of a kind, each on another
nine tenths of the architectures, or unlike members together. A new kind is a file here and a line below.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from nasbench.errors import UnknownName
from nasbench.surrogates.inputs import Inputs

Floats = npt.NDArray[np.float64]
Arrays = dict[str, npt.NDArray[np.generic]]


@runtime_checkable
class Member(Protocol):
    """One fitted model of k targets at once.

    Attributes:
        most_rows: Most architectures it is fitted on; of more a random part is taken.
    """

    most_rows: int

    @classmethod
    def fit(cls, inputs: Inputs, targets: Floats, *, rng: np.random.Generator) -> Member:
        """Fit on n architectures and (n, k) targets, each of mean 0 and standard deviation 1."""
        ...

    def predict(self, inputs: Inputs) -> Floats:
        """Predict (n, k) targets."""
        ...

    def arrays(self) -> Arrays:
        """Return everything that ``load`` needs, as arrays of numbers."""
        ...

    @classmethod
    def load(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Member:
        """Make the member that ``arrays`` described."""
        ...


MEMBERS: dict[str, str] = {
    "gin": "nasbench.surrogates.members.gin:GIN",
    "gp": "nasbench.surrogates.members.gaussian_process:GaussianProcess",
    "lightgbm": "nasbench.surrogates.members.light_boosting:LightBoosting",
    "linear": "nasbench.surrogates.members.linear:Linear",
    "mlp": "nasbench.surrogates.members.perceptron:Perceptron",
    "random-forest": "nasbench.surrogates.members.random_forest:RandomForest",
    "ridge": "nasbench.surrogates.members.ridge:Ridge",
    "svr": "nasbench.surrogates.members.support_vectors:SupportVectors",
    "xgboost": "nasbench.surrogates.members.boosting:Boosting",
}

MODELS: dict[str, tuple[str, ...]] = {
    "ensemble": ("xgboost", "mlp", "mlp", "mlp", "linear"),
    "gin": ("gin", "gin", "gin"),
    "gp": ("gp", "gp", "gp"),
    "lightgbm": ("lightgbm", "lightgbm", "lightgbm"),
    "linear": ("linear", "linear", "linear"),
    "mlp": ("mlp", "mlp", "mlp", "mlp", "mlp"),
    "random-forest": ("random-forest", "random-forest", "random-forest"),
    "ridge": ("ridge", "ridge", "ridge"),
    "smooth-ensemble": ("gp", "svr", "svr", "ridge", "xgboost"),
    "svr": ("svr", "svr", "svr"),
    "xgboost": ("xgboost", "xgboost", "xgboost"),
}


def member_class(kind: str) -> type[Member]:
    """Import the class of a kind.

    Raises:
        UnknownName: No such kind.
    """
    if kind not in MEMBERS:
        raise UnknownName.among("member", kind, MEMBERS)
    module, _, name = MEMBERS[kind].partition(":")
    found: type[Member] = getattr(importlib.import_module(module), name)
    return found


def members_of(model: str) -> tuple[str, ...]:
    """List the kinds of the members of a model.

    Raises:
        UnknownName: No such model.
    """
    key = model.strip().lower().replace("_", "-")
    if key not in MODELS:
        raise UnknownName.among("surrogate", model, MODELS, hint="List them with: nasbench list surrogates")
    return MODELS[key]


def seed_of(rng: np.random.Generator) -> int:
    """Draw the seed that a library wants, a whole number below 2**31."""
    return int(rng.integers(0, 1 << 31))
