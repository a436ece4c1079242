"""The NATS-Bench face by itself: opening, drawing, refusing, and known defects of its neighbours."""

from __future__ import annotations

import random
import re
from collections import Counter

import numpy as np
import pytest
from nats_release import NB201_KEYS, architectures, record, records, write_folder, write_pth, write_single

from nasbench.cache import CACHE_VARIABLE
from nasbench.compat.nats import NATSsize, NATStopology, create
from nasbench.errors import BadOption, FormatError, MissingExtra, NotInSpace, NotMeasured, UnknownName
from nasbench.store.bundled import find_table
from nasbench.store.imports.nats import import_nats
from nasbench.store.table import open_table
from nasbench.store.writer import write_tables

INDICES = [0, 2, 3, 4]


@pytest.fixture(scope="module")
def made():
    return records("nb201", INDICES)


@pytest.fixture(scope="module")
def table(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    return import_nats(write_folder(folder / "NATS-tss-made-simple", "nb201", made), folder / "t.h5").path


@pytest.fixture
def api(table):
    return create(table, "tss", verbose=False)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


# Opening ----------------------------------------------------------------------------------------


def test_a_release_is_imported_once(tmp_path, cache, capsys, monkeypatch):
    release = write_single(tmp_path / "r.pickle.pbz2", "nb201", records("nb201", [1], ("12",)))
    first = create(str(release), "tss")
    assert "importing" in capsys.readouterr().err
    monkeypatch.setattr("nasbench.compat.nats_cache.import_nats", None)
    second = create(str(release), "topology")
    assert capsys.readouterr().err == ""
    assert second.get_more_info(1, "cifar100", is_random=111) == first.get_more_info(
        1, "cifar100", is_random=111
    )
    assert [file.suffix for file in (cache / "nats").iterdir()] == [".h5"]


def test_a_release_that_changed_is_imported_again(tmp_path, cache):
    release = tmp_path / "r.pickle.pbz2"
    for indices in ([1], [1, 2]):
        write_single(release, "nb201", records("nb201", indices, ("12",)))
        assert create(release, "tss", verbose=False).evaluated_indexes == indices
    assert len(list((cache / "nats").iterdir())) == 2


def test_without_a_path_it_looks_where_the_original_looks(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(MissingExtra, match=r"NATS-sss-v1_0-50262\.pickle\.pbz2"):
        create(None, "sss")
    write_folder(tmp_path / "NATS-tss-v1_0-3ffb9-simple", "nb201", records("nb201", [1], ("12",)))
    assert create(None, "tss", fast_mode=True, verbose=False).evaluated_indexes == [1]


def test_the_file_of_nas_bench_201_opens_too(tmp_path):
    release = write_pth(tmp_path / "NAS-Bench-201-made.pth", records("nb201", [1], NB201_KEYS))
    api = create(release, "tss", verbose=False)
    assert api.avaliable_hps == ["12", "200"]
    assert isinstance(api, NATStopology)


def test_what_cannot_be_opened_is_refused(table, tmp_path):
    with pytest.raises(BadOption, match="search_space: expected 'tss'"):
        create(table, "nas")
    with pytest.raises(BadOption, match="expected a path, got dict"):
        create({"meta_archs": []}, "tss")
    with pytest.raises(BadOption, match=r"expected tables of space nats-size .* with tables of space nb201"):
        create(table, "sss")
    with pytest.raises(BadOption, match="with others"):
        create(find_table("nb201-cifar10").path, "tss")


def test_a_table_without_training_seeds_is_refused(table, tmp_path):
    from dataclasses import replace

    data = open_table(table, "nats-topology-cifar10-12").data()
    write_tables(tmp_path / "t.h5", [replace(data, provenance=None)])
    with pytest.raises(FormatError, match="provenance: expected training seeds, got none"):
        create(tmp_path / "t.h5", "tss").get_more_info(0, "cifar10")


def test_a_part_of_a_release_in_another_order_is_refused(table, tmp_path):
    from dataclasses import replace

    data = open_table(table, "nats-topology-cifar10-12").data()
    index = replace(data.scalars["nats_index"], values=data.scalars["nats_index"].values[::-1].copy())
    write_tables(tmp_path / "t.h5", [replace(data, scalars={**data.scalars, "nats_index": index})])
    with pytest.raises(FormatError, match="nats_index: expected the order of the official release"):
        create(tmp_path / "t.h5", "tss").arch(0)


# Architectures ----------------------------------------------------------------------------------


def test_architectures_go_by_index_text_or_object(api):
    class Cell:
        def tostr(self):
            return architectures("nb201")[3]

    text = architectures("nb201")[3]
    infos = [api.get_more_info(arch, "cifar100", is_random=111) for arch in (3, text, Cell())]
    assert infos[0] == infos[1] == infos[2]
    assert len(api) == 15_625
    assert (api[3], api.arch(3), api.query_index_by_arch(Cell())) == (text, text, 3)
    assert api.query_index_by_arch(object()) == -1
    assert "4/15625 architectures" in repr(api)


def test_the_unknown_is_told_by_what_it_is_and_not_by_minus_one(api):
    with pytest.raises(NotInSpace, match=r"expected one of space nb201 such as .*, got '|nothing|'"):
        api.get_more_info("|nothing|", "cifar10")
    with pytest.raises(NotInSpace, match="expected an index from 0 to 15624, got 15625"):
        api.get_more_info(15_625, "cifar10")
    with pytest.raises(NotInSpace, match="got -1"):
        api.arch(-1)


def test_an_architecture_that_was_not_imported_is_told(api):
    with pytest.raises(NotMeasured, match="holds 4 architectures, and 7 is not one of them"):
        api.get_more_info(7, "cifar10")
    with pytest.raises(NotMeasured, match="does not hold 7"):
        api.query_meta_info_by_index(7)


def test_random_gives_any_index_and_repeats_itself(table):
    first, second, other = (create(table, "tss", seed=seed) for seed in (1, 1, 2))
    draws = [[api.random() for _ in range(400)] for api in (first, second, other)]
    assert draws[0] == draws[1] != draws[2]
    assert min(draws[0]) < 800 < 14_800 < max(draws[0]) < 15_625


# Draws ------------------------------------------------------------------------------------------


def test_draws_leave_the_global_generators_alone(api):
    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002 - whether it was touched
    for _ in range(20):
        api.get_more_info(0, "cifar10-valid", hp="200")
        api.simulate_train_eval(0, "cifar10", hp="200")
        api.random()
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002


def test_the_same_seed_gives_the_same_answers(table):
    answers = []
    for seed in (5, 5, 6):
        api = create(table, "tss", seed=seed)
        answers.append([api.simulate_train_eval(2, "cifar100", hp="200")[0] for _ in range(30)])
    assert answers[0] == answers[1] != answers[2]


def test_every_seed_is_drawn_equally_often(api):
    drawn = Counter(api.get_more_info(2, "cifar10-valid", hp="200")["train-loss"] for _ in range(3_000))
    assert len(drawn) == 3
    assert min(drawn.values()) > 900


def test_one_answer_is_one_training(api, made):
    """NASLib asks four times for one evaluation and mixes seeds (train, validation, test and time apart)."""
    results = made[2]["200"]["all_results"]
    trainings = {
        (r["train_acc1es"][199], r["eval_acc1es"]["x-valid@199"], r["eval_acc1es"]["ori-test@199"])
        for (data_set, _), r in results.items()
        if data_set == "cifar10-valid"
    }
    for _ in range(50):
        info = api.get_more_info(2, "cifar10-valid", hp="200")
        assert (info["train-accuracy"], info["valid-accuracy"], info["test-accuracy"]) in trainings


def test_an_answer_can_be_altered_without_altering_the_next(api):
    info = api.get_more_info(0, "cifar100", is_random=111)
    wanted = dict(info)
    info.clear()
    mean = api.get_more_info(0, "cifar100", is_random=False)
    mean["train-loss"] = None
    assert api.get_more_info(0, "cifar100", is_random=111) == wanted
    assert api.get_more_info(0, "cifar100", is_random=False) == wanted


# Known defects of the neighbours -----------------------------------------------------------------


def test_validation_and_test_are_different_numbers(api, made):
    """NASLib, HPOBench and Syne Tune give one split under both names."""
    for data_set, valid, test in (
        ("cifar10-valid", "x-valid", "ori-test"),
        ("cifar100", "x-valid", "x-test"),
    ):
        info = api.get_more_info(3, data_set, hp="200", is_random=777)
        accuracies = made[3]["200"]["all_results"][data_set, 777]["eval_acc1es"]
        assert info["valid-accuracy"] == accuracies[f"{valid}@199"]
        assert info["test-accuracy"] == accuracies[f"{test}@199"]
        assert info["valid-accuracy"] != info["test-accuracy"]


def test_a_missing_seed_is_missing(api):
    """HPOBench copies 888 into 999, Syne Tune fills in a mean."""
    assert api.query_meta_info_by_index(3, "200").get_dataset_seeds("cifar10") == [777, 888]
    with pytest.raises(
        NotMeasured, match=r"training seeds of architecture 3 on cifar10 are \[777, 888\], got 999"
    ):
        api.get_more_info(3, "cifar10", hp="200", is_random=999)


def test_the_first_epoch_costs_its_time(api, made):
    """HPOBench sums from the second epoch on."""
    result = made[2]["200"]["all_results"]["cifar100", 888]
    info = api.get_more_info(2, "cifar100", iepoch=0, hp="200", is_random=888)
    assert info["train-all-time"] == info["train-per-time"] == result["train_times"][0]


def test_costs_are_the_recorded_ones(api, made):
    """NASLib returns constants for NAS-Bench-301; Archai looks in the wrong dictionary."""
    cost = api.get_cost_info(4, "cifar100", "200")
    result = made[4]["200"]["all_results"]["cifar100", 888]
    assert (cost["flops"], cost["params"]) == pytest.approx((result["flop"], result["params"]), rel=1e-12)
    assert api.get_latency(4, "cifar100", "200") == cost["latency"] > 0


def test_a_split_that_one_repeat_lacks_is_not_averaged_away(tmp_path):
    one = record(1, architectures("nb201")[1], keys=("200",))
    del one["200"]["all_results"]["cifar100", 888]["eval_acc1es"]["x-test@199"]
    api = create(write_folder(tmp_path / "release", "nb201", {1: one}), "tss", verbose=False)
    assert "test-accuracy" not in api.get_more_info(1, "cifar100", hp="200", is_random=False)
    assert "test-accuracy" not in api.get_more_info(1, "cifar100", hp="200", is_random=888)
    there = one["200"]["all_results"]["cifar100", 777]["eval_acc1es"]["x-test@199"]
    assert api.get_more_info(1, "cifar100", hp="200", is_random=777)["test-accuracy"] == there
    assert api.find_best("cifar100", "test", hp="200") == (-1, None)
    with pytest.raises(NotMeasured, match="seed 888 of architecture 1 on cifar100 has nothing of 'x-test'"):
        api.query_meta_info_by_index(1, "200").get_metrics("cifar100", "x-test")


def test_a_training_without_any_validation_is_not_simulated(tmp_path):
    one = record(1, architectures("nb201")[1], keys=("12",))
    result = one["12"]["all_results"]["cifar100", 111]
    for name in ("eval_acc1es", "eval_losses"):
        for split in ("x-valid", "ori-test"):
            del result[name][f"{split}@3"]
    api = create(write_folder(tmp_path / "release", "nb201", {1: one}), "tss", verbose=False)
    with pytest.raises(NotMeasured, match="no validation accuracy on cifar100 after epoch 3"):
        api.simulate_train_eval(1, "cifar100", iepoch=3)


def test_times_and_latencies_that_a_release_lacks_are_none(tmp_path):
    one = record(1, architectures("nb201")[1], keys=("12",))
    result = one["12"]["all_results"]["cifar100", 111]
    result["eval_times"].clear()
    result["latency"] = None
    api = create(write_folder(tmp_path / "release", "nb201", {1: one}), "tss", verbose=False)
    info = api.get_more_info(1, "cifar100")
    assert info["valid-all-time"] is None
    assert info["valid-per-time"] is None
    assert info["valid-accuracy"] == result["eval_acc1es"]["x-valid@11"]
    assert api.get_latency(1, "cifar100") is None
    costs = api.get_cost_info(1, "cifar100")
    assert costs["T-x-valid@total"] is None
    assert costs["T-train@total"] > 0
    with pytest.raises(NotMeasured, match="a repeat of architecture 1 on cifar100 has none"):
        api.query_meta_info_by_index(1).get_latency("cifar100")


def test_epochs_of_different_lengths_are_told_apart(tmp_path):
    one = record(1, architectures("nb201")[1], keys=("12",))
    times = one["12"]["all_results"]["cifar100", 111]["train_times"]
    for epoch in times:
        times[epoch] = 1.0 + epoch
    api = create(write_folder(tmp_path / "release", "nb201", {1: one}), "tss", verbose=False)
    result = api.query_by_index(1, "cifar100")[111]
    assert [result.get_train(epoch)["cur_time"] for epoch in (0, 4)] == [1.0, 5.0]
    assert result.get_train(4)["all_time"] == 15.0


# Refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a: a.get_more_info(0, "mnist"), UnknownName, "no data set is named 'mnist'"),
        (lambda a: a.get_more_info(0, "cifar10", hp="90"), NotMeasured, "holds '12', '200', got '90'"),
        (lambda a: a.query_info_str_by_arch(0, hp="90"), NotMeasured, "holds 12, 200, got '90'"),
        (
            lambda a: a.get_more_info(0, "cifar10", iepoch=12),
            BadOption,
            r"expected 0 to 11 \(counted from 0\), got 12",
        ),
        (lambda a: a.get_more_info(0, "cifar10", iepoch=-1), BadOption, "got -1"),
        (
            lambda a: a.get_more_info(0, "cifar10", is_random="yes"),
            BadOption,
            "expected True, False or a training",
        ),
        (lambda a: a.get_more_info(0, "cifar10", is_random=1), NotMeasured, r"are \[111\], got 1"),
        (lambda a: a.simulate_train_eval(0, "cifar10-valid"), BadOption, "expected 'cifar10', 'cifar100'"),
        (lambda a: a.get_net_param(0, "cifar10", 111), NotMeasured, r"weights: .*NATS-\*-full"),
        (lambda a: a.query_by_index(0).get_net_param("cifar10"), NotMeasured, "weights"),
        (lambda a: a.query_by_index(0, "cifar10")[111].get_net_param(), NotMeasured, "weights"),
        (lambda a: a.query_by_index(0, "mnist"), UnknownName, "no data set is named 'mnist'"),
        (lambda a: a.query_by_index(0).query("cifar10", 5), NotMeasured, r"seeds are \[111\], got 5"),
        (lambda a: a.query_by_index(0).get_metrics("cifar10", "train", None, "x"), BadOption, "got 'x'"),
        (lambda a: a.find_best("cifar100", "y-test"), UnknownName, "no set is named 'y-test'"),
        (lambda a: a.str2matrix("|odd~0|"), NotInSpace, "the operations are .* got 'odd'"),
        (lambda a: a.str2lists("|none|"), NotInSpace, "expected operation~node, got 'none'"),
    ],
)
def test_what_cannot_be_answered_says_why(api, call, error, message):
    with pytest.raises(error, match=message):
        call(api)


