"""A network fitted on some rows of a table is smooth, finds good cells, and says when it cannot."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from nasbench.errors import BadOption, MissingExtra
from nasbench.evaluation.table_source import TableSource
from nasbench.runs.execute import RunSpec, execute
from nasbench.spaces import get_space
from nasbench.spaces.mixture import Mixture
from nasbench.spaces.relaxed import RelaxedSpace, relaxed_form
from nasbench.store.data import TableData
from nasbench.store.info import TableInfo
from nasbench.store.table import open_table
from nasbench.store.writer import write_tables
from nasbench.strategies.relaxation import Relaxation, discretise
from nasbench.surrogates.relaxed import (
    FittedNetwork,
    FittedTable,
    MeasuredForm,
    among_architectures,
    rows_wanted,
)
from nasbench.testing import ToyChain

torch = pytest.importorskip("torch")

SPACE = get_space("nb201")
FORM = relaxed_form(SPACE)
WEIGHTS = np.random.default_rng(5).uniform(0.0, 0.15, size=(6, 5))  # of each operation on each edge
SECONDS = np.array([0.0, 1.0, 4.0, 10.0, 2.0])  # one epoch of each operation


def planted_error(codes):
    return (FORM.chosen(codes) * WEIGHTS).sum(axis=(1, 2))


def planted_seconds(codes):
    return 3.0 + SECONDS[np.asarray(codes)].sum(axis=1)


@pytest.fixture(scope="module")
def codes():
    drawn = SPACE.sample(400, rng=np.random.default_rng(0))
    return np.unique(drawn, axis=0)


@pytest.fixture(scope="module")
def table(codes, tmp_path_factory):
    """Some cells of nb201 with planted errors; one of them failed."""
    path = tmp_path_factory.mktemp("fitted") / "some.h5"
    shape = (len(codes), 1, 1)
    errors = planted_error(codes).astype(np.float32).reshape(shape)
    seconds = planted_seconds(codes).astype(np.float32).reshape(shape)
    errors[7] = np.nan
    info = TableInfo(
        space="nb201",
        dataset="planted",
        reference_device="a desk",
        device_kind="cpu",
        licence="CC0-1.0",
        source="tests/surrogates",
    )
    curves = {"valid_error": errors, "train_seconds": seconds}
    failed = np.isnan(errors[:, :, 0]).astype(np.int8)
    write_tables(
        path, [TableData(name="some", info=info, codes=codes, epochs=(1,), curves=curves, failed=failed)]
    )
    return open_table(path)


@pytest.fixture(scope="module")
def fitted(table):
    return FittedTable(table)


@pytest.fixture
def relaxed(fitted):
    return fitted.relaxation()


@pytest.fixture(scope="module")
def source(table):
    """A source of the table, whose network is fitted once."""
    return TableSource(table)


def uniform():
    return torch.full((6, 5), 0.2, dtype=torch.float64, requires_grad=True)


def test_it_is_a_relaxation_and_an_analogue(relaxed):
    assert isinstance(relaxed, Relaxation)
    assert isinstance(relaxed.form, RelaxedSpace)
    assert (relaxed.edges, relaxed.operations, relaxed.is_analogue, relaxed.seconds) == (6, 5, True, 0.0)


def test_predictions_follow_errors_and_seconds_of_architectures_that_were_not_there(fitted, codes):
    others = SPACE.sample(500, rng=np.random.default_rng(9))
    errors, seconds = fitted.network.predict(others)
    assert np.corrcoef(errors, planted_error(others))[0, 1] > 0.97
    assert np.corrcoef(seconds, planted_seconds(others))[0, 1] > 0.97
    assert ((errors >= 0) & (errors <= 1)).all()
    assert fitted.network.kendall_tau > 0.8


def test_error_of_a_mixture_knows_its_gradient(relaxed):
    drawn = torch.tensor(np.random.default_rng(1).dirichlet(np.ones(5), size=6), requires_grad=True)
    assert torch.autograd.gradcheck(lambda w: relaxed.architecture_loss(Mixture(w)), (drawn,), rtol=1e-5)


def test_error_in_between_lies_between(relaxed, codes):
    ends = FORM.chosen(codes[:2]).astype(np.float64)
    values = [
        float(relaxed.architecture_loss(Mixture(torch.from_numpy(share * ends[0] + (1 - share) * ends[1]))))
        for share in (1.0, 0.5, 0.0)
    ]
    assert values[1] == pytest.approx((values[0] + values[2]) / 2, abs=0.05)


def test_plain_descent_finds_a_good_cell_of_the_table(relaxed, codes):
    logits = torch.zeros(6, 5, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.1)
    for _ in range(120):
        optimizer.zero_grad()
        relaxed.architecture_loss(Mixture(logits.softmax(1))).backward()
        optimizer.step()
    found = discretise(relaxed.form, logits.softmax(1))
    errors = planted_error(codes)
    assert list(found) in codes.tolist()
    assert (errors < planted_error([found])[0]).sum() < 5
    best = discretise(FORM, logits.softmax(1))  # of the whole space, most of which was never trained
    everything = planted_error(np.concatenate(list(SPACE.enumerate())))
    assert (everything < planted_error([best])[0]).mean() < 0.005


def test_operations_that_were_not_drawn_get_a_gradient_and_are_paid(relaxed):
    weights = torch.eye(5, dtype=torch.float64)[[3, 1, 2, 0, 4, 3]].requires_grad_()
    active = weights.detach().bool()
    before = relaxed.seconds
    relaxed.architecture_loss(Mixture(weights, active=active)).backward()
    asked = relaxed.seconds - before
    assert bool((weights.grad[~active] != 0).any(dim=0))
    weights.grad = None
    relaxed.architecture_loss(Mixture(weights)).backward()
    assert relaxed.seconds - before - asked < asked
    assert not weights.grad[~active].any()


def test_steps_cost_what_their_operations_cost(relaxed, codes):
    for code in codes[:3]:
        before = relaxed.seconds
        for _ in range(relaxed.epoch_steps):
            relaxed.weight_step(Mixture(torch.from_numpy(FORM.chosen([code])[0].astype(np.float64))))
        assert relaxed.seconds - before == pytest.approx(planted_seconds([code])[0], rel=0.02)


def test_second_order_is_degenerate(relaxed):
    weights = uniform()
    relaxed.architecture_loss(Mixture(weights)).backward()
    assert torch.equal(relaxed.unrolled_gradient(Mixture(weights)), weights.grad)


def test_scores_are_predictions_and_cost_a_step_each(relaxed, fitted, codes):
    assert relaxed.score(codes[:4]).tolist() == fitted.network.predict(codes[:4])[0].tolist()
    assert relaxed.seconds > 0


@pytest.fixture
def hasty(monkeypatch):
    """Networks that are hardly fitted, for what does not depend on how good they are."""
    monkeypatch.setattr("nasbench.surrogates.relaxed._STEPS", 30)


@pytest.mark.usefixtures("hasty")
def test_same_table_gives_the_same_network(table, codes):
    one, other = FittedTable(table).network, FittedTable(table).network
    assert one.predict(codes)[0].tolist() == other.predict(codes)[0].tolist()
    assert one.kendall_tau == other.kendall_tau


@pytest.mark.usefixtures("hasty")
def test_global_random_state_and_threads_are_untouched(codes):
    before = torch.random.get_rng_state(), torch.get_num_threads()
    FittedNetwork(FORM, codes, planted_error(codes), planted_seconds(codes), rng=np.random.default_rng(0))
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert torch.get_num_threads() == before[1]


def test_architectures_are_read_off_among_the_rows(codes):
    form = MeasuredForm(FORM, codes)
    for code in codes[:20].tolist():
        assert form.architecture(FORM.chosen([code])[0]) == tuple(code)
    other = next(
        c for c in SPACE.sample(50, rng=np.random.default_rng(3)).tolist() if c not in codes.tolist()
    )
    nearest = form.architecture(FORM.chosen([other])[0])
    shared = (codes == np.array(other)).sum(axis=1)
    assert (np.array(nearest) == np.array(other)).sum() == shared.max()


def test_mixtures_of_darts_cells_keep_two_edges_a_node_in_sum():
    form = get_space("darts").relaxed()
    soft = torch.full((28, 8), 1 / 8, dtype=torch.float64)
    scaled = among_architectures(form, soft)
    assert torch.allclose(scaled.sum(dim=1), torch.ones(28, dtype=torch.float64))
    for node in form.nodes:
        kept = float(scaled[list(node), 1:].sum())
        assert kept == pytest.approx(min(2.0, len(node) * 7 / 8))
    code = get_space("darts").sample(1, rng=np.random.default_rng(0))
    vertex = torch.from_numpy(form.chosen(code)[0].astype(np.float64))
    assert torch.equal(among_architectures(form, vertex), vertex)


@pytest.mark.slow
def test_descent_finds_a_good_pair_of_darts_cells():
    space = get_space("darts")
    form = space.relaxed()
    weights = np.random.default_rng(5).uniform(0.0, 0.02, size=(28, 8))
    weights[:, 0] = 0.02

    def error(codes):
        return 0.1 + (form.chosen(codes) * weights).sum(axis=(1, 2))

    codes = space.sample(600, rng=np.random.default_rng(1))
    network = FittedNetwork(form, codes, error(codes), 10 + error(codes), rng=np.random.default_rng(0))
    logits = torch.zeros(28, 8, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.1)
    for _ in range(150):
        shares = logits.softmax(1)
        _, slope = network.slope(shares.detach().numpy())
        optimizer.zero_grad()
        (shares * torch.from_numpy(slope)).sum().backward()
        optimizer.step()
    found = discretise(form, logits.softmax(1))
    assert error([found])[0] < error(codes).min()


def test_too_few_rows_are_refused(codes):
    few = codes[: rows_wanted(FORM) - 1]
    with pytest.raises(BadOption, match=r"table: expected at least 50 trained architectures .*, got 49. Add"):
        FittedNetwork(FORM, few, planted_error(few), planted_seconds(few), rng=np.random.default_rng(0))
    assert rows_wanted(get_space("darts").relaxed()) == 394


def test_space_without_a_form_is_refused(table):
    class Chain:
        space = ToyChain()

    with pytest.raises(BadOption, match="space: expected one that says what its edges are, got"):
        FittedTable(Chain())


@pytest.mark.slow
@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("strategy", "options"),
    [
        ("darts", {"epochs": 3}),
        ("darts-pt", {"epochs": 1, "tune_epochs": 0}),
        ("spos", {"epochs": 2, "population": 6, "generations": 3, "select": 2}),
        ("enas", {"epochs": 2, "controller_steps": 1, "batch": 2, "candidates": 2}),
    ],
)
def test_searches_on_a_table_of_some_rows_hand_over_rows_of_it(source, codes, strategy, options):
    about = RunSpec("suite", "row", strategy, options, "100000s")
    columns, outcome = execute(about, 0, source)
    assert outcome.end == "done", outcome.reason
    assert {tuple(code) for code in columns.codes.tolist()} <= {tuple(code) for code in codes.tolist()}
    assert (columns.charged_seconds[:1] > 0).all()
    again, _ = execute(about, 0, source)
    assert again.charged_seconds.tolist() == columns.charged_seconds.tolist()
    assert again.codes.tolist() == columns.codes.tolist()


def test_without_torch_the_command_that_brings_it_is_named(codes, fitted, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"A network fitted on a table needs torch. Install it with: pip"):
        FittedNetwork(FORM, codes, planted_error(codes), planted_seconds(codes), rng=np.random.default_rng(0))
    with pytest.raises(MissingExtra, match=r"A relaxed table needs torch. Install it with: pip"):
        fitted.relaxation()
