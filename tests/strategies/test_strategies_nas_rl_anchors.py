"""NAS-RL writes the skip connections of its own space by set selection, and learns them."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.spaces import get_space
from nasbench.spaces.chain_skip import ChainSkipSpace
from nasbench.strategies.controller import Controller
from nasbench.strategies.nas_rl import NASRL

torch = pytest.importorskip("torch")

SPACE = ChainSkipSpace(3)


def test_every_anchor_of_the_registered_space_goes_through_the_attention(rng):
    space = get_space("chain-skip-6")
    controller = Controller(space, rng=rng, layers=1, units=4, spread=1.0)
    code = tuple(space.sample(1, rng=rng)[0].tolist())
    before = [row[0].detach().numpy() for row in controller.policy([code])]
    with torch.no_grad():
        controller.weights[-4:] = 0.0  # v of the attention: every score is 0
    after = [row[0].detach().numpy() for row in controller.policy([code])]
    for i in range(len(space.decisions)):
        if i in space.anchors:
            assert after[i] == pytest.approx(np.log([0.5, 0.5]))
            assert before[i] != pytest.approx(after[i])
        else:
            assert before[i] == pytest.approx(after[i])


def test_the_state_of_the_first_layer_is_the_one_behind_its_convolution(rng):
    controller = Controller(SPACE, rng=rng, layers=1, units=4, spread=1.0)
    filters = [d.name for d in SPACE.decisions].index("layer 1 filters")
    assert controller._anchor_step == {0: filters, 1: 3, 2: 7}


@pytest.mark.parametrize("wanted", [0, 1])
def test_anchors_that_pay_are_learned(search, rng, wanted):
    def error_of(code):
        return 0.9 - 0.8 * np.mean([code[i] == wanted for i in SPACE.anchors])

    codes = search(NASRL(SPACE, rng=rng, learning_rate=0.02), error_of, 320)
    assert np.mean([error_of(code) for code in codes[:40]]) > 0.3
    assert np.mean([error_of(code) for code in codes[-40:]]) < 0.2
