"""Watching changes nothing of a search; what it notes is what it says it is."""

from __future__ import annotations

import numpy as np
import pytest
from watched_relaxation import WatchedRelaxation, planted_error, planted_space, reports

from nasbench.errors import BadOption
from nasbench.spaces.mixture import Mixture
from nasbench.strategies import Setting
from nasbench.strategies.darts import DARTS
from nasbench.strategies.drnas import DrNAS
from nasbench.strategies.enas import ENAS
from nasbench.strategies.health import Watch, dominant_eigenvalue, look, sample_of
from nasbench.strategies.loading import load_strategy
from nasbench.strategies.relaxed_search import Plan, softmax
from nasbench.strategies.spos import SPOS

torch = pytest.importorskip("torch")
DIFFERENTIABLE = ["darts", "snas", "gdas", "proxylessnas", "pc-darts", "nasp", "sdarts", "drnas", "darts-pt"]


class Supernetlike(WatchedRelaxation):
    """A table that says that it shares weights, so that its scores are noted."""

    is_analogue = False


def setting(watch=None, kind=Supernetlike):
    return Setting(epochs=(10,), relaxation=lambda rng: kind(planted_space()), watch=watch)


def run(strategy, watch=None, seed=3, kind=Supernetlike, **options):
    made = strategy(planted_space(), rng=np.random.default_rng(seed), setting=setting(watch, kind), **options)
    return reports(made)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_watched_search_proposes_the_same_at_the_same_price(name):
    strategy = load_strategy(name)
    alone = run(strategy, epochs=6)
    watched = run(strategy, Watch(5, 3, eigenvalue=True), epochs=6)
    assert [p.code for p in watched] == [p.code for p in alone]
    assert [p.search_seconds for p in watched] == pytest.approx([p.search_seconds for p in alone])
    assert all(p.health is None for p in alone)
    noted = [p.health for p in watched if p.health is not None]
    assert len(noted) == 3
    assert watched[-1].health is noted[-1]
    assert all(len(seen["scores"]) == 5 and isinstance(seen["eigenvalue"], float) for seen in noted)


@pytest.mark.parametrize(
    ("strategy", "options", "looks"),
    [
        (SPOS, {"epochs": 2, "population": 4, "select": 2, "generations": 4}, 2),
        (ENAS, {"epochs": 4, "controller_steps": 1, "batch": 2, "candidates": 2}, 2),
    ],
)
def test_one_shot_search_is_watched_alike(strategy, options, looks):
    alone = run(strategy, **options)
    watched = run(strategy, Watch(5, looks, eigenvalue=True), **options)
    assert [p.code for p in watched] == [p.code for p in alone]
    assert [p.search_seconds for p in watched] == pytest.approx([p.search_seconds for p in alone])
    noted = [p.health for p in watched if p.health is not None]
    assert len(noted) == looks
    assert all(set(seen) == {"scores"} for seen in noted)  # no parameters of an architecture


def test_scores_are_those_of_a_sample_that_no_seed_changes():
    first = run(DARTS, Watch(7, 1), seed=1, epochs=2)[-1].health["scores"]
    second = run(DARTS, Watch(7, 1), seed=2, epochs=2)[-1].health["scores"]
    sample = sample_of(planted_space(), 7)
    assert first == second == tuple(planted_error(code) for code in sample.tolist())


def test_table_without_shared_weights_has_no_scores_but_curvature():
    seen = run(DARTS, Watch(5, 1, eigenvalue=True), kind=WatchedRelaxation, epochs=2)[-1].health
    assert set(seen) == {"eigenvalue"}
    assert run(DARTS, Watch(5, 1), kind=WatchedRelaxation, epochs=2)[-1].health is None


def test_relaxation_that_cannot_be_differentiated_twice_has_no_curvature():
    class Once:
        is_analogue = True

    logits = torch.zeros(4, 4)
    watch = Watch(5, 1, eigenvalue=True)
    assert look(watch, planted_space(), Once(), parameters=logits, mixture_of=Mixture) is None


