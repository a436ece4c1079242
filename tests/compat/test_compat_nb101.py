"""Scripts written for NAS-Bench-101's own program run on our tables, and get the file's numbers."""

from __future__ import annotations

import copy
import random
import re

import numpy as np
import pytest
from nb101_file import EPOCHS, SPACE, cells, made_up, parameters_of, records_of, write_file

from nasbench import api
from nasbench.cache import CACHE_VARIABLE
from nasbench.compat.nb101.opening import cached_path
from nasbench.errors import FormatError, MissingExtra, NotInSpace, NotMeasured
from nasbench.spaces.nb101_hash import key_hash
from nasbench.store.imports.nb101 import import_nb101
from nasbench.store.table import open_table
from nasbench.store.writer import write_tables

CONV1X1, CONV3X3, MAXPOOL3X3 = "conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3"
INPUT, OUTPUT = "input", "output"
INCEPTION = {
    "matrix": [
        [0, 1, 1, 1, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    "ops": [INPUT, CONV1X1, CONV3X3, CONV3X3, CONV3X3, MAXPOOL3X3, OUTPUT],
}


@pytest.fixture(scope="module")
def drawn():
    return cells(25)


@pytest.fixture(scope="module")
def official(tmp_path_factory, drawn):
    path = tmp_path_factory.mktemp("official") / "nasbench_full.tfrecord"
    write_file(path, records_of(drawn))
    return path


@pytest.fixture(scope="module")
def table(official):
    out = official.parent / "nb101.h5"
    import_nb101(official, out)
    return out


@pytest.fixture
def nasbench(table):
    return api.NASBench(table, seed=0)


def spec_of(cell):
    return api.ModelSpec(matrix=cell[1], ops=cell[2])


# ModelSpec ----------------------------------------------------------------------------------------


def test_a_spec_is_pruned_when_it_is_made():
    spec = api.ModelSpec(
        matrix=[[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]],
        ops=[INPUT, CONV3X3, CONV1X1, OUTPUT],
    )
    assert spec.valid_spec
    assert spec.matrix.tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert spec.ops == [INPUT, CONV3X3, OUTPUT]
    assert spec.original_matrix.shape == (4, 4)
    assert spec.original_ops == [INPUT, CONV3X3, CONV1X1, OUTPUT]
    assert spec.data_format == "channels_last"


def test_a_spec_without_a_path_is_not_valid():
    spec = api.ModelSpec(matrix=np.zeros((3, 3), dtype=int), ops=[INPUT, CONV3X3, OUTPUT])
    assert (spec.valid_spec, spec.matrix, spec.ops) == (False, None, None)
    with pytest.raises(api.OutOfDomainError, match="expected a path from input to output"):
        spec.hash_spec([CONV3X3, CONV1X1, MAXPOOL3X3])


def test_a_spec_leaves_what_it_was_given_alone():
    matrix = np.array(INCEPTION["matrix"])
    spec = api.ModelSpec(matrix, INCEPTION["ops"])
    spec.matrix[0, 1] = 0
    spec.ops[1] = OUTPUT
    assert matrix.tolist() == INCEPTION["matrix"]
    assert INCEPTION["ops"][1] == CONV1X1
    assert spec.original_matrix.tolist() == INCEPTION["matrix"]


@pytest.mark.parametrize(
    ("matrix", "ops", "rule"),
    [
        (
            [[0, 1, 1], [0, 0, 1]],
            [INPUT, CONV3X3, OUTPUT],
            "matrix: expected a square matrix, got shape (2, 3)",
        ),
        (
            [[0, 1], [0, 0]],
            [INPUT, CONV3X3, OUTPUT],
            "ops: expected as many operations as vertices (= 2), got 3",
        ),
        (
            [[0, 1], [1, 0]],
            [INPUT, OUTPUT],
            "matrix: expected an upper triangular matrix, got an edge from 1 to",
        ),
        ([[1, 1], [0, 0]], [INPUT, OUTPUT], "got an edge from 0 to itself"),
    ],
)
def test_impossible_specs_are_value_errors_as_in_the_original(matrix, ops, rule):
    with pytest.raises(NotInSpace, match=re.escape(rule)) as caught:
        api.ModelSpec(matrix, ops)
    assert isinstance(caught.value, ValueError)


def test_hash_is_the_published_one():
    spec = api.ModelSpec(
        matrix=[
            [0, 1, 0, 0, 1, 1, 0],
            [0, 0, 1, 0, 0, 0, 0],
            [0, 0, 0, 1, 0, 0, 1],
            [0, 0, 0, 0, 0, 1, 0],
            [0, 0, 0, 0, 0, 1, 0],
            [0, 0, 0, 0, 0, 0, 1],
            [0, 0, 0, 0, 0, 0, 0],
        ],
        ops=[INPUT, CONV3X3, MAXPOOL3X3, CONV3X3, CONV3X3, CONV1X1, OUTPUT],
    )
    available = [CONV3X3, CONV1X1, MAXPOOL3X3]
    assert spec.hash_spec(available) == "00005c142e6f48ac74fdcf73e3439874"
    assert spec.hash_spec(available[::-1]) != spec.hash_spec(available)


def test_hash_of_a_cell_outside_the_domain_follows_the_same_steps():
    ops = [INPUT, *[CONV3X3] * 7, OUTPUT]
    chain = api.ModelSpec(np.eye(9, k=1, dtype=int), ops)
    assert len(chain.hash_spec([CONV3X3])) == 32
    small = api.ModelSpec(np.eye(3, k=1, dtype=int), [INPUT, "mine", OUTPUT])
    assert small.hash_spec(["mine"]) == api.ModelSpec(
        np.eye(3, k=1, dtype=int), [INPUT, CONV3X3, OUTPUT]
    ).hash_spec([CONV3X3, CONV1X1, MAXPOOL3X3])
    with pytest.raises(
        api.OutOfDomainError, match="ops: expected operations among conv3x3-bn-relu, got 'mine'"
    ):
        small.hash_spec([CONV3X3])


# The domain ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matrix", "ops", "rule"),
    [
        (np.eye(9, k=1), [INPUT, *[CONV3X3] * 7, OUTPUT], "expected at most 7 vertices once pruned, got 9"),
        (np.triu(np.ones((6, 6)), 1), [INPUT, *[CONV3X3] * 4, OUTPUT], "at most 9 edges once pruned, got 15"),
        (np.eye(3, k=1), [INPUT, "conv5x5", OUTPUT], "between input and output, got 'conv5x5'"),
        (np.eye(3, k=1), [CONV3X3, CONV3X3, OUTPUT], "expected 'input' first and 'output' last"),
        (np.zeros((2, 2)), [INPUT, OUTPUT], "expected a path from input to output, got none"),
        ([[0]], [INPUT], "expected 'input' first and 'output' last, got 'input' and 'input'"),
    ],
)
def test_cells_outside_the_domain_are_refused_by_their_rule(nasbench, matrix, ops, rule):
    spec = api.ModelSpec(np.array(matrix, dtype=int), ops)
    assert not nasbench.is_valid(spec)
    for ask in (nasbench.query, nasbench.get_metrics_from_spec, lambda s: nasbench.evaluate(s, "never made")):
        with pytest.raises(api.OutOfDomainError, match=rule):
            ask(spec)
    assert nasbench.get_budget_counters() == (0.0, 0)


def test_a_large_matrix_that_prunes_to_a_small_cell_is_valid(nasbench, drawn):
    key, matrix, ops = drawn[0]
    n = len(ops)
    padded = np.zeros((n + 4, n + 4), dtype=int)
    places = [*range(n - 1), n + 3]
    padded[np.ix_(places, places)] = matrix
    spec = api.ModelSpec(padded, [*ops[:-1], *[CONV1X1] * 4, OUTPUT])
    assert nasbench.is_valid(spec)
    assert nasbench.query(spec)["trainable_parameters"] == parameters_of(key)


@pytest.mark.parametrize("epochs", [50, 0, "108", None])
def test_other_training_lengths_are_refused(nasbench, drawn, epochs):
    with pytest.raises(api.OutOfDomainError, match="epochs: expected one of 4, 12, 36, 108, got "):
        nasbench.query(spec_of(drawn[0]), epochs=epochs)


# Queries ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs", EPOCHS)
@pytest.mark.parametrize("halfway", [False, True])
def test_a_query_is_one_training_of_the_file(nasbench, drawn, epochs, halfway):
    for key, matrix, ops in drawn:
        data = nasbench.query(api.ModelSpec(matrix, ops), epochs=epochs, stop_halfway=halfway)
        assert set(data) == {
            "module_adjacency", "module_operations", "trainable_parameters", "training_time",
            "train_accuracy", "validation_accuracy", "test_accuracy",
        }  # fmt: skip
        assert data["trainable_parameters"] == parameters_of(key)
        again = api.ModelSpec(data["module_adjacency"], data["module_operations"])
        assert again.hash_spec() == key_hash(key)
        numbers = [data[f"{split}_accuracy"] for split in ("train", "validation", "test")]
        trainings = [made_up(key, epochs, repeat)[1 if halfway else 2][1:] for repeat in range(3)]
        assert [data["training_time"], *numbers] in trainings


def test_repeats_are_drawn_alike_often(nasbench, drawn):
    spec = spec_of(drawn[3])
    times = [made_up(drawn[3][0], 108, repeat)[2][1] for repeat in range(3)]
    asked = [nasbench.query(spec)["training_time"] for _ in range(600)]
    assert all(150 < asked.count(time) < 250 for time in times)


def test_budget_counters_add_up_seconds_and_epochs(nasbench, drawn):
    seconds = sum(
        nasbench.query(spec_of(cell), epochs=epochs, stop_halfway=halfway)["training_time"]
        for cell in drawn[:3]
        for epochs, halfway in ((4, False), (36, True), (108, False))
    )
    assert nasbench.get_budget_counters() == (seconds, 3 * (4 + 18 + 108))
    assert (nasbench.training_time_spent, nasbench.total_epochs_spent) == nasbench.get_budget_counters()
    nasbench.reset_budget_counters()
    assert nasbench.get_budget_counters() == (0.0, 0)


def test_objects_of_one_seed_draw_alike_and_global_random_stays(table, drawn):
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002 - the global state is what must stay
    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    one, same, other = (api.NASBench(table, seed=seed) for seed in (7, 7, 8))

    def ask(bench):
        return [bench.query(spec_of(cell))["training_time"] for cell in drawn]

    first = ask(one)
    assert first == ask(same)
    assert first != ask(other)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002
    assert ask(api.NASBench(table)) != first  # equal once in 3**25


def test_answers_are_the_asker_s_own(nasbench, drawn):
    data = nasbench.query(spec_of(drawn[0]))
    kept = copy.deepcopy(data["module_adjacency"])
    data["module_adjacency"][:] = 7
    data["module_operations"].clear()
    again = nasbench.query(spec_of(drawn[0]))
    assert np.array_equal(again["module_adjacency"], kept)
    assert again["module_operations"][0] == INPUT


def test_a_cell_that_the_file_does_not_hold_is_not_measured(nasbench):
    spec = api.ModelSpec(np.eye(7, k=1, dtype=int), [INPUT, *[CONV3X3] * 5, OUTPUT])
    assert nasbench.is_valid(spec)
    with pytest.raises(NotMeasured, match=f"holds 25 cells, and not this one: {spec.hash_spec()}"):
        nasbench.query(spec)


# Everything of a cell -----------------------------------------------------------------------------


def test_hashes_are_all_listed_and_lead_to_everything(nasbench, drawn):
    hashes = list(nasbench.hash_iterator())
    assert hashes == sorted(key_hash(key) for key, _, _ in drawn)
    key, matrix, ops = drawn[5]
    fixed, computed = nasbench.get_metrics_from_hash(key_hash(key))
    assert fixed["trainable_parameters"] == parameters_of(key)
    assert list(computed) == list(EPOCHS)
    for epochs in EPOCHS:
        for repeat, one in enumerate(computed[epochs]):
            _, half, last = made_up(key, epochs, repeat)
            names = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
            assert one == {
                **{f"halfway_{name}": value for name, value in zip(names, half[1:], strict=True)},
                **{f"final_{name}": value for name, value in zip(names, last[1:], strict=True)},
            }
    same_fixed, same_computed = nasbench.get_metrics_from_spec(api.ModelSpec(matrix, ops))
    assert same_computed == computed
    assert np.array_equal(same_fixed["module_adjacency"], fixed["module_adjacency"])
    assert nasbench.get_budget_counters() == (0.0, 0)


def test_hashes_of_many_codes_are_those_one_by_one(nasbench, drawn, rng):
    """Cells that the file holds and others."""
    codes = np.concatenate([SPACE.sample(50, rng=rng), [SPACE.of_cell(*cell[1:]) for cell in drawn]])
    one_by_one = [key_hash(SPACE.key(tuple(code))) for code in codes.tolist()]
    assert [found.tobytes().hex() for found in nasbench.hashes(codes)] == one_by_one


@pytest.mark.parametrize("wrong", ["0" * 32, "f" * 32, "12", "no hash at all"])
def test_unknown_hashes_are_lookup_errors(nasbench, wrong):
    with pytest.raises(NotMeasured, match="holds no cell of hash") as caught:
        nasbench.get_metrics_from_hash(wrong)
    assert isinstance(caught.value, LookupError)


def test_a_table_of_one_s_own_needs_neither_hashes_nor_halfway_numbers(table, tmp_path, drawn):
    data = open_table(table).data()
    curves = {name: data.curves[name] for name in ("valid_error", "train_seconds")}
    mine = tmp_path / "mine.h5"
    write_tables(mine, [type(data)("mine", data.info, data.codes, data.epochs, curves)])
    bench = api.NASBench(f"{mine}:mine", seed=0)
    assert list(bench.hash_iterator()) == sorted(key_hash(key) for key, _, _ in drawn)
    assert set(bench.query(spec_of(drawn[0]))) == {
        "module_adjacency", "module_operations", "training_time", "validation_accuracy",
    }  # fmt: skip
    with pytest.raises(NotMeasured, match="stop_halfway: table mine holds no numbers of trainings half-way"):
        bench.query(spec_of(drawn[0]), stop_halfway=True)


def test_missing_repeats_are_never_drawn(table, tmp_path, drawn):
    data = open_table(table).data()
    curves = {name: values.copy() for name, values in data.curves.items()}
    for values in curves.values():
        values[:, 1:, 3] = np.nan
        values[:, :, 0] = np.nan
    mine = tmp_path / "mine.h5"
    write_tables(mine, [type(data)("mine", data.info, data.codes, data.epochs, curves)])
    bench = api.NASBench(mine, seed=0)
    spec = spec_of(drawn[0])
    expected = made_up(drawn[0][0], 108, 0)[2][1]
    assert {bench.query(spec)["training_time"] for _ in range(20)} == {expected}
    with pytest.raises(NotMeasured, match="holds no training of this cell at 4 epochs"):
        bench.query(spec, epochs=4)
    _, computed = bench.get_metrics_from_spec(spec)
    assert [len(computed[epochs]) for epochs in EPOCHS] == [0, 3, 3, 1]


# Files --------------------------------------------------------------------------------------------


def test_an_official_file_is_read_once_and_kept(official, tmp_path, monkeypatch, capsys, drawn):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    first = api.NASBench(str(official), seed=1)
    kept = cached_path(official)
    assert kept.parent == tmp_path / "nb101"
    assert "nasbench: reading" in capsys.readouterr().err
    stamp = kept.stat().st_mtime_ns
    second = api.NASBench(official, seed=1)
    assert capsys.readouterr().err == ""
    assert kept.stat().st_mtime_ns == stamp
    assert [first.query(spec_of(c))["training_time"] for c in drawn] == [
        second.query(spec_of(c))["training_time"] for c in drawn
    ]


def test_a_changed_file_is_read_anew(tmp_path, monkeypatch, drawn):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    path = tmp_path / "a.tfrecord"
    for n in (2, 3):
        write_file(path, records_of(drawn[:n], epochs=(108,), repeats=1))
        assert len(list(api.NASBench(path).hash_iterator())) == n


def test_a_file_that_is_not_there_says_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    with pytest.raises(MissingExtra, match=r"expected nasbench_full\.tfrecord"):
        api.NASBench("nowhere.tfrecord")
    with pytest.raises(MissingExtra, match="which does not exist"):
        api.NASBench("nowhere.h5")


def test_a_table_of_another_space_is_refused(nb201_table):
    with pytest.raises(FormatError, match="space: expected a table of nb101, got nb201-cifar10 of nb201"):
        api.NASBench(f"{nb201_table.path}:{nb201_table.name}")


# The authors' notebook ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """A table that holds every cell of up to four vertices, for searches that may go anywhere there."""
    from nasbench.spaces.nb101_cells import distinct_cells

    keys = [int(key) for v in (2, 3, 4) for key in distinct_cells(v)]
    folder = tmp_path_factory.mktemp("notebook")
    every = [
        (key, *SPACE.cell(tuple(SPACE.of_keys(np.array([key], dtype=np.int32))[0].tolist()))) for key in keys
    ]
    write_file(folder / "a.tfrecord", records_of(every, epochs=(108,)))
    import_nb101(folder / "a.tfrecord", folder / "a.h5")
    return api.NASBench(folder / "a.h5", seed=0)


def test_random_search_and_evolution_of_the_notebook_run_as_they_are(notebook):
    """The loops that the authors' notebook describes, on cells of four vertices."""
    nasbench = notebook
    vertices, op_spots = 4, 2
    allowed_ops = [CONV3X3, CONV1X1, MAXPOOL3X3]
    draw = random.Random(0)

    def random_spec():
        while True:
            matrix = np.triu(
                np.array([[draw.choice([0, 1]) for _ in range(vertices)] for _ in range(vertices)]), 1
            )
            ops = [INPUT, *(draw.choice(allowed_ops) for _ in range(op_spots)), OUTPUT]
            spec = api.ModelSpec(matrix=matrix, ops=ops)
            if nasbench.is_valid(spec):
                return spec

    def mutate_spec(old):
        while True:
            matrix, ops = copy.deepcopy(old.original_matrix), copy.deepcopy(old.original_ops)
            for src in range(vertices - 1):
                for dst in range(src + 1, vertices):
                    if draw.random() < 1.0 / vertices:
                        matrix[src, dst] = 1 - matrix[src, dst]
            for i in range(1, vertices - 1):
                if draw.random() < 1.0 / op_spots:
                    ops[i] = draw.choice([o for o in nasbench.config["available_ops"] if o != ops[i]])
            spec = api.ModelSpec(matrix, ops)
            if nasbench.is_valid(spec):
                return spec

    def search(budget_seconds, evolves):
        nasbench.reset_budget_counters()
        times, best, population = [0.0], [0.0], []
        while True:
            if evolves and len(population) == 8:
                parent = max((draw.choice(population) for _ in range(4)), key=lambda one: one[0])[1]
                spec = mutate_spec(parent)
            else:
                spec = random_spec()
            data = nasbench.query(spec)
            population = [*population, (data["validation_accuracy"], spec)][-8:]
            times.append(nasbench.get_budget_counters()[0])
            best.append(max(best[-1], data["validation_accuracy"]))
            if times[-1] > budget_seconds:
                return times, best

    for evolves in (False, True):
        times, best = search(100_000.0, evolves)
        assert len(times) > 30
        assert times == sorted(times)
        assert times[-2] <= 100_000.0 < times[-1]
        assert nasbench.total_epochs_spent == 108 * (len(times) - 1)
        assert 0.9 < best[-1] <= 1.0


# Training now -------------------------------------------------------------------------------------


def test_evaluate_trains_now(nasbench, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    spec = api.ModelSpec(np.eye(3, k=1, dtype=int), [INPUT, CONV3X3, OUTPUT])
    how = {"data": "digits", "recipe": "digits-nb101", "epochs": 2}
    data = nasbench.evaluate(spec, tmp_path / "model", **how)
    assert data["module_operations"] == spec.ops
    assert 0.0 <= data["validation_accuracy"] <= 1.0
    assert data["training_time"] > 0
    assert nasbench.get_budget_counters() == (0.0, 0)
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["metadata.json"]
    again = nasbench.evaluate(spec, tmp_path / "again", **how)
    assert again["test_accuracy"] == data["test_accuracy"]
