"""The live training behind a surrogate: which data set and which recipe its table was trained with."""

from __future__ import annotations

from dataclasses import dataclass

from nasbench.errors import BadOption
from nasbench.records import SourceInfo
from nasbench.training.data import DATASETS
from nasbench.training.recipe import Recipe
from nasbench.training.recipes import RECIPES


@dataclass(frozen=True, slots=True)
class Behind:
    """How to train what a surrogate predicts.

    Attributes:
        data: Name of the data set.
        recipe_name: Name of the recipe; the first digits of its hash where it has none here.
        recipe: The recipe itself.
    """

    data: str
    recipe_name: str
    recipe: Recipe


def training_behind(info: SourceInfo) -> Behind:
    """Find the training that a surrogate predicts.

    Args:
        info: What the surrogate says of itself as a source.

    Raises:
        BadOption: It is no surrogate, or its recipe or data set is none of this program.
    """
    if info.kind != "surrogate":
        raise BadOption(
            f"retraining: expected surrogates as sources, got the {info.kind} {info.name}. Recorded "
            "trainings are made again with: nasbench compare --source TABLE+live"
        )
    try:
        recipe = Recipe.from_dict(info.extra["recipe"])
    except (KeyError, BadOption) as error:
        raise _none(info) from error
    if info.dataset not in DATASETS:
        raise _none(info)
    names = [name for name, known in RECIPES.items() if known == recipe]
    return Behind(info.dataset, names[0] if names else recipe.recipe_hash[:12], recipe)


def _none(info: SourceInfo) -> BadOption:
    return BadOption(
        f"retraining: expected a surrogate of trainings that can be made here, got {info.name} of "
        f"{info.dataset!r}, trained by no recipe of this program. Leave the retraining out."
    )