@pytest.mark.parametrize("values", [(4.0, 1.0, -0.5), (1.0, -3.0, 2.0), (-2.0, 1.999, 0.0)])
def test_eigenvalue_of_a_quadratic_is_the_largest_in_magnitude_with_its_sign(values, rng):
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    hessian = torch.tensor(rotation @ np.diag(values) @ rotation.T)
    at = torch.tensor(rng.normal(size=(1, 3)))

    def loss(x):
        return 0.5 * (x @ hessian @ x.T).sum()

    assert dominant_eigenvalue(loss, at) == pytest.approx(max(values, key=abs), rel=1e-10)


@pytest.mark.parametrize("slope", [0.0, 2.0])
def test_eigenvalue_of_a_linear_loss_is_zero(slope):
    assert dominant_eigenvalue(lambda x: slope * x.sum(), torch.ones(2, 2)) == 0.0
    assert dominant_eigenvalue(lambda x: (0.0 * x**2).sum(), torch.ones(2, 2)) == 0.0


def test_eigenvalue_of_a_table_is_that_of_the_hessian_by_automatic_differentiation(rng):
    relaxation = WatchedRelaxation(planted_space(), lambda code: float(np.sin(sum(code)) ** 2))
    logits = torch.tensor(rng.normal(size=(4, 4)))

    def loss(flat):
        return relaxation.steady_loss(Mixture(softmax(flat.reshape(4, 4))))

    values = torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, logits.flatten()))
    largest = float(values[values.abs().argmax()])
    found = dominant_eigenvalue(lambda at: relaxation.steady_loss(Mixture(softmax(at))), logits)
    assert found == pytest.approx(largest, rel=1e-6)


@pytest.mark.parametrize("part", [1, 2])
def test_steady_loss_of_a_table_is_its_architecture_loss_and_is_free(part, rng):
    relaxation = WatchedRelaxation(planted_space())
    mixture = Mixture(torch.tensor(rng.random((4, 4))), part=part)
    expected = float(relaxation.architecture_loss(mixture))
    paid = relaxation.seconds
    assert float(relaxation.steady_loss(mixture)) == pytest.approx(expected, rel=1e-12)
    assert relaxation.seconds == paid


def test_looks_are_spread_over_the_reports_and_the_last_is_one():
    watch = Watch(looks=4)
    assert [n for n in range(8) if watch.is_due(n, 8)] == [1, 3, 5, 7]
    assert [n for n in range(3) if watch.is_due(n, 3)] == [0, 1, 2]


def test_settings_are_read_and_spelled_out():
    assert Watch.of({}) is None
    assert Watch.of({"looks": 3}) == Watch(50, 3, eigenvalue=False)
    assert Watch.of({"eigenvalue": True}).as_dict() == {"architectures": 50, "looks": 20, "eigenvalue": True}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tau": 1}, "health: expected architectures, looks and eigenvalue, got 'tau'"),
        ({"looks": 0}, "health.looks: expected a whole number >= 1, got 0"),
        ({"architectures": 2}, "health.architectures: expected a whole number >= 3, got 2"),
        ({"eigenvalue": 1}, "health.eigenvalue: expected true or false, got 1"),
    ],
)
def test_other_settings_are_refused(settings, message):
    with pytest.raises(BadOption, match=message):
        Watch.of(settings)


def test_mean_of_drnas_is_that_of_its_draws(rng):
    search = DrNAS(planted_space(), rng=rng, setting=setting(), epochs=1)
    search._is_late = False
    drawn = np.mean([search._mixture().weights.detach().numpy() for _ in range(3_000)], axis=0)
    mean = search._mean_mixture(search._logits).weights.detach().numpy()
    assert np.abs(drawn - mean).max() < 0.02


def test_plan_takes_more_epochs_where_an_epoch_has_few_steps():
    plan = Plan(10, 0.01, steps=100)
    assert [plan.epochs_of(steps) for steps in (1, 2, 3, 10, 100)] == [100, 50, 34, 10, 10]
    assert Plan(50, 0.01).epochs_of(2) == 50
    assert len(run(DARTS)) == 20  # five steps an epoch
