"""Every small recipe trains an architecture of its space on the digits."""

import math
import re

import numpy as np
import pytest

from nasbench.spaces import get_space
from nasbench.spaces.cards import CARDS
from nasbench.training.networks import NETWORKS
from nasbench.training.recipes import RECIPES

SMALL = sorted(name for name in RECIPES if name.startswith("digits-"))


def test_every_network_has_a_small_recipe():
    assert set(NETWORKS) <= {RECIPES[name].space for name in SMALL}


@pytest.mark.parametrize("name", sorted(CARDS))
def test_recipes_that_a_space_names_are_its_own(name):
    named = re.findall(r"\b[a-z0-9]+(?:-[a-z0-9]+)+\b", CARDS[name].networks.partition("recipe")[2])
    assert {RECIPES[recipe].space for recipe in named} <= {name}
    assert bool(named) <= (name in NETWORKS)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_one_epoch_trains(torch, digits, name):
    from nasbench.evaluation.live import LiveSource

    source = LiveSource("digits", RECIPES[name])
    space = get_space(RECIPES[name].space)
    code = tuple(space.sample(1, rng=np.random.default_rng(7))[0].tolist())
    answer = source.answer(code, epochs=1, replicate=0)
    assert answer.status == "ok"
    assert 0.0 <= answer.valid_error <= 1.0
    assert math.isfinite(answer.train_seconds)
    assert source.costs["parameters"](code) > 0
