"""Every member learns what can be learned, keeps nothing but arrays, and is the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption, MissingExtra, UnknownName
from nasbench.seeds import generator
from nasbench.spaces import Decision, ProductSpace, get_space
from nasbench.surrogates.inputs import Inputs, kinds_for
from nasbench.surrogates.members import MEMBERS, MODELS, Member, member_class, members_of
from nasbench.surrogates.members.kernel import RadialSum, squared_distances

SPACE = get_space("nb201")
NEEDS = {"gin": "torch", "lightgbm": "lightgbm", "xgboost": "xgboost", "mlp": "sklearn", "svr": "sklearn"}
NEEDS["random-forest"] = "sklearn"

every_kind = pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=pytest.mark.slow if k == "gin" else ()) for k in sorted(MEMBERS)]
)


def problem(n=300):
    codes = SPACE.unrank(np.random.default_rng(0).permutation(15_625)[:n])
    additive = (codes == 3).sum(axis=1) - (codes == 0).sum(axis=1)
    joint = (codes[:, 3] == 3) * (codes[:, 0] == 3)
    targets = np.stack([additive, additive + 2.0 * joint], axis=1).astype(np.float64)
    targets = (targets - targets.mean(axis=0)) / targets.std(axis=0)
    return Inputs(SPACE, codes, ("onehot", "path")), targets


@pytest.fixture(scope="module")
def fitted():
    known = {}

    def of(kind):
        if kind in NEEDS:
            pytest.importorskip(NEEDS[kind])
        if kind not in known:
            inputs, targets = problem()
            rows = np.arange(240)
            known[kind] = member_class(kind).fit(inputs.take(rows), targets[rows], rng=generator(1, kind))
        return known[kind]

    return of


@every_kind
def test_it_is_a_member_that_learns(kind, fitted):
    member = fitted(kind)
    assert isinstance(member, Member)
    inputs, targets = problem()
    rest = np.arange(240, 300)
    wrong = ((member.predict(inputs.take(rest)) - targets[rest]) ** 2).mean(axis=0)
    assert (wrong < 0.45).all()  # of a variance of one


@every_kind
def test_its_arrays_are_all_it_is(kind, fitted):
    member, (inputs, _) = fitted(kind), problem()
    arrays = member.arrays()
    assert all(array.dtype.kind in "fiu" for array in arrays.values())
    again = member_class(kind).load(arrays)
    assert np.array_equal(again.predict(inputs), member.predict(inputs))


@every_kind
def test_same_seed_gives_the_same_member(kind, fitted):
    inputs, targets = problem()
    rows = np.arange(240)
    again = (
        member_class(kind).fit(inputs.take(rows), targets[rows], rng=generator(1, kind))
        if fitted(kind)
        else None
    )
    first, second = fitted(kind).arrays(), again.arrays()
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


@every_kind
def test_one_target_is_enough(kind, fitted):
    fitted(kind)  # skips where the library is absent
    inputs, targets = problem(80)
    member = member_class(kind).fit(inputs, targets[:, :1], rng=generator(2, kind))
    assert member.predict(inputs).shape == (80, 1)


def test_trees_read_from_xgboost_say_what_xgboost_says():
    xgboost = pytest.importorskip("xgboost")
    inputs, targets = problem()
    matrix = xgboost.DMatrix(inputs.flat, label=targets, nthread=1)
    settings = {
        "multi_strategy": "multi_output_tree",
        "tree_method": "hist",
        "max_depth": 4,
        "base_score": 0.0,
    }
    booster = xgboost.train({**settings, "num_target": 2, "nthread": 1}, matrix, 7)
    import json

    from nasbench.surrogates.members.boosting import _tree
    from nasbench.surrogates.trees import forest_of

    trees = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]["model"]["trees"]
    mine = forest_of([_tree(tree, 2) for tree in trees]).predict(inputs.flat)
    assert np.allclose(mine, booster.predict(matrix), atol=1e-5)


def test_trees_of_the_older_layout_are_read_too():
    from nasbench.surrogates.members.boosting import _tree
    from nasbench.surrogates.trees import forest_of

    old = {
        "left_children": [1, -1, -1],
        "right_children": [2, -1, -1],
        "split_indices": [1, 0, 0],
        "base_weights": [0.0, 0.0, 1.0, 10.0, 2.0, 20.0],
    }
    rows = np.array([[0, 0], [0, 1]], dtype=np.float32)
    assert forest_of([_tree(old, 2)]).predict(rows).tolist() == [[1.0, 10.0], [2.0, 20.0]]


def test_a_graph_network_needs_a_graph():
    pytest.importorskip("torch")
    space = ProductSpace("plain", [Decision(f"d{i}", ("a", "b")) for i in range(4)])
    codes = space.sample(60, rng=np.random.default_rng(0))
    with pytest.raises(BadOption, match="expected a space with a graph for gin, got plain"):
        member_class("gin").fit(Inputs(space, codes, ("onehot",)), np.zeros((60, 1)), rng=generator(0, "x"))


@pytest.mark.parametrize(
    ("kind", "module", "extra"),
    [
        ("xgboost", "xgboost", "surrogate"),
        ("lightgbm", "lightgbm", "lightgbm"),
        ("random-forest", "sklearn.ensemble", "surrogate"),
        ("mlp", "sklearn.neural_network", "surrogate"),
        ("svr", "sklearn.svm", "surrogate"),
        ("gin", "torch", "torch"),
    ],
)
def test_an_absent_library_is_named_with_its_extra(kind, module, extra, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, module, None)
    if module.startswith("sklearn"):
        monkeypatch.setitem(sys.modules, "sklearn", None)
    inputs, targets = problem(60)
    with pytest.raises(MissingExtra, match=rf"pip install 'nasbench\[{extra}\]'"):
        member_class(kind).fit(inputs, targets, rng=generator(0, kind))


def test_names_are_forgiving_and_unknown_ones_name_the_near():
    assert members_of(" Random_Forest ") == MODELS["random-forest"]
    with pytest.raises(UnknownName, match=r"Did you mean 'xgboost'"):
        members_of("xgbost")
    with pytest.raises(UnknownName, match="no member is named 'oracle'"):
        member_class("oracle")


def test_every_model_is_made_of_known_members():
    assert {kind for kinds in MODELS.values() for kind in kinds} == set(MEMBERS)


def test_paths_are_shown_only_where_they_are_few():
    assert kinds_for(SPACE) == ("onehot", "path")
    assert kinds_for(get_space("darts")) == ("onehot", "counts")  # of its paths there are 11,200
    assert kinds_for(get_space("nasnet")) == ("onehot",)


def test_a_radial_sum_is_the_one_by_hand(rng):
    known, asked = (rng.integers(0, 2, (n, 40)).astype(np.float32) for n in (30, 600))
    weights, gammas = rng.standard_normal((30, 3)), np.array([0.1, 0.02, 0.1])
    distances = ((asked[:, None].astype(np.float64) - known[None]) ** 2).sum(axis=2)
    assert np.array_equal(squared_distances(asked, known), distances)
    wanted = np.stack([np.exp(-g * distances) @ weights[:, k] for k, g in enumerate(gammas)], axis=1)
    assert np.allclose(RadialSum(known, weights, gammas).predict(asked), wanted, rtol=1e-12, atol=1e-12)
