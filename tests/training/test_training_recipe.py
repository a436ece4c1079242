import json
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from nasbench.errors import BadOption, UnknownName
from nasbench.training.recipe import Recipe
from nasbench.training.recipes import RECIPES, get_recipe

PLAIN = Recipe(epochs=10, batch_size=32, learning_rate=0.1)
OTHER_VALUES = {
    "epochs": 11,
    "batch_size": 33,
    "learning_rate": 0.2,
    "momentum": 0.8,
    "nesterov": False,
    "weight_decay": 0.0,
    "schedule": "constant",
    "channels": 8,
    "cells_per_stage": 2,
    "stages": 2,
    "augmentation": "flip-crop",
    "crop_padding": 1,
    "split_seed": 1,
    "precision": "bfloat16",
    "train_images": 100,
    "label_smoothing": 0.1,
    "warmup_epochs": 2,
    "space": "darts",
    "smoothing": 0.9,
    "epsilon": 1.0,
}


def test_a_recipe_is_frozen():
    with pytest.raises(FrozenInstanceError):
        PLAIN.epochs = 3


def test_equal_recipes_have_equal_hashes():
    assert PLAIN.recipe_hash == Recipe(epochs=10, batch_size=32, learning_rate=0.1).recipe_hash


def test_the_hash_of_a_recipe_is_the_same_in_every_version():
    # Written into tables and records: a change here makes their recipes unrecognisable.
    assert RECIPES["digits-small"].recipe_hash.startswith("3092f5d91566")
    assert RECIPES["digits-nb201"].recipe_hash.startswith("10be202f2305")
    assert RECIPES["digits-darts"].recipe_hash.startswith("a41a01a99e31")


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_every_field_changes_the_hash(name):
    assert replace(PLAIN, **{name: OTHER_VALUES[name]}).recipe_hash != PLAIN.recipe_hash


def test_another_optimizer_changes_the_hash():
    plain = replace(PLAIN, nesterov=False)
    hashes = {replace(plain, optimizer=name).recipe_hash for name in ("sgd", "adamw", "rmsprop")}
    assert len(hashes) == 3


def test_the_fields_tried_are_all_fields():
    assert {f.name for f in fields(Recipe)} - set(OTHER_VALUES) == {"optimizer"}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_comes_back_from_its_plain_values(name):
    values = json.loads(json.dumps(RECIPES[name].to_dict()))
    assert Recipe.from_dict(values) == RECIPES[name]


def test_fields_left_out_have_their_defaults():
    assert Recipe.from_dict({"epochs": 10, "batch_size": 32, "learning_rate": 0.1}) == PLAIN


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 3}, "recipe: expected the fields epochs, .*, got 'depth'"),
        ({"epochs": "10"}, "epochs: expected int, got '10'"),
        ({"epochs": True}, "epochs: expected int, got True"),
        ({"nesterov": 1}, "nesterov: expected bool, got 1"),
        ({"learning_rate": None}, "learning_rate: expected float, got None"),
        ({"optimizer": 3}, "optimizer: expected Optimizer, got 3"),
    ],
)
def test_plain_values_that_make_no_recipe_are_named(change, message):
    with pytest.raises(BadOption, match=message):
        Recipe.from_dict(PLAIN.to_dict() | change)


def test_a_missing_field_is_named():
    with pytest.raises(BadOption, match="recipe: expected a value for batch_size, learning_rate, got none"):
        Recipe.from_dict({"epochs": 3})


def test_warm_up_rises_linearly_and_the_cosine_takes_the_rest():
    warm = replace(PLAIN, warmup_epochs=2)
    rates = [warm.learning_rate_at(epoch) for epoch in (0, 1, 2, 6)]
    assert rates == pytest.approx([0.1 / 3, 0.2 / 3, 0.1, 0.05])


def test_published_recipe_h1_is_the_published_one():
    h1 = RECIPES["nb201-h1"]
    assert (h1.epochs, h1.batch_size, h1.learning_rate, h1.momentum) == (200, 256, 0.1, 0.9)
    assert (h1.nesterov, h1.weight_decay, h1.schedule) == (True, 5e-4, "cosine")
    assert (h1.channels, h1.cells_per_stage, h1.stages, h1.crop_padding) == (16, 5, 3, 4)


def test_published_recipe_h0_is_h1_with_12_epochs():
    assert RECIPES["nb201-h0"] == replace(RECIPES["nb201-h1"], epochs=12)


def test_cosine_starts_at_the_learning_rate_and_is_half_of_it_midway():
    assert PLAIN.learning_rate_at(0) == pytest.approx(0.1)
    assert PLAIN.learning_rate_at(5) == pytest.approx(0.05)
    assert PLAIN.learning_rate_at(10) == pytest.approx(0.0)


def test_constant_schedule_keeps_the_learning_rate():
    assert replace(PLAIN, schedule="constant").learning_rate_at(9) == 0.1


def test_names_are_forgiving():
    assert get_recipe("Digits_Small") is RECIPES["digits-small"]


def test_unknown_recipe_lists_the_near_ones():
    with pytest.raises(UnknownName, match=r"no recipe is named 'digit-small'. Did you mean 'digits-small'"):
        get_recipe("digit-small")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs: expected a whole number >= 1, got 0"),
        ({"stages": 0}, "stages: expected a whole number >= 1, got 0"),
        ({"weight_decay": -1.0}, "weight_decay: expected a number >= 0, got -1.0"),
        ({"learning_rate": float("inf")}, "learning_rate: expected a finite number > 0, got inf"),
        ({"momentum": 1.0}, r"momentum: expected a number in \[0, 1\), got 1.0"),
        ({"momentum": 0.0}, "nesterov: expected momentum > 0"),
        ({"schedule": "step"}, "schedule: expected 'cosine' or 'constant', got 'step'"),
        ({"optimizer": "adamw"}, "nesterov: expected optimizer 'sgd', got 'adamw'. Set nesterov=False"),
        ({"optimizer": "adam", "nesterov": False}, "expected 'sgd' or 'adamw' or 'rmsprop', got 'adam'"),
        ({"precision": "int8"}, "expected 'float32' or 'bfloat16' or 'float16', got 'int8'"),
        ({"train_images": 0}, "train_images: expected a whole number >= 1, got 0"),
        ({"label_smoothing": 1.0}, r"label_smoothing: expected a number in \[0, 1\), got 1.0"),
        ({"smoothing": 1.0}, r"smoothing: expected a number in \[0, 1\), got 1.0"),
        ({"epsilon": 0.0}, "epsilon: expected a finite number > 0, got 0.0"),
        ({"warmup_epochs": 10}, "warmup_epochs: expected 0 to 9, fewer than the epochs, got 10"),
    ],
)
def test_a_value_out_of_range_is_named(change, message):
    with pytest.raises(BadOption, match=message):
        replace(PLAIN, **change)
