"""The DARTS space: counts, notation, order of nodes against brute force, encodings against walks by hand."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from nasbench.errors import NotInSpace
from nasbench.spaces import get_space
from nasbench.spaces.darts_cell import LENGTH, OPERATIONS, PAIRS, SIZE, canonical, cell_of, edges_of
from nasbench.spaces.darts_genotypes import GENOTYPES
from nasbench.spaces.darts_notation import read_genotype
from nasbench.testing import check_space
from nasbench.testing.space import RULES

V2_NORMAL = (
    ("sep_conv_3x3", 0),
    ("sep_conv_3x3", 1),
    ("sep_conv_3x3", 0),
    ("sep_conv_3x3", 1),
    ("skip_connect", 0),
    ("sep_conv_3x3", 1),
    ("skip_connect", 0),
    ("dil_conv_3x3", 2),
)


@pytest.fixture(scope="module")
def space():
    return get_space("darts")


@pytest.fixture
def codes(space, rng):
    return space.sample(200, rng=rng)


def genotype(**changed):
    """Write a genotype of skip connections, with some fields changed."""
    edges = (
        "[('skip_connect', 0), ('skip_connect', 1)" + ", ('skip_connect', 1), ('skip_connect', 0)" * 3 + "]"
    )
    fields = {
        "normal": edges,
        "normal_concat": "range(2, 6)",
        "reduce": edges,
        "reduce_concat": "range(2, 6)",
    }
    return f"Genotype({', '.join(f'{k}={v}' for k, v in (fields | changed).items() if v)})"


ALL_SKIP = (2, 2, *(0, 2, 2) * 3) * 2


# Size and decisions -------------------------------------------------------------------------------------


def test_it_keeps_the_contract_of_spaces(space):
    assert check_space(space, seed=7) == list(RULES)


def test_there_are_1e18_codes(space):
    assert space.size == (1 * 3 * 6 * 10 * 7**8) ** 2 == SIZE**2 == 1_037_664_180**2


def test_a_cell_has_three_choices_of_inputs_and_eight_of_operations(space):
    names = [decision.name for decision in space.decisions]
    assert len(names) == 22
    assert names[:5] == [
        "normal 2 operation on lower",
        "normal 2 operation on higher",
        "normal 3 inputs",
        "normal 3 operation on lower",
        "normal 3 operation on higher",
    ]
    assert [name.replace("normal", "reduce") for name in names[:11]] == names[11:]
    inputs = [d.choices for d in space.decisions if d.name.endswith("inputs")]
    assert [len(choices) for choices in inputs] == [3, 6, 10] * 2
    assert inputs[1] == ("0_1", "0_2", "0_3", "1_2", "1_3", "2_3")
    assert {d.choices for d in space.decisions if "operation" in d.name} == {OPERATIONS}


def test_ranks_fit_into_64_bits(space):
    last = [tuple(len(d.choices) - 1 for d in space.decisions)]
    assert space.rank(last).tolist() == [space.size - 1]


# Notation -----------------------------------------------------------------------------------------------


def test_a_published_genotype_is_read_by_name_and_by_text(space):
    code = space.parse("darts-v2")
    assert code == space.parse(" DARTS_V2 ") == space.parse(GENOTYPES["darts-v2"].genotype)
    assert space.cells(code)[0] == V2_NORMAL


@pytest.mark.parametrize("name", GENOTYPES)
def test_published_genotypes_differ_and_read_back(space, name):
    code = space.parse(name)
    assert space.parse(space.format(code)) == code
    assert sum(space.parse(other) == code for other in GENOTYPES) == 1
    assert GENOTYPES[name].paper
    assert GENOTYPES[name].source


def test_the_order_of_the_two_edges_of_a_node_does_not_matter(space):
    swapped = genotype(
        normal="[('skip_connect', 1), ('skip_connect', 0)"
        + ", ('skip_connect', 0), ('skip_connect', 1)" * 3
        + "]"
    )
    assert space.parse(swapped) == space.parse(genotype()) == ALL_SKIP


@pytest.mark.parametrize("written", ["[2, 3, 4, 5]", "range(2, 6)", "(5, 4, 3, 2)", ""])
def test_the_nodes_side_by_side_may_be_written_in_any_way(space, written):
    assert space.parse(genotype(normal_concat=written, reduce_concat=written)) == ALL_SKIP


def test_fields_may_come_without_names_and_edges_as_lists(space):
    text = genotype().replace("normal=", "").replace("normal_concat=", "").replace("reduce=", "")
    assert space.parse(text.replace("('skip_connect', 0)", '["skip_connect", 0]')) == ALL_SKIP


def test_what_is_written_is_the_notation_of_the_field(space):
    assert space.format(ALL_SKIP) == (
        "Genotype(normal=[('skip_connect', 0), ('skip_connect', 1), ('skip_connect', 0), "
        "('skip_connect', 1), ('skip_connect', 0), ('skip_connect', 1), ('skip_connect', 0), "
        "('skip_connect', 1)], "
        "normal_concat=range(2, 6), reduce=[('skip_connect', 0), ('skip_connect', 1), ('skip_connect', 0), "
        "('skip_connect', 1), ('skip_connect', 0), ('skip_connect', 1), ('skip_connect', 0), "
        "('skip_connect', 1)], reduce_concat=range(2, 6))"
    )


def test_choices_separated_by_colons_are_read_too(space):
    assert space.parse(":".join(map(str, ALL_SKIP))) == ALL_SKIP


TWICE = "[('skip_connect', 0), ('sep_conv_3x3', 0)" + ", ('skip_connect', 0), ('skip_connect', 1)" * 3 + "]"
NONE = TWICE.replace("('sep_conv_3x3', 0)", "('none', 1)")
LATER = TWICE.replace("('sep_conv_3x3', 0)", "('skip_connect', 2)")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (genotype(normal=TWICE), "normal cell, node 2: expected two different states, got 0 twice"),
        (genotype(reduce=NONE), "reduce cell, node 2: the operations are max_pool_3x3, .* got 'none'"),
        (genotype(reduce=LATER), "reduce cell, node 2: expected states 0 to 1, got 2"),
        (genotype(normal="[('skip_connect', 0)]"), "normal cell: expected 8 edges, two a node, got 1"),
        (genotype(normal="[('skip_connect', '0')]"), r"normal: expected \('operation', state\) as an edge"),
        (genotype(normal="[('skip_connect', True)]"), r"normal: expected \('operation', state\) as an edge"),
        (genotype(normal="0"), "normal: expected a list of edges, got 0"),
        (genotype(normal="[f(x) for f in x]"), "normal: expected a list of edges"),
        (genotype(reduce=""), "got no reduce"),
        (genotype(normal_concat="[2, 3, 4]"), r"normal_concat: expected range\(2, 6\), all nodes"),
        (genotype(reduce_concat="range(2, 7)"), r"reduce_concat: expected range\(2, 6\), all nodes"),
        (genotype(reduce_concat="range(2, 99999999999)"), r"reduce_concat: expected range\(2, 6\)"),
        (genotype(reduce_concat="print(2)"), r"reduce_concat: expected range\(2, 6\)"),
        (genotype(other="1"), r"expected Genotype\(normal="),
        (genotype()[:-1] + ", **{})", r"expected Genotype\(normal="),
        (genotype()[:-1], r"expected Genotype\(normal="),
        ("print('x')", r"expected Genotype\(normal="),
        ("Genotype(" + "(" * 300 + ")" * 301, r"expected Genotype\(normal="),
        (genotype() + " " * 4_000 + "(", r"expected Genotype\(normal="),
        ("__import__('os').system('true')", r"expected Genotype\(normal="),
        ("darts-v3", "or one of darts-v1, darts-v2, .* got 'darts-v3'"),
        ("1:2:3", "expected 22 values separated by ':'"),
    ],
)
def test_a_wrong_notation_is_refused_by_its_rule(space, text, message):
    with pytest.raises(NotInSpace, match=message):
        space.parse(text)


def test_nothing_in_a_text_is_run(tmp_path):
    target = tmp_path / "made"
    with pytest.raises(NotInSpace):
        read_genotype(genotype(normal=f"[open('{target}', 'w')]"))
    assert not target.exists()


def test_edges_of_a_cell_read_back(codes):
    for values in codes[:, :LENGTH].tolist():
        assert list(cell_of(edges_of(values), "normal")) == values


# Order of the nodes -------------------------------------------------------------------------------------


def reordered(edges, order):
    """Write a cell with its nodes in another order; None where a node would come before one it takes."""
    place = {0: 0, 1: 1} | {2 + node: 2 + at for at, node in enumerate(order)}
    out = []
    for at, node in enumerate(order):
        both = [(operation, place[source]) for operation, source in edges[2 * node : 2 * node + 2]]
        if any(source >= 2 + at for _, source in both):
            return None
        out += both
    return out


def first_of_class(values):
    """Try all 24 orders of the nodes and take the first code."""
    cells = [reordered(edges_of(values), order) for order in itertools.permutations(range(4))]
    return min(cell_of(cell, "normal") for cell in cells if cell is not None)


def test_canonical_is_the_first_of_all_orders_of_the_nodes(space, codes):
    got = space.canonical(codes)
    for code, first in zip(codes.tolist(), got.tolist(), strict=True):
        assert tuple(first) == (*first_of_class(code[:LENGTH]), *first_of_class(code[LENGTH:]))


def test_canonical_is_the_same_for_every_order_of_the_nodes(space, codes):
    for code in codes[:50].tolist():
        cells = [reordered(edges_of(code[:LENGTH]), order) for order in itertools.permutations(range(4))]
        same = [[*cell_of(cell, "normal"), *code[LENGTH:]] for cell in cells if cell is not None]
        assert len(np.unique(space.canonical(same), axis=0)) == 1


def test_canonical_of_many_is_canonical_of_each(space, rng):
    many = space.sample(5_000, rng=rng)  # more than are worked on at a time
    some = [0, 1, 2_047, 2_048, 4_999]
    assert np.array_equal(space.canonical(many)[some], space.canonical(many[some]))


def test_canonical_keeps_the_network_apart_where_an_input_is_another(space):
    other = list(ALL_SKIP)
    other[2] = 1  # node 3 takes 0 and 2, not 0 and 1
    assert not np.array_equal(*space.canonical([ALL_SKIP, other]))


def test_of_the_180_wirings_of_a_cell_79_differ():
    wirings = np.array(
        [(0, 0, a, 0, 0, b, 0, 0, c, 0, 0) for a in range(3) for b in range(6) for c in range(10)]
    )
    assert len(np.unique(canonical(wirings), axis=0)) == 79


def test_382128166_cells_differ():
    """Burnside's lemma on each wiring: its operations up to its own symmetries, shared among its orders."""
    total = 0.0
    for wiring in itertools.product(*PAIRS):
        edges = [(node, source) for node, pair in enumerate(wiring) for source in pair]
        orders, kept = set(), []
        for order in itertools.permutations(range(4)):
            moved = reordered([("", source) for _, source in edges], order)
            if moved is None:
                continue
            wired = [tuple(sorted(s for _, s in moved[2 * k : 2 * k + 2])) for k in range(4)]
            orders.add(tuple(wired))
            place = {0: 0, 1: 1} | {2 + node: 2 + at for at, node in enumerate(order)}
            if tuple(wired) == wiring:
                kept.append({(k, s): (place[2 + k] - 2, place[s]) for k, s in edges})
        fixed = 0
        for move in kept:
            left, cycles = set(edges), 0
            while left:
                at = left.pop()
                cycles += 1
                while (at := move[at]) in left:
                    left.remove(at)
            fixed += 7**cycles
        total += fixed / len(kept) / len(orders)
    assert round(total) == 382_128_166


