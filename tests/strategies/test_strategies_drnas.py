"""DrNAS draws from Dirichlet distributions and differentiates through the draws."""

from __future__ import annotations

import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.strategies.drnas import DrNAS, dirichlet
from nasbench.testing import check_strategy, toy_relaxed_setting, toy_space
from nasbench.testing.strategy import RULES

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("space", [toy_space(), get_space("nb201")], ids=lambda space: space.name)
def test_keeps_the_contract(space):
    setting = toy_relaxed_setting(space)
    assert check_strategy(DrNAS, space, setting=setting, epochs=4) == list(RULES)


def made(planted, rng, **options):
    return DrNAS(toy_space(), rng=rng, setting=planted.setting, **options)


def codes_of(search):
    codes = []
    while proposals := search.ask(1):
        codes += [proposal.code for proposal in proposals]
    return codes


def test_finds_the_planted_best(planted, rng):
    assert codes_of(made(planted, rng, epochs=60, learning_rate=0.1))[-1] == planted.best


def test_draws_are_probabilities_with_the_right_means(rng):
    concentration = torch.tensor([[0.5, 1.0, 2.5]], dtype=torch.float64)
    draws = torch.cat([dirichlet(concentration, rng) for _ in range(4_000)])
    assert torch.allclose(draws.sum(dim=1), torch.ones(4_000, dtype=torch.float64), atol=1e-12)
    assert float(draws.min()) >= 0
    # Standard errors of the means are below 0.004.
    assert draws.mean(dim=0).tolist() == pytest.approx([0.125, 0.25, 0.625], abs=0.016)


def test_gradient_through_the_draws_is_that_of_the_mean(rng):
    concentration = torch.tensor([[0.8, 1.2, 2.0]], dtype=torch.float64, requires_grad=True)
    n = 4_000
    sum(dirichlet(concentration, rng)[0, 0] for _ in range(n)).backward()
    total = 4.0
    analytic = torch.tensor([(total - 0.8) / total**2, -0.8 / total**2, -0.8 / total**2])
    assert (concentration.grad[0] / n).tolist() == pytest.approx(analytic.tolist(), abs=0.008)


def test_draw_is_differentiated_as_torchs_own(rng):
    concentration = torch.tensor(rng.uniform(0.3, 3.0, size=(2, 4)), requires_grad=True)
    weights = torch.tensor(rng.random((2, 4)))
    draw = dirichlet(concentration, rng)
    (mine,) = torch.autograd.grad((weights * draw).sum(), concentration)
    from torch.distributions.dirichlet import _Dirichlet_backward

    assert torch.allclose(mine, _Dirichlet_backward(draw.detach(), concentration.detach(), weights))


def test_global_generator_of_torch_is_left_alone(planted, rng):
    before = torch.random.get_rng_state()
    codes_of(made(planted, rng, epochs=2))
    assert torch.equal(torch.random.get_rng_state(), before)


def cells(rng, **options):
    space = get_space("nb201")
    return DrNAS(space, rng=rng, setting=toy_relaxed_setting(space), progressive=True, **options)


def test_progressive_search_drops_operations_and_widens_at_half_time(rng):
    search = cells(rng, epochs=4)
    search.ask(2)
    search.ask(2)
    assert search._mixture().part == 4
    assert (search._mixture().weights != 0).sum(dim=1).tolist() == [5] * 6
    search.ask(2)
    assert search._mixture().part == 2
    assert (search._mixture().weights != 0).sum(dim=1).tolist() == [3] * 6


def test_dropped_operations_are_those_of_the_lowest_means_and_never_return(rng):
    search = cells(rng, epochs=4, learning_rate=1e-9)
    with torch.no_grad():
        search._logits[:] = torch.tensor([0.1, 0.5, 0.3, 0.2, 0.4])
    for _ in range(3):
        search.ask(1)
    assert search._kept.tolist() == [[1, 2, 4]] * 6
    with torch.no_grad():
        search._logits[:, 0] = 9.0
    assert search.architecture() == (1,) * 6


def test_progressive_search_keeps_the_contract():
    space = get_space("nb201")
    assert check_strategy(DrNAS, space, setting=toy_relaxed_setting(space), epochs=4, progressive=True)


def test_progressive_search_is_refused_without_a_skip_connection(planted, rng):
    with pytest.raises(BadOption, match="progressive: expected a space with skip_connect at every decision"):
        made(planted, rng, progressive=True)


def test_progressive_other_than_true_or_false_is_refused(planted, rng):
    with pytest.raises(BadOption, match="progressive: expected True or False, got 1"):
        made(planted, rng, progressive=1)
