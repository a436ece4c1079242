"""PC-DARTS searches a part of the channels and normalises edges by node."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.spaces.mixture import Mixture
from nasbench.strategies.darts import DARTS
from nasbench.strategies.pc_darts import PCDARTS
from nasbench.strategies.relaxed_search import softmax
from nasbench.strategies.strategy import Setting
from nasbench.surrogates.multilinear import MultilinearRelaxation
from nasbench.testing import check_strategy, toy_relaxed_setting, toy_space
from nasbench.testing.strategy import RULES

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("space", [toy_space(), get_space("nb201")], ids=lambda space: space.name)
def test_keeps_the_contract(space):
    setting = toy_relaxed_setting(space)
    assert check_strategy(
        PCDARTS, space, setting=setting, epochs=4, **({"part": 1} if space.name == "toy" else {})
    ) == list(RULES)


def made(planted, rng, **options):
    return PCDARTS(toy_space(), rng=rng, setting=planted.setting, **options)


def codes_of(search):
    codes = []
    while proposals := search.ask(1):
        codes += [proposal.code for proposal in proposals]
    return codes


def test_finds_the_planted_best(planted, rng):
    assert codes_of(made(planted, rng, epochs=10, learning_rate=0.1, part=1))[-1] == planted.best


def cells(rng):
    return PCDARTS(get_space("nb201"), rng=rng, setting=toy_relaxed_setting(get_space("nb201")))


def test_edges_of_a_node_share_its_input(rng):
    search = cells(rng)
    with torch.no_grad():
        search._edge_numbers.normal_(generator=torch.Generator().manual_seed(0))
    shares = search._edge_shares().detach()
    assert [float(shares[edges].sum()) for edges in ([0], [1, 2], [3, 4, 5])] == pytest.approx([1, 1, 1])
    assert torch.allclose(shares[3:], torch.softmax(search._edge_numbers[3:].detach(), dim=0))


def test_mixture_is_partial_and_has_edge_weights(rng):
    mixture = cells(rng)._mixture()
    assert mixture.part == 4
    assert mixture.edge_weights.shape == (6,)


def test_edges_with_other_names_go_unweighted(planted, rng):
    assert made(planted, rng, part=1)._edge_shares().tolist() == [1, 1, 1]


class EdgesCount(MultilinearRelaxation):
    """A loss that edges' shares do change."""

    def architecture_loss(self, mixture):
        loss = super().architecture_loss(Mixture(mixture.weights))
        return loss if mixture.edge_weights is None else loss + (mixture.edge_weights**2).sum()


def test_edge_numbers_are_trained(rng):
    space = get_space("nb201")
    setting = toy_relaxed_setting(space)
    search = PCDARTS(space, rng=rng, setting=setting, part=1, learning_rate=0.1)
    relaxation = EdgesCount(space, rng.random(space.size), epoch_steps=3)
    search._relaxation = relaxation
    with torch.no_grad():
        search._edge_numbers[3] = 1.0
    before = search._edge_shares().detach()
    for _ in range(20):
        search._architecture_step()
    assert (search._edge_shares()[3:].detach() ** 2).sum() < (before[3:] ** 2).sum()


def test_with_all_channels_it_is_darts_after_the_wait(planted):
    def logits(strategy, steps):
        search = strategy(
            toy_space(),
            rng=np.random.default_rng(4),
            setting=planted.setting,
            learning_rate=0.01,
            **({"part": 1} if strategy is PCDARTS else {}),
        )
        for _ in range(steps):
            search._architecture_step()
        return search._logits.detach()

    assert torch.equal(logits(PCDARTS, 5), logits(DARTS, 5))
    assert softmax(logits(DARTS, 5)).shape == (3, 3)


def test_logits_wait_for_the_first_epochs(planted, rng):
    search = made(planted, rng, part=1, epochs=10)
    before = search._logits.detach().clone()
    for _ in range(3):
        search.ask(1)
    assert torch.equal(search._logits, before)
    search.ask(1)
    assert not torch.equal(search._logits, before)


def test_partial_channels_are_refused_without_a_skip_connection(planted, rng):
    with pytest.raises(BadOption, match="part: expected a space with skip_connect at every decision"):
        made(planted, rng)


@pytest.mark.parametrize("part", [0, 2.0, True])
def test_part_out_of_range_is_refused(planted, rng, part):
    with pytest.raises(BadOption, match="part: expected a whole number >= 1"):
        made(planted, rng, part=part)


def test_darts_cells_are_read_off_from_operations_and_edges_together():
    from nasbench.surrogates.analogue import Analogue

    space = get_space("darts")

    class Flat(Analogue):
        def _expected(self, shares):
            return 0.5, np.zeros_like(shares)

        def score(self, codes):
            return np.full(len(codes), 0.5)

    flat = Flat(space.relaxed(), common_seconds=1.0, operation_seconds=None, epoch_steps=1)
    setting = Setting(epochs=(10,), relaxation=lambda rng: flat)
    search = PCDARTS(space, rng=np.random.default_rng(0), setting=setting, epochs=2)
    with torch.no_grad():
        search._edge_numbers[[9, 13]] += 5.0  # of the five edges into the last node of the normal cell
    shares = search._edge_shares().detach()
    assert [float(shares[list(node)].sum()) for node in flat.form.nodes] == pytest.approx([1.0] * 8)
    normal, _ = space.cells(search.architecture())
    assert [source for _, source in normal[-2:]] == [0, 4]