def test_the_share_of_first_codes_is_the_share_of_classes(space):
    many = space.sample(20_000, rng=np.random.default_rng(3))
    share = float((space.canonical(many) == many).all(axis=1).mean())
    assert share == pytest.approx((382_128_166 / SIZE) ** 2, abs=4 * np.sqrt(0.14 * 0.86 / 20_000))


# Encodings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("onehot", (150,)),
        ("adjacency", (72,)),
        ("path", (11_200,)),
        ("counts", (296,)),
        ("graph", (17, 17, 7)),
    ],
)
def test_shapes_are_the_documented_ones(space, codes, kind, shape):
    assert space.encode(codes[:3], kind).shape == (3, *shape)
    assert space.encode(codes[:0], kind).shape == (0, *shape)


def test_adjacency_holds_the_operation_of_every_edge(space, codes):
    for code, row in zip(codes[:20].tolist(), space.encode(codes[:20], "adjacency"), strict=True):
        for edges, matrix in zip(space.cells(code), row.reshape(2, 6, 6), strict=True):
            wanted = np.zeros((6, 6))
            for number, (operation, source) in enumerate(edges):
                wanted[2 + number // 2, source] = OPERATIONS.index(operation) + 1
            assert np.array_equal(matrix, wanted)


ALL_WORDS = [w for length in range(1, 5) for w in itertools.product(range(7), repeat=length)]


def spelled(edges):
    """List what every path from an input of a cell to a node spells, by input."""
    words = {0: {(0, ())}, 1: {(1, ())}}
    for number in range(4):
        words[2 + number] = {
            (start, (*word, OPERATIONS.index(operation)))
            for operation, source in edges[2 * number : 2 * number + 2]
            for start, word in words[source]
        }
    return set().union(*(words[state] for state in (2, 3, 4, 5)))


def test_path_encoding_spells_every_path(space, codes):
    chain = space.of_cells([[("sep_conv_5x5", s) for k in range(4) for s in (k, k + 1)]] * 2)  # all 64 ways
    tried = np.concatenate([codes[:40], [chain, ALL_SKIP]])
    for code, row in zip(tried.tolist(), space.encode(tried, "path"), strict=True):
        for edges, part in zip(space.cells(code), row.reshape(2, 2, 2_800), strict=True):
            found = {(int(start), ALL_WORDS[word]) for start, word in np.argwhere(part)}
            assert found == spelled(edges)


def numbers_by_hand(edges):
    """The twenty numbers of ``darts_counts``, by walking a cell, each with the largest it can be."""
    stands = [sum(o == name for o, _ in edges) for name in OPERATIONS]
    leaves = [sum(o == name and s < 2 for o, s in edges) for name in OPERATIONS]
    steps, convolutions = [0, 0], [0, 0]
    for node in range(4):
        into = edges[2 * node : 2 * node + 2]
        steps.append(max(steps[s] + 1 for _, s in into))
        convolutions.append(max(convolutions[s] + o.endswith(("conv_3x3", "conv_5x5")) for o, s in into))
    found = [(n, 8) for n in (*stands, *leaves)]
    found += [pair for way in (steps, convolutions) for pair in ((max(way), 4), (sum(way), 10))]
    return found + [(sum(s == i for _, s in edges), 4) for i in range(2)]


def test_counts_say_at_least_so_many_of_each_number(space, codes):
    chain = space.of_cells([[("sep_conv_5x5", s) for k in range(4) for s in (k, k + 1)]] * 2)  # the deepest
    tried = np.concatenate([codes[:40], [chain, ALL_SKIP]])
    for code, row in zip(tried.tolist(), space.encode(tried, "counts"), strict=True):
        wanted = [
            level <= number
            for edges in space.cells(code)
            for number, most in numbers_by_hand(edges)
            for level in range(1, most + 1)
        ]
        assert row.tolist() == wanted


def test_counts_do_not_depend_on_the_order_of_the_nodes(space, codes):
    same = space.canonical(codes[:200])
    assert (same != codes[:200]).any()
    assert np.array_equal(space.encode(codes[:200], "counts"), space.encode(same, "counts"))


def test_the_graph_wires_a_normal_a_reduction_and_a_normal_cell(space):
    code = space.parse("darts-v2")
    graph = space.encode([code], "graph")[0]
    wires = {(int(i), int(j)): OPERATIONS[o] for i, j, o in np.argwhere(graph)}
    assert len(np.argwhere(graph)) == len(wires) == 1 + 3 * (8 + 4)
    normal, reduction = space.cells(code)
    wanted = {(0, 1): "skip_connect"}
    for edges, states in (
        (normal, (0, 1, 2, 3, 4, 5)),
        (reduction, (1, 6, 7, 8, 9, 10)),
        (normal, (6, 11, 12, 13, 14, 15)),
    ):
        wanted |= {(states[s], states[2 + number // 2]): o for number, (o, s) in enumerate(edges)}
        wanted |= {(node, states[5] + 1): "skip_connect" for node in states[2:]}
    assert wires == wanted


def test_the_first_decision_names_the_operations_of_the_graph(space):
    assert space.decisions[0].choices == OPERATIONS


# Configurations of NAS-Bench-301 ------------------------------------------------------------------------


@pytest.fixture
def configspace():
    from nasbench.spaces import darts_configspace

    return darts_configspace


def test_a_configuration_by_hand(space, configspace):
    config = configspace.to_configspace(space.parse("darts-v2"))
    normal = {key[len(configspace.PREFIX) :]: v for key, v in config.items() if "normal" in key}
    assert normal == {
        "edge_normal_0": "sep_conv_3x3",
        "edge_normal_1": "sep_conv_3x3",
        "inputs_node_normal_3": "0_1",
        "edge_normal_2": "sep_conv_3x3",
        "edge_normal_3": "sep_conv_3x3",
        "inputs_node_normal_4": "0_1",
        "edge_normal_5": "skip_connect",
        "edge_normal_6": "sep_conv_3x3",
        "inputs_node_normal_5": "0_2",
        "edge_normal_9": "skip_connect",
        "edge_normal_11": "dil_conv_3x3",
    }
    assert all(key.startswith("NetworkSelectorDatasetInfo:darts:") for key in config)


def test_configurations_read_back(space, codes, configspace):
    for code in map(tuple, codes.tolist()):
        assert configspace.from_configspace(configspace.to_configspace(code)) == code


def test_keys_may_come_without_their_beginning_and_among_others(space, configspace):
    config = configspace.to_configspace(ALL_SKIP)
    short = {key.removeprefix(configspace.PREFIX): value for key, value in config.items()}
    others = {"OptimizerSelector:optimizer": "sgd", configspace.PREFIX + "layers": 20}
    assert configspace.from_configspace(short | others) == ALL_SKIP


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs_node_normal_4": "1_0"}, "inputs_node_normal_4: expected 0_1, 0_2, .* got '1_0'"),
        ({"inputs_node_reduce_5": None}, "expected a value for inputs_node_reduce_5, got none"),
        ({"edge_reduce_0": None}, "expected a value for edge_reduce_0, got none"),
        ({"edge_reduce_0": "none"}, "reduce cell, node 2: the operations are .* got 'none'"),
        ({"edge_normal_4": "skip_connect"}, "only edges between .* got edge_normal_4 too"),
    ],
)
def test_a_wrong_configuration_is_refused_by_its_key(configspace, change, message):
    config = configspace.to_configspace(ALL_SKIP)
    changed = config | {configspace.PREFIX + key: value for key, value in change.items()}
    with pytest.raises(NotInSpace, match=message):
        configspace.from_configspace({key: value for key, value in changed.items() if value is not None})


def test_a_code_that_is_none_is_refused(space, configspace):
    for use in (space.format, space.cells, configspace.to_configspace):
        with pytest.raises(
            NotInSpace, match=re.escape("'reduce 5 operation on higher' of space darts takes 0 to 6")
        ):
            use((*ALL_SKIP[:-1], 7))
