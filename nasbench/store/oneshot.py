"""One-shot errors as columns of a table: what the shared weights of a supernet say of every architecture.

A column is a scalar named ``oneshot_error``, or ``oneshot_error_seed_<s>`` for another seed of the supernet,
in fractions, whose provenance says how the supernet was trained and what that took. No number of it is a
training of the table; the table's own errors say what the architectures are worth.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasbench.errors import FormatError
from nasbench.store.data import Scalar
from nasbench.store.info import canonical_json

if TYPE_CHECKING:
    from nasbench.store.stored import StoredTable

UNIT = "fraction"
_NAME = re.compile(r"oneshot_error(_seed_[1-9]\d*)?")


def name_of(seed: int) -> str:
    """Name the column of a seed of the supernet."""
    return f"oneshot_error_seed_{seed}" if seed else "oneshot_error"


def is_one_shot(name: str) -> bool:
    """Say whether a scalar of this name is a column of one-shot errors."""
    return _NAME.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class OneShot:
    """A column and how it came about.

    Attributes:
        errors: (n,) error of each row by the shared weights, fraction; nan = not scored.
        recipe_hash: Of the recipe that the supernet was built and trained by.
        epochs: Of the shared weights.
        seed: Of the supernet: first weights, order of images, architectures drawn.
        sampling: Which architectures the minibatches met, in words.
        train_seconds: What training the supernet took.
        score_seconds: What scoring one architecture took on average.
        made_by: Device and versions.
    """

    errors: npt.NDArray[np.float64]
    recipe_hash: str
    epochs: int
    seed: int
    sampling: str
    train_seconds: float
    score_seconds: float
    made_by: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of the column."""
        return name_of(self.seed)

    def scalar(self) -> Scalar:
        """Return the column as a table holds it."""
        about = {
            "recipe_hash": self.recipe_hash,
            "epochs": self.epochs,
            "seed": self.seed,
            "sampling": self.sampling,
            "train_seconds": self.train_seconds,
            "score_seconds": self.score_seconds,
            "made_by": self.made_by,
        }
        device = str(self.made_by.get("device", ""))
        return Scalar(self.errors.astype(np.float32), UNIT, device, canonical_json(about))

    @staticmethod
    def read(name: str, scalar: Scalar) -> OneShot:
        """Read a column of a table.

        Raises:
            FormatError: Its unit or provenance is not that of such a column.
        """
        try:
            about = json.loads(scalar.provenance)
            found = OneShot(
                errors=np.asarray(scalar.values, dtype=np.float64),
                recipe_hash=str(about["recipe_hash"]),
                epochs=int(about["epochs"]),
                seed=int(about["seed"]),
                sampling=str(about["sampling"]),
                train_seconds=float(about["train_seconds"]),
                score_seconds=float(about["score_seconds"]),
                made_by=dict(about["made_by"]),
            )
        except (ValueError, TypeError, LookupError) as error:
            raise FormatError(f"provenance: expected how one-shot errors came about, got {error}.") from error
        is_whole = found.epochs >= 1 and found.train_seconds >= 0 and found.score_seconds >= 0
        if scalar.unit != UNIT or found.name != name or not is_whole:
            raise FormatError(
                f"provenance: expected unit {UNIT}, the seed of {name}, epochs >= 1 and seconds >= 0, got "
                f"{scalar.unit}, {found.seed}, {found.epochs}, {found.train_seconds:g} and "
                f"{found.score_seconds:g}."
            )
        return found


def one_shot_columns(table: StoredTable) -> list[OneShot]:
    """Read all such columns of a table, in the order of their seeds.

    Raises:
        FormatError: One of them does not say how it came about.
    """
    names = [name for name in table.scalars if is_one_shot(name)]
    columns = [
        OneShot.read(
            name,
            Scalar(table.scalar(name), *table.scalar_unit(name), table.scalar_provenance(name)),
        )
        for name in names
    ]
    return sorted(columns, key=lambda column: column.seed)
