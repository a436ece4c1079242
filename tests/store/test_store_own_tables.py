"""The tables that this program trained itself, as they ship."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest

from nasbench.spaces import get_space
from nasbench.store.agreement import one_shot_agreement
from nasbench.store.bundled import data_folder, find_table
from nasbench.store.oneshot import one_shot_columns
from nasbench.store.verify import verify_table
from nasbench.training.recipe import Recipe
from nasbench.training.recipes import RECIPES

TABLES = ["digits-nb201", "fashion-nb201"]
ONESHOT = "digits-nb201-oneshot"


@pytest.mark.parametrize("name", [*TABLES, ONESHOT])
def test_the_file_verifies_and_has_the_stated_checksum(name):
    table = find_table(name)
    assert verify_table(table.path) == []
    readme = (data_folder() / "README.md").read_text(encoding="utf-8")
    section = readme.partition(f"## {name}.h5")[2]
    stated = re.search(r"SHA-256 of the file: `([0-9a-f]{64})`", section)
    assert stated is not None
    assert hashlib.sha256(table.path.read_bytes()).hexdigest() == stated[1]


@pytest.mark.parametrize("name", TABLES)
def test_it_was_trained_by_the_recipe_of_its_name(name):
    recipe = Recipe.from_dict(dict(find_table(name).info.recipe))
    assert recipe.recipe_hash == RECIPES[name].recipe_hash


def test_digits_answers_for_the_whole_space_with_three_trainings_of_a_thousand_cells():
    table = find_table("digits-nb201")
    rows = table.rows_of_space()
    assert rows is not None
    assert len(np.unique(rows)) == len(table) == 6_466
    counts = table.replicate_counts()
    assert np.bincount(counts).tolist() == [0, 5_466, 0, 1_000]


def test_digits_tells_cells_apart_and_not_seeds():
    from scipy.stats import spearmanr

    table = find_table("digits-nb201")
    twice = table.replicate_counts() > 1
    errors = table.column("valid_error")[twice, :2, -1]
    assert spearmanr(errors[:, 0], errors[:, 1]).statistic >= 0.8
    low, high = np.quantile(table.mean("valid_error"), [0.05, 0.95])
    assert high - low >= 0.3


def test_one_shot_table_holds_the_ends_of_the_digits_and_a_whole_column():
    ends, whole = find_table(ONESHOT), find_table("digits-nb201")
    assert (ends.codes == whole.codes).all()
    for curve in ends.metrics:
        assert np.array_equal(ends.column(curve)[:, :, 0], whole.column(curve)[:, :, -1], equal_nan=True)
    (column,) = one_shot_columns(ends)
    assert not np.isnan(column.errors).any()
    assert (column.epochs, column.seed) == (300, 0)
    (found,) = one_shot_agreement(ends)
    assert found.ranks.kendall is not None
    assert 0.3 < found.ranks.kendall < 0.6


def test_fashion_is_a_sample_of_distinct_cells():
    table = find_table("fashion-nb201")
    space = get_space("nb201")
    assert len(table) >= 150
    assert len(np.unique(space.canonical(table.codes), axis=0)) == len(table)
