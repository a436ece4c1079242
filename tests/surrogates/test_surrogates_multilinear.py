"""The relaxed table is the table at its corners, its expectation in between, and asks for honest prices."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.evaluation.opening import open_source
from nasbench.evaluation.table_source import TableSource
from nasbench.spaces import Decision, ProductSpace, get_space
from nasbench.spaces.mixture import Mixture
from nasbench.store.oneshot import OneShot
from nasbench.store.table import open_table
from nasbench.store.writer import write_tables
from nasbench.strategies.relaxation import Relaxation, discretise
from nasbench.surrogates.analogue import operation_seconds
from nasbench.surrogates.multilinear import MultilinearRelaxation, relax
from nasbench.testing import ToyChain, toy_space

torch = pytest.importorskip("torch")


def one_hot(code, operations=3):
    return torch.nn.functional.one_hot(torch.tensor(code), operations).double()


@pytest.fixture
def errors(rng):
    return rng.random(27)


@pytest.fixture
def relaxed(errors):
    return MultilinearRelaxation(
        toy_space(), errors, common_seconds=10.0, operation_seconds=[0.0, 1.0, 5.0], epoch_steps=10
    )


def test_it_is_a_relaxation(relaxed):
    assert isinstance(relaxed, Relaxation)
    assert (relaxed.edges, relaxed.operations, relaxed.is_analogue) == (3, 3, True)


def test_at_an_architecture_it_is_the_table(relaxed, errors):
    for rank, code in enumerate(itertools.product(range(3), repeat=3)):
        assert float(relaxed.architecture_loss(Mixture(one_hot(code)))) == errors[rank]


def test_in_between_it_is_the_sum_over_all_architectures(relaxed, errors, rng):
    shares = torch.tensor(rng.dirichlet(np.ones(3), size=3))
    expected = sum(
        errors[rank] * shares[0, a] * shares[1, b] * shares[2, c]
        for rank, (a, b, c) in enumerate(itertools.product(range(3), repeat=3))
    )
    assert float(relaxed.training_loss(Mixture(shares))) == pytest.approx(float(expected), rel=1e-12)


def test_gradient_agrees_with_finite_differences(relaxed, rng):
    weights = torch.tensor(rng.random((3, 3)), requires_grad=True)
    assert torch.autograd.gradcheck(lambda w: relaxed.architecture_loss(Mixture(w)), (weights,))


def test_scale_of_an_edge_and_edge_weights_change_nothing(relaxed, rng):
    weights = torch.tensor(rng.random((3, 3)))
    plain = float(relaxed.architecture_loss(Mixture(weights)))
    scaled = weights * torch.tensor([[2.0], [1.0], [0.1]])
    assert float(relaxed.architecture_loss(Mixture(scaled))) == pytest.approx(plain, rel=1e-12)
    assert float(relaxed.architecture_loss(Mixture(weights, edge_weights=weights[0]))) == plain


def test_named_active_operations_let_the_gradient_see_every_neighbour(relaxed, errors):
    weights = one_hot((0, 1, 2)).requires_grad_()
    relaxed.architecture_loss(Mixture(weights, active=weights.detach().bool())).backward()
    table = errors.reshape(3, 3, 3)
    here = table[0, 1, 2]
    neighbours = np.stack([table[:, 1, 2], table[0, :, 2], table[0, 1, :]])
    assert weights.grad.numpy() == pytest.approx(neighbours - here, abs=1e-12)


def test_operations_that_are_not_executed_get_no_gradient(relaxed):
    weights = one_hot((0, 1, 2)).requires_grad_()
    relaxed.architecture_loss(Mixture(weights)).backward()
    assert not weights.grad.any()


def test_unrolled_gradient_is_the_first_order_one(relaxed, rng):
    weights = torch.tensor(rng.random((3, 3)), requires_grad=True)
    relaxed.architecture_loss(Mixture(weights)).backward()
    assert torch.equal(relaxed.unrolled_gradient(Mixture(weights)), weights.grad)
    assert torch.equal(relaxed.unrolled_gradient(Mixture(weights), is_exact=True), weights.grad)


def test_score_looks_up(relaxed, errors):
    assert relaxed.score(np.array([[0, 0, 1], [2, 2, 2]], dtype=np.int8)).tolist() == [errors[1], errors[26]]


def test_prices_follow_the_operations_executed(relaxed):
    path = Mixture(one_hot((0, 1, 2)))  # operations of 0, 1 and 5 seconds
    full = Mixture(torch.full((3, 3), 1 / 3, dtype=torch.float64))

    def price(call, *arguments):
        before = relaxed.seconds
        call(*arguments)
        return relaxed.seconds - before

    assert price(relaxed.weight_step, path) == pytest.approx((10 + 6) / 10)
    assert price(relaxed.weight_step, full) == pytest.approx((10 + 18) / 10)
    assert price(relaxed.architecture_loss, full) == pytest.approx((10 + 18) / 10)
    assert price(relaxed.unrolled_gradient, full) == pytest.approx(4 * (10 + 18) / 10)
    assert price(relaxed.score, np.array([[0, 1, 2]])) == pytest.approx((10 + 6) / 10)
    asked = Mixture(path.weights.clone().requires_grad_(), active=path.weights.bool())
    assert price(relaxed.architecture_loss, asked) == pytest.approx((10 + 18) / 10)
    assert price(relaxed.weight_step, asked) == pytest.approx((10 + 6) / 10)


def test_bypassed_channels_are_skip_connections():
    space = ProductSpace("two", [Decision(f"0->{i}", ("none", "skip_connect")) for i in (1, 2)])
    relaxed = MultilinearRelaxation(space, np.array([0.8, 0.4, 0.2, 0.0]))
    none = Mixture(one_hot((0, 0), 2), part=4)  # each edge is a quarter none
    expected = (0.8 + 3 * 0.4 + 3 * 0.2) / 16
    assert float(relaxed.architecture_loss(none)) == pytest.approx(expected)


def test_bypassed_channels_are_refused_where_there_is_no_skip_connection(relaxed):
    with pytest.raises(BadOption, match="part: expected 1 in a space without skip_connect"):
        relaxed.architecture_loss(Mixture(one_hot((0, 1, 2)), part=4))


def test_edge_without_any_weight_is_refused(relaxed):
    with pytest.raises(BadOption, match="weights: expected a positive sum on every edge"):
        relaxed.architecture_loss(Mixture(torch.zeros(3, 3)))


def test_seconds_split_into_what_all_have_and_the_operations(rng):
    codes = rng.integers(0, 3, size=(200, 4)).astype(np.int8)
    prices = np.array([1.0, 3.0, 2.0])
    common, operations = operation_seconds(np.eye(3, dtype=bool)[codes], 7.0 + prices[codes].sum(axis=1))
    assert common == pytest.approx(7.0 + 4.0)
    assert operations == pytest.approx([0.0, 2.0, 1.0], abs=1e-9)


@pytest.mark.parametrize(
    "space",
    [ToyChain(), ProductSpace("uneven", [Decision("a", ("x", "y")), Decision("b", ("x", "y", "z"))])],
    ids=lambda space: space.name,
)
def test_space_of_another_shape_is_refused(space):
    with pytest.raises(BadOption, match="space: expected decisions with equally many choices"):
        MultilinearRelaxation(space, np.zeros(space.size))


def test_missing_error_is_refused(errors):
    errors[3] = np.nan
    with pytest.raises(BadOption, match="errors: expected an error of each of the 27 architectures"):
        MultilinearRelaxation(toy_space(), errors)


def test_table_is_relaxed_by_its_means(toy_table):
    relaxed = relax(toy_table)
    assert relaxed.score(np.array([[1, 2, 0]]))[0] == toy_table.mean("valid_error")[toy_table.row((1, 2, 0))]
    assert relaxed.seconds > 0


def test_table_with_an_architecture_that_always_failed_is_not_relaxed(failing_source):
    with pytest.raises(BadOption, match="table: expected one that answers for every architecture"):
        relax(failing_source.table)


def test_source_of_a_table_offers_its_relaxation(toy_source, rng):
    assert isinstance(toy_source.relaxation(rng), MultilinearRelaxation)


def test_table_of_some_architectures_offers_another():
    assert open_source("fashion-nb201").relaxation is not None
    with pytest.raises(BadOption, match="table: expected one that answers for every architecture"):
        relax(open_source("fashion-nb201").table)


def test_table_with_a_row_a_class_answers_for_every_code():
    source = open_source("digits-nb201")
    relaxed = source.relaxation(None)
    codes = get_space("nb201").sample(50, rng=np.random.default_rng(0))
    assert relaxed.score(codes).tolist() == (
        source.table.mean("valid_error")[source.table.rows(codes)].tolist()
    )


def test_epoch_has_the_steps_of_a_supernet_on_half_of_the_images(rng):
    source = open_source("digits-nb201")
    relaxed, table = source.relaxation(None), source.table
    assert (table.info.recipe["train_images"], table.info.recipe["batch_size"]) == (200, 50)
    assert relaxed.epoch_steps == 2
    codes = table.space.sample(200, rng=rng)
    for code in codes:
        relaxed.weight_step(Mixture(one_hot(code.tolist(), 5)))
    recorded = table.mean("train_seconds")[table.rows(codes)].mean() / table.epochs[-1]
    assert relaxed.seconds / len(codes) == pytest.approx(recorded / 4, rel=0.05)  # four steps an epoch


def one_shot(table, errors, seed=0):
    column = OneShot(errors, "", 5, seed, "uniform", 120.0, 0.25, {})
    scalars = {**table.data().scalars, column.name: column.scalar()}
    return replace(table.data(), scalars=scalars)


def test_one_shot_errors_of_a_table_answer_scores_at_their_own_price(toy_table, tmp_path, rng):
    errors = rng.random(27)
    write_tables(tmp_path / "scored.h5", [one_shot(toy_table, errors)])
    table = open_table(tmp_path / "scored.h5")
    relaxed, plain = relax(table), relax(toy_table)
    codes = np.array([[1, 2, 0], [0, 0, 0]])
    assert relaxed.score(codes).tolist() == errors[table.rows(codes)].astype(np.float32).tolist()
    assert relaxed.seconds == 2 * 0.25
    path, mixed = Mixture(one_hot([1, 2, 0], 3)), Mixture(torch.full((3, 3), 1 / 3, dtype=torch.float64))
    relaxed.plan(4)
    before = relaxed.seconds
    for _ in range(4 * relaxed.epoch_steps):
        relaxed.weight_step(path)
    assert relaxed.seconds - before == pytest.approx(120.0)  # the whole supernet, whatever was planned
    before = relaxed.seconds
    assert relaxed.weight_step(mixed) == plain.weight_step(mixed)
    assert relaxed.seconds - before == pytest.approx(plain.seconds)  # not what the column's supernet did
    assert float(relaxed.architecture_loss(path)) == float(plain.architecture_loss(path))


def test_run_draws_one_of_several_supernets(toy_table, tmp_path, rng):
    first = one_shot(toy_table, np.zeros(27))
    second = one_shot(toy_table, np.ones(27), seed=3)
    data = replace(first, scalars={**first.scalars, **second.scalars})
    write_tables(tmp_path / "scored.h5", [data])
    source = TableSource(open_table(tmp_path / "scored.h5"))
    drawn = {float(source.relaxation(rng).score(np.array([[0, 0, 0]]))[0]) for _ in range(20)}
    assert drawn == {0.0, 1.0}
    assert relax(source.table).score(np.array([[0, 0, 0]]))[0] == 0.0


def test_one_shot_errors_that_miss_an_architecture_are_not_used(toy_table, tmp_path, rng):
    errors = np.where(np.arange(27) == 4, np.nan, 0.5)
    write_tables(tmp_path / "scored.h5", [one_shot(toy_table, errors)])
    before = rng.bit_generator.state
    score = relax(open_table(tmp_path / "scored.h5"), rng).score(np.array([[0, 0, 0]]))
    assert score == relax(toy_table).score(np.array([[0, 0, 0]]))
    assert rng.bit_generator.state == before


def test_weight_step_on_one_path_returns_what_the_table_holds(relaxed, errors):
    assert relaxed.weight_step(Mixture(one_hot([2, 0, 1], 3))) == errors.reshape(3, 3, 3)[2, 0, 1]


def test_descent_reaches_the_best_cell_of_nas_bench_201(nb201_table):
    relaxed = TableSource(nb201_table).relaxation(None)
    logits = torch.zeros(6, 5, dtype=torch.float64, requires_grad=True)

    def expected():
        exponentials = logits.exp()
        return relaxed.architecture_loss(Mixture(exponentials / exponentials.sum(dim=1, keepdim=True)))

    start = float(expected().detach())
    for _ in range(300):
        (gradient,) = torch.autograd.grad(expected(), logits)
        with torch.no_grad():
            logits -= 500.0 * gradient  # 5 for errors in percent
    errors = nb201_table.mean("valid_error")
    assert start == pytest.approx(errors.mean(), rel=1e-12)
    assert errors[nb201_table.row(discretise(relaxed.form, logits))] == errors.min()
    assert float(expected().detach()) == pytest.approx(errors.min(), abs=1e-4)


def test_seconds_of_a_single_path_agree_with_the_recorded_ones(nb201_table, rng):
    relaxed = TableSource(nb201_table).relaxation(rng)
    codes = nb201_table.space.sample(50, rng=rng)
    recorded = nb201_table.mean("train_seconds")[nb201_table.rows(codes)] / nb201_table.epochs[-1]
    priced = []
    for code in codes:
        before = relaxed.seconds
        for _ in range(relaxed.epoch_steps):
            relaxed.weight_step(Mixture(one_hot(code.tolist(), 5)))
        priced.append(relaxed.seconds - before)
    assert np.corrcoef(priced, recorded)[0, 1] > 0.98
    assert np.mean(priced) == pytest.approx(np.mean(recorded), rel=0.05)