def test_is_random_one_is_a_seed_and_not_true(api):
    api.get_more_info(0, "cifar10")
    with pytest.raises(NotMeasured, match="got 1"):
        api.get_more_info(0, "cifar10", is_random=1)


# The rest of the face -----------------------------------------------------------------------------


def test_results_of_one_architecture_draw_and_average(api, made):
    results = api.query_meta_info_by_index(2, "200")
    assert results.arch_idx_str() == "000002"
    assert results.get_total_epoch("cifar10") == 200
    accuracies = {
        s: results.get_metrics("cifar10", "ori-test", is_random=s)["accuracy"] for s in (777, 888, 999)
    }
    drawn = {results.get_metrics("cifar10", "ori-test", is_random=True)["accuracy"] for _ in range(60)}
    assert drawn == set(accuracies.values())
    assert results.get_metrics("cifar10", "ori-test")["accuracy"] == sum(accuracies.values()) / 3
    one = results.query("cifar10", 888)
    assert one.get_eval("ori-test")["accuracy"] == accuracies[888]
    assert one.get_total_epoch() == 200
    valid = results.query("cifar100", 888)
    assert valid.get_eval("valid") == valid.get_eval("x-valid")
    assert re.match(r"ArchResults\(arch-index=2, arch=\|", repr(results))


def test_the_size_space_has_a_face_of_its_own(tmp_path):
    release = write_folder(tmp_path / "s", "nats-size", records("nats-size", [0, 9], ("12", "90")))
    api = create(release, "size", verbose=False)
    assert isinstance(api, NATSsize)
    assert (len(api), api[9], api.search_space_name) == (32_768, "8:8:8:16:16", "size")
    assert api.query_index_by_arch("64:64:64:64:64") == 32_767
    config = api.get_net_config(9, "cifar100")
    assert (config["name"], config["channels"], config["num_classes"]) == (
        "infer.shape.tiny",
        "8:8:8:16:16",
        100,
    )
    result = api.query_by_index(9, "cifar10", "90")[777]
    assert result.get_config(str.upper)["genotype"] == config["genotype"].upper()


def test_configurations_take_a_parser_of_cells(api):
    result = api.query_by_index(0, "cifar10")[111]
    assert result.get_config(len)["genotype"] == len(api[0])
