from dataclasses import replace

import pytest

from nasbench.spaces import get_space
from nasbench.training.recipes import RECIPES


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.fixture(scope="session")
def digits():
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    from nasbench.training.data import get_data

    return get_data("digits")


@pytest.fixture(scope="session")
def space():
    return get_space("nb201")


@pytest.fixture(scope="session")
def tiny():
    """A recipe whose training takes a fraction of a second."""
    return replace(RECIPES["digits-small"], epochs=4, channels=4, cells_per_stage=1, batch_size=256)


@pytest.fixture(scope="session")
def resnet(space):
    return space.parse("|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|")
