"""Every small recipe trains an architecture of its space on the digits."""

import math

import numpy as np
import pytest

from nasbench.spaces import get_space
from nasbench.training.networks import NETWORKS
from nasbench.training.recipes import RECIPES

SMALL = sorted(name for name in RECIPES if name.startswith("digits-"))


def test_every_network_has_a_small_recipe():
    assert set(NETWORKS) <= {RECIPES[name].space for name in SMALL}


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
