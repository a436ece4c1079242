"""The NATS-Bench face against nats_bench 1.8 itself, call by call, on made files and on the real sample."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import pytest
from nats_release import DATA_SETS, SIZE_KEYS, TOPOLOGY_KEYS, records, write_folder, write_single

from nasbench.compat.nats import create
from nasbench.errors import NotMeasured

nats_bench = pytest.importorskip("nats_bench", reason="nats_bench is the oracle here")

SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "nats_sample"
INDICES = [0, 1, 2, 7, 11]
CASES = {"tss": ("nb201", TOPOLOGY_KEYS), "sss": ("nats-size", SIZE_KEYS)}
EPOCHS = {"01": [None, 0], "12": [None, 0, 5, 11], "90": [None, 0, 89], "200": [None, 0, 100, 199]}


@pytest.fixture(scope="module", params=["tss", "sss", "sample tss", "sample sss"])
def pair(request, tmp_path_factory):
    """Our face, the original, the training lengths and the indices that both hold."""
    kind, folder = request.param.split()[-1], tmp_path_factory.mktemp("nats")
    space, keys = CASES[kind]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NASBENCH_CACHE", str(folder / "cache"))
        if request.param.startswith("sample"):
            names = sorted(SAMPLE.glob(f"NATS-{kind}-*")) if SAMPLE.is_dir() else []
            if not names:
                pytest.skip("the sample of the release is not here")
            release, indices = names[0], [0]
        else:
            release, indices = write_folder(folder / "made", space, records(space, INDICES)), INDICES
        ours = create(release, kind, fast_mode=True, verbose=False)
    theirs = nats_bench.create(str(release), kind, fast_mode=True, verbose=False)
    return ours, theirs, keys, indices


def without_comment(info):
    return {key: value for key, value in info.items() if key != "comment"}


def test_every_number_of_every_seed_is_the_original_one(pair):
    ours, theirs, keys, indices = pair
    compared = 0
    for index, data_set, hp in itertools.product(indices, DATA_SETS, keys):
        seeds = theirs.query_meta_info_by_index(index, hp).get_dataset_seeds(data_set)
        for seed, iepoch in itertools.product([*seeds, False], EPOCHS[hp]):
            mine = ours.get_more_info(index, data_set, iepoch, hp, seed)
            wanted = theirs.get_more_info(index, data_set, iepoch, hp, seed)
            assert without_comment(mine) == without_comment(wanted), (index, data_set, hp, seed, iepoch)
            assert ("comment" in mine) == ("comment" in wanted)
            compared += len(wanted)
    assert compared > 400 * len(indices)


def test_a_random_seed_gives_one_training_of_the_original(pair):
    ours, theirs, keys, indices = pair
    for index, hp in itertools.product(indices, keys):
        seeds = theirs.query_meta_info_by_index(index, hp).get_dataset_seeds("cifar10-valid")
        trainings = [
            without_comment(theirs.get_more_info(index, "cifar10-valid", None, hp, s)) for s in seeds
        ]
        drawn = Counter()
        for _ in range(300):
            drawn[trainings.index(without_comment(ours.get_more_info(index, "cifar10-valid", hp=hp)))] += 1
        assert len(drawn) == len(seeds)
        assert min(drawn.values()) > 0.7 * 300 / len(seeds)


def test_simulated_trainings_are_those_of_the_original(pair):
    ours, theirs, keys, indices = pair
    for hp, data_set in itertools.product(keys, ("cifar10", "cifar100", "ImageNet16-120")):
        for iepoch in EPOCHS[hp]:
            wanted = {theirs.simulate_train_eval(indices[-1], data_set, iepoch, hp)[:3] for _ in range(4)}
            mine = {ours.simulate_train_eval(indices[-1], data_set, iepoch, hp)[:3] for _ in range(200)}
            assert wanted <= mine, (hp, data_set, iepoch)


def test_time_is_summed_as_the_original_sums_it(pair):
    ours, theirs, _, indices = pair
    for api in (ours, theirs):
        api.reset_time()
    spent = 0.0
    for index in indices * 3:
        _, _, seconds, used = ours.simulate_train_eval(index, "cifar100", hp="12")
        spent += seconds
        assert used == ours.used_time == spent
    ours.simulate_train_eval(indices[0], "cifar100", hp="12", account_time=False)
    assert ours.used_time == spent
    ours.reset_time()
    assert ours.used_time == theirs.used_time == 0


def test_costs_are_the_original_ones(pair):
    ours, theirs, keys, indices = pair
    for index, data_set, hp in itertools.product(indices, DATA_SETS, keys):
        assert ours.get_cost_info(index, data_set, hp) == theirs.get_cost_info(index, data_set, hp)
        assert ours.get_latency(index, data_set, hp) == theirs.get_latency(index, data_set, hp)
        assert ours.get_net_config(index, data_set) == theirs.get_net_config(index, data_set)


def test_the_text_of_an_architecture_is_the_original_one(pair):
    ours, theirs, keys, indices = pair
    for index, hp in itertools.product(indices, keys):
        assert ours.query_info_str_by_arch(index, hp) == theirs.query_info_str_by_arch(index, hp)
        assert ours.query_by_arch(ours[index], hp) == theirs.query_by_arch(theirs[index], hp)


def test_results_of_an_architecture_are_the_original_ones(pair):
    ours, theirs, keys, indices = pair
    for index, hp in itertools.product(indices, keys):
        mine, wanted = (api.query_meta_info_by_index(index, hp) for api in (ours, theirs))
        assert (mine.arch_index, mine.arch_str) == (wanted.arch_index, wanted.arch_str)
        assert mine.get_dataset_names() == wanted.get_dataset_names()
        assert mine.get_total_epoch() == wanted.get_total_epoch()
        for data_set in DATA_SETS:
            assert mine.get_dataset_seeds(data_set) == wanted.get_dataset_seeds(data_set)
            assert mine.get_latency(data_set) == wanted.get_latency(data_set)
            for split in wanted.query(data_set, mine.get_dataset_seeds(data_set)[0]).get_eval_set():
                assert mine.get_metrics(data_set, split) == wanted.get_metrics(data_set, split)
            one, other = (api.query_by_index(index, data_set, hp) for api in (ours, theirs))
            assert list(one) == list(other)
            for seed, result in other.items():
                same_training(one[seed], result)


def same_training(mine, wanted):
    """Compare one ``ResultsCount`` with the original's."""
    for name in ("name", "epochs", "params", "flop", "latency"):
        assert getattr(mine, name) == getattr(wanted, name)
    assert sorted(mine.get_eval_set()) == sorted(wanted.get_eval_set())
    assert mine.get_times() == wanted.get_times()
    assert mine.get_config(None) == wanted.get_config(None)
    for iepoch in (None, 0, wanted.epochs // 2):
        assert mine.get_train(iepoch) == wanted.get_train(iepoch)
        for split in wanted.get_eval_set():
            try:
                expected = wanted.get_eval(split, iepoch)
            except KeyError:
                with pytest.raises(NotMeasured):
                    mine.get_eval(split, iepoch)
            else:
                assert mine.get_eval(split, iepoch) == expected


def test_notation_is_read_as_the_original_reads_it(pair):
    ours, theirs, _, _ = pair
    assert len(ours) == len(theirs)
    assert ours.meta_archs == theirs.meta_archs
    some = range(0, len(ours), 157)
    for index in some:
        text = theirs[index]
        assert (ours[index], ours.arch(index), ours.query_index_by_arch(text)) == (text, text, index)
        if not ours.is_size:
            assert ours.get_unique_str(index) == theirs.get_unique_str(index)
            assert ours.str2lists(text) == theirs.str2lists(text)
            assert (ours.str2matrix(text) == theirs.str2matrix(text)).all()
    assert ours.query_index_by_arch("nothing") == theirs.query_index_by_arch("nothing") == -1


@pytest.fixture(scope="module", params=["tss", "sss"])
def whole(request, tmp_path_factory):
    """Our face and the original over a single file, which the original can search."""
    folder = tmp_path_factory.mktemp("nats")
    space, keys = CASES[request.param]
    release = write_single(folder / "made.pickle.pbz2", space, records(space, [*INDICES, 20, 21, 30]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NASBENCH_CACHE", str(folder / "cache"))
        ours = create(release, request.param, verbose=False)
    return ours, nats_bench.create(str(release), request.param, verbose=False), keys


def test_the_best_architecture_is_the_original_one(whole):
    ours, theirs, keys = whole
    sets = [
        *itertools.product(("cifar10", "cifar100", "ImageNet16-120"), ("train", "valid", "test")),
        ("cifar10-valid", "x-valid"),
        ("cifar10-valid", "ori-test"),
        ("cifar100", "ori-test"),
    ]
    costs = theirs.get_cost_info(1, "cifar100", "12")
    for (data_set, split), hp in itertools.product(sets, keys):
        for limits in ({}, {"flop_max": costs["flops"]}, {"param_max": costs["params"]}, {"flop_max": 0.1}):
            mine = ours.find_best(data_set, split, hp=hp, **limits)
            assert mine == theirs.find_best(data_set, split, hp=hp, **limits)


def test_the_evaluated_architectures_are_the_original_ones(whole):
    ours, theirs, _ = whole
    assert ours.evaluated_indexes == sorted(theirs.evaluated_indexes)
