import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import Decision, ProductSpace, get_space
from nasbench.spaces.darts_cell import INPUTS, OPERATIONS
from nasbench.spaces.darts_relaxed import CELL_EDGES, MIXED
from nasbench.spaces.relaxed import PlainRelaxed, RelaxedSpace, relaxed_form
from nasbench.testing import ToyChain


@pytest.fixture(params=["darts", "nb201"])
def space(request):
    return get_space(request.param)


def test_both_spaces_have_a_form(space):
    form = relaxed_form(space)
    assert isinstance(form, RelaxedSpace)
    assert form.choosable.shape == (len(form.names), len(form.names[0]))
    assert {edge for node in form.nodes for edge in node} == set(range(len(form.names)))


def test_architectures_come_back_from_what_they_choose(space):
    form = relaxed_form(space)
    codes = space.sample(300, rng=np.random.default_rng(0))
    chosen = form.chosen(codes)
    assert (chosen.sum(axis=2) == 1).all()
    assert [form.architecture(rows) for rows in chosen.astype(float)] == list(map(tuple, codes.tolist()))


def test_strengths_of_another_shape_are_refused(space):
    with pytest.raises(BadOption, match=r"strengths: expected shape \(E, O\)"):
        relaxed_form(space).architecture(np.zeros((3, 3)))


def test_edges_of_nas_bench_201_are_grouped_by_their_node():
    form = relaxed_form(get_space("nb201"))
    assert form.nodes == ((0,), (1, 2), (3, 4, 5))
    assert form.kept is None


def test_decisions_that_are_no_edges_compete_with_none():
    form = PlainRelaxed(ProductSpace("plain", [Decision(f"e{i}", ("a", "b")) for i in range(3)]))
    assert form.nodes == ()


@pytest.mark.parametrize(
    "space",
    [ToyChain(), ProductSpace("uneven", [Decision("a", ("x", "y")), Decision("b", ("x", "y", "z"))])],
    ids=lambda space: space.name,
)
def test_space_of_another_kind_has_no_form(space):
    assert relaxed_form(space) is None
    with pytest.raises(BadOption, match="space: expected decisions with equally many choices"):
        PlainRelaxed(space)


def test_darts_cells_have_fourteen_edges_of_eight_operations():
    form = relaxed_form(get_space("darts"))
    assert len(CELL_EDGES) == 14
    assert form.choosable.shape == (28, 8)
    assert [len(node) for node in form.nodes] == [2, 3, 4, 5] * 2
    assert not form.choosable[:, MIXED.index("none")].any()


def test_published_genotype_has_its_operations_on_its_edges():
    space = get_space("darts")
    code = space.parse("darts-v2")
    rows = space.relaxed().chosen([code])[0]
    for cell, edges in enumerate(space.cells(code)):
        expected = {}
        for at, (name, source) in enumerate(edges):
            expected[CELL_EDGES.index((source, INPUTS + at // 2))] = name
        for edge in range(14):
            assert MIXED[rows[14 * cell + edge].argmax()] == expected.get(edge, "none")


def test_node_keeps_its_two_strongest_edges_whatever_none_weighs():
    space = get_space("darts")
    strengths = np.full((28, 8), 0.01)
    strengths[:, 0] = 0.9  # none is strongest everywhere and is never kept
    strengths[2, 4], strengths[3, 1], strengths[4, 7] = 0.05, 0.2, 0.3  # the second node's three edges
    normal, _ = space.cells(space.relaxed().architecture(strengths))
    assert normal[2:4] == (("max_pool_3x3", 1), ("dil_conv_5x5", 2))
    assert normal[:2] == ((OPERATIONS[0], 0), (OPERATIONS[0], 1))
