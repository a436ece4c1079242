import math

import pytest


@pytest.fixture
def network(torch, space):
    from nasbench.training.networks import build_network
    from nasbench.training.recipes import RECIPES
    from nasbench.training.weights import initialise

    def make(seed):
        empty = build_network(
            "nb201", (3,) * 6, recipe=RECIPES["nb201-h1"], image_shape=(3, 32, 32), classes=10
        )
        return initialise(empty, generator=torch.Generator().manual_seed(seed))

    return make


def test_one_seed_gives_one_set_of_weights(torch, network):
    first, second = network(1).state_dict(), network(1).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_another_seed_gives_other_weights(torch, network):
    assert not torch.equal(network(1)[0].weight, network(2)[0].weight)


def test_weights_have_the_spread_of_torch_defaults(network):
    bound = 1 / math.sqrt(3 * 3 * 3)  # stem: three channels, 3 x 3
    weights = network(0)[0].weight.detach()
    assert weights.abs().max() <= bound
    assert float(weights.std()) == pytest.approx(bound / math.sqrt(3), rel=0.1)


def test_normalisation_starts_as_the_identity(network):
    norm = network(0)[1]
    assert (norm.weight == 1).all()
    assert (norm.bias == 0).all()
    assert (norm.running_mean == 0).all()
    assert (norm.running_var == 1).all()


def test_global_random_state_is_untouched(torch, network):
    before = torch.get_rng_state()
    network(0)
    assert torch.equal(before, torch.get_rng_state())


def test_a_layer_without_a_rule_is_never_left_uninitialised(torch):
    from nasbench.training.weights import initialise

    with torch.device("meta"):
        layer = torch.nn.LayerNorm(3)
    with pytest.raises(AssertionError, match="no rule for the first weights of LayerNorm"):
        initialise(layer, generator=torch.Generator())
