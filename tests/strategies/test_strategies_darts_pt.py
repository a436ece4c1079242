"""DARTS-PT keeps what hurts most when it is gone, which is not what has the highest logit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.strategies.darts_pt import DARTSPT
from nasbench.strategies.strategy import Setting
from nasbench.surrogates.analogue import Analogue
from nasbench.testing import check_strategy, toy_relaxed_setting, toy_space
from nasbench.testing.strategy import RULES

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("space", [toy_space(), get_space("nb201")], ids=lambda space: space.name)
def test_keeps_the_contract(space):
    setting = toy_relaxed_setting(space)
    assert check_strategy(DARTSPT, space, setting=setting, epochs=2, tune_epochs=1) == list(RULES)


def made(planted, rng, **options):
    return DARTSPT(toy_space(), rng=rng, setting=planted.setting, **options)


def codes_of(search):
    codes = []
    while proposals := search.ask(1):
        codes += [proposal.code for proposal in proposals]
    return codes


def after_search(planted, rng, **options):
    """Run the search, then let the logits prefer an operation that is not the planted best."""
    search = made(planted, rng, epochs=1, tune_epochs=1, **options)
    search.ask(1)
    wrong = (0, 1, 2)
    with torch.no_grad():
        search._logits[:] = torch.eye(3)[list(wrong)]
    return search, wrong


def test_projection_finds_what_magnitude_gets_wrong(planted, rng):
    projected, _ = after_search(planted, rng)
    by_magnitude, wrong = after_search(planted, rng, selection="magnitude")
    assert codes_of(projected)[-1] == planted.best
    assert codes_of(by_magnitude)[-1] == wrong


def test_decides_one_edge_a_proposal(planted, rng):
    search, wrong = after_search(planted, rng)
    codes = [wrong, *codes_of(search)]
    assert len(codes) == 1 + 3
    for before, after in itertools.pairwise(codes):
        assert sum(a != b for a, b in zip(before, after, strict=True)) <= 1


def test_measures_once_for_each_operation_of_each_edge(planted, rng, monkeypatch):
    search, _ = after_search(planted, rng)
    calls = []
    kept = planted.relaxation.architecture_loss
    monkeypatch.setattr(planted.relaxation, "architecture_loss", lambda m: calls.append(m) or kept(m))
    codes_of(search)
    assert len(calls) == 3 * 3  # one validation minibatch a pass here
    assert all((mixture.weights == 0).any() for mixture in calls)


def test_decided_edges_have_one_operation(planted, rng):
    search, _ = after_search(planted, rng)
    for decided in range(4):
        assert int(((search._mixture().weights == 1).sum(dim=1) == 1).sum()) == decided
        search.ask(1)


def test_magnitude_measures_nothing_and_tunes_alike(planted, rng, monkeypatch):
    search, _ = after_search(planted, rng, selection="magnitude")
    monkeypatch.setattr(planted.relaxation, "architecture_loss", None)
    steps = []
    monkeypatch.setattr(planted.relaxation, "weight_step", lambda m: steps.append(m))
    codes_of(search)
    assert len(steps) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"selection": "luck"}, "selection: expected one of projection, magnitude, got 'luck'"),
        ({"tune_epochs": -1}, "tune_epochs: expected a whole number >= 0, got -1"),
    ],
)
def test_options_out_of_range_are_refused(planted, rng, options, message):
    with pytest.raises(BadOption, match=message):
        made(planted, rng, **options)


class PlantedCells(Analogue):
    """Pairs of DARTS cells whose error is a sum over edges: less by what each operation is worth."""

    def __init__(self, worth):
        form = get_space("darts").relaxed()
        super().__init__(form, common_seconds=1.0, operation_seconds=None, epoch_steps=1)
        self.worth = worth

    def _expected(self, shares):
        return 0.9 - float((shares * self.worth).sum()), -self.worth

    def score(self, codes):
        return 0.9 - (self.form.chosen(codes) * self.worth).sum(axis=(1, 2))


@pytest.mark.parametrize("selection", ["projection", "magnitude"])
def test_darts_cells_keep_the_operations_and_then_the_edges_that_are_missed_most(selection):
    worth = np.random.default_rng(4).uniform(0.001, 0.004, size=(28, 8))
    worth[:, 0] = 0.0  # none
    best = get_space("darts").relaxed().architecture(worth)
    setting = Setting(epochs=(10,), relaxation=lambda rng: PlantedCells(worth))
    search = DARTSPT(
        get_space("darts"),
        rng=np.random.default_rng(0),
        setting=setting,
        epochs=1,
        tune_epochs=1,
        selection=selection,
    )
    if selection == "magnitude":  # which believes the weights of the search
        with torch.no_grad():
            search._logits.copy_(torch.from_numpy(100 * worth))
    proposals = []
    while asked := search.ask(1):
        proposals += asked
    assert len(proposals) == 1 + 28 + 6  # an epoch, the edges, and the nodes with more than two of them
    assert len(search._dropped) == 28 - 16
    if selection == "magnitude":
        best = get_space("darts").relaxed().architecture(search._logits.detach().softmax(1).numpy())
    assert proposals[-1].code == best
