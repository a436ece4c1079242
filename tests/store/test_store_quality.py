import json
from dataclasses import replace

import numpy as np
import pytest

from nasbench.errors import NotMeasured
from nasbench.spaces import get_space
from nasbench.store.agreement import rank_agreement
from nasbench.store.data import Provenance, Scalar, TableData
from nasbench.store.info import TableInfo
from nasbench.store.noise import noise
from nasbench.store.quality import table_quality
from nasbench.store.table import open_table
from nasbench.store.writer import write_tables

SPACE = get_space("nb201")
INFO = TableInfo(
    space="nb201",
    dataset="toy images",
    reference_device="one core",
    device_kind="cpu",
    licence="CC0",
    source="made up for a test",
)
EPOCHS = (1, 2, 4)


def made(*, n=600, sd=0.01, seed=3, codes=None):
    """Make up a table whose errors are known: a mean an architecture, normal noise a training."""
    rng = np.random.default_rng(seed)
    if codes is None:
        distinct = np.unique(SPACE.classes())
        codes = SPACE.unrank(np.sort(rng.permutation(distinct)[:n]))
    n = len(codes)
    mean = np.sort(rng.uniform(0.1, 0.8, n))
    final = mean[:, None] + rng.normal(0, sd, (n, 3))
    steps = np.array([0.10, 0.05, 0.0])
    valid = np.clip(final[:, :, None] + steps + rng.normal(0, 1, (n, 3, 3)) * steps, 0, 1)
    test = np.clip(valid + 0.01 + rng.normal(0, 0.002, valid.shape), 0, 1)
    seconds = np.broadcast_to(np.array(EPOCHS, dtype=float), valid.shape).copy()
    curves = {"valid_error": valid, "test_error": test, "train_seconds": seconds}
    return TableData("toy", INFO, codes, EPOCHS, {k: v.astype(np.float32) for k, v in curves.items()})


def quality_of(data, path):
    write_tables(path / "t.h5", [data])
    return table_quality(open_table(path / "t.h5"))


def says(quality, check):
    return [verdict.says for verdict in quality.verdicts if verdict.check == check]


def without(data, place, *metrics):
    curves = dict(data.curves)
    for metric in metrics or tuple(curves):
        curves[metric] = curves[metric].copy()
        curves[metric][place] = np.nan
    return replace(data, curves=curves)


def with_values(data, metric, place, value):
    curve = data.curves[metric].copy()
    curve[place] = value
    return replace(data, curves={**data.curves, metric: curve})


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return quality_of(made(), tmp_path_factory.mktemp("good"))


def test_the_noise_put_in_is_measured(good):
    assert good.noise.sd == pytest.approx(0.01, rel=0.05)
    assert good.noise.architectures == 600
    assert [level.sd for level in good.noise.levels] == pytest.approx([0.01] * 5, rel=0.25)


def test_the_floor_is_what_two_trainings_tell_apart(good):
    assert good.noise.floor == pytest.approx(1.959964 * 2**0.5 * good.noise.levels[0].sd)


def test_the_spread_has_the_noise_taken_off():
    rng = np.random.default_rng(0)
    mean = rng.normal(0.5, 0.03, 4_000)
    found = noise(mean[:, None] + rng.normal(0, 0.04, (4_000, 2)))
    assert found.spread_sd == pytest.approx(0.03, rel=0.06)
    assert found.reliability == pytest.approx(0.36, rel=0.1)


def test_repeats_for_the_top_solve_the_floor():
    values = np.array([[0.10, 0.12], [0.14, 0.16], [0.30, 0.32]])
    found = noise(values, top=(2, 3, 4))
    # sd = 0.02 / sqrt(2); 2 (1.96 sd / gap)^2 for gaps 0.04 and 0.20
    assert found.sd == pytest.approx(0.02 / 2**0.5)
    assert found.replicates_for_top == ((2, 1), (3, 1))
    assert noise(values, top=(2,)).floor == pytest.approx(1.959964 * 0.02)


def test_equal_means_are_told_apart_by_no_repeats():
    assert noise(np.array([[0.1, 0.2], [0.2, 0.1]]), top=(2,)).replicates_for_top == ((2, None),)


def test_noise_grows_with_the_level_where_it_does():
    rng = np.random.default_rng(1)
    mean = np.linspace(0.1, 0.6, 500)
    found = noise(mean[:, None] + rng.normal(0, 1, (500, 3)) * (0.002 + 0.05 * (mean[:, None] > 0.35)))
    assert found.levels[0].sd < 0.003 < 0.04 < found.levels[-1].sd
    assert found.sd_at([0.1, 0.6]).tolist() == [found.levels[0].sd, found.levels[-1].sd]


def test_noise_is_unknown_where_nothing_was_repeated():
    found = noise(np.array([[0.1], [0.2]]))
    assert (found.sd, found.floor, found.levels, found.replicates_for_top) == (None, None, (), ())
    assert np.isnan(found.sd_at([0.1])).all()


def test_longer_trainings_rank_more_like_the_longest(good):
    by_epoch = [one.spearman for _, one in good.by_epoch]
    assert by_epoch == sorted(by_epoch)
    assert by_epoch[-1] == pytest.approx(1.0)
    assert [epoch for epoch, _ in good.by_epoch] == list(EPOCHS)


def test_ranks_agree_with_scipy_and_leave_out_what_is_missing():
    from scipy.stats import kendalltau, spearmanr

    rng = np.random.default_rng(2)
    a = rng.random(40)
    b = a + rng.random(40)
    found = rank_agreement(np.append(a, np.nan), np.append(b, 0.5))
    assert found.n == 40
    assert found.spearman == spearmanr(a, b).statistic
    assert found.kendall == kendalltau(a, b).statistic
    top = set(np.argsort(a)[:4]) & set(np.argsort(b)[:4])
    assert found.top_overlap == len(top) / 4


def test_too_few_or_constant_columns_have_no_correlation():
    assert rank_agreement(np.array([1.0, 2.0]), np.array([1.0, 2.0])).spearman is None
    assert rank_agreement(np.ones(9), np.arange(9.0)).kendall is None


def test_validation_and_test_agree_with_their_bias(good):
    assert good.splits.bias == pytest.approx(0.01, abs=0.001)
    assert good.splits.ranks.spearman > 0.99
    assert good.splits.selected_test >= good.splits.best_test


def test_a_good_table_is_good(good):
    assert good.holds
    assert {verdict.says for verdict in good.verdicts} == {"good"}


def test_the_report_is_plain_data(good):
    text = json.dumps(good.as_dict(), allow_nan=False)
    assert json.loads(text)["coverage"]["trainings"] == 1_800


def test_missing_cells_are_counted_by_repeat_and_epoch(tmp_path):
    found = quality_of(without(made(n=40), (np.s_[:3], 2, 2)), tmp_path)
    assert found.coverage.recorded == ((40, 40, 40), (40, 40, 40), (40, 40, 37))
    assert found.coverage.missing == ((0, 0, 0), (0, 0, 0), (0, 0, 3))
    assert says(found, "coverage") == ["mind"]


def test_repeats_that_were_never_begun_are_not_missing(tmp_path):
    found = quality_of(without(made(n=40), np.s_[:30, 2]), tmp_path)
    assert sum(map(sum, found.coverage.missing)) == 0
    assert found.coverage.trainings == 90


def test_failed_trainings_are_counted_and_named(tmp_path):
    data = without(made(n=40), np.s_[5, 0], "valid_error", "test_error")
    failed = np.zeros((40, 3), dtype=np.int8)
    failed[5, 0] = 1
    found = quality_of(replace(data, failed=failed), tmp_path)
    assert found.coverage.failed == 1
    assert found.coverage.failed_architectures == (SPACE.format(tuple(data.codes[5].tolist())),)
    assert says(found, "failures") == ["mind"]


def test_a_test_split_that_is_the_validation_split_is_bad(tmp_path):
    data = made(n=40)
    same = replace(data, curves={**data.curves, "test_error": data.curves["valid_error"]})
    found = quality_of(same, tmp_path)
    assert says(found, "splits") == ["bad"]
    assert not found.holds


def test_a_table_without_test_errors_says_so(tmp_path):
    data = made(n=40)
    curves = {name: curve for name, curve in data.curves.items() if name != "test_error"}
    found = quality_of(replace(data, curves=curves), tmp_path)
    assert (found.splits, found.test_noise) == (None, None)
    assert says(found, "splits") == ["mind"]


def test_a_training_unlike_its_repeats_is_named(tmp_path):
    data = made()
    found = quality_of(with_values(data, "valid_error", (100, 1, 2), 0.99), tmp_path)
    first = found.outliers.trainings[0]
    assert first.architecture == SPACE.format(tuple(data.codes[100].tolist()))
    assert (first.replicate, first.error) == (1, pytest.approx(0.99))
    assert says(found, "outliers") == ["mind"]


def test_an_architecture_unlike_its_neighbours_is_named(tmp_path):
    codes = np.concatenate(list(SPACE.enumerate()))[:2_000]
    data = made(codes=codes)
    values = np.full_like(data.curves["valid_error"], 0.2)
    values += np.random.default_rng(0).normal(0, 0.005, values.shape).astype(np.float32)
    values[700] = 0.9
    found = quality_of(replace(data, curves={**data.curves, "valid_error": values}), tmp_path)
    assert found.outliers.against == "neighbours"
    assert [one.architecture for one in found.outliers.architectures] == [
        SPACE.format(tuple(codes[700].tolist()))
    ]
    assert found.outliers.architectures[0].expected == pytest.approx(0.2, abs=0.01)


def test_rows_of_a_large_table_are_held_against_their_like_in_parameters(tmp_path, monkeypatch):
    monkeypatch.setattr("nasbench.store.outliers._MOST_NEIGHBOURED", 1_000)
    data = made(codes=np.concatenate(list(SPACE.enumerate()))[:1_200])
    values = np.full_like(data.curves["valid_error"], 0.2)
    values += np.random.default_rng(0).normal(0, 0.005, values.shape).astype(np.float32)
    values[700] = 0.9
    scalars = {"parameters": Scalar(np.arange(1_200, dtype=np.int32), "parameters")}
    found = quality_of(
        replace(data, curves={**data.curves, "valid_error": values}, scalars=scalars), tmp_path
    )
    assert found.outliers.against == "parameters"
    assert [one.architecture for one in found.outliers.architectures] == [
        SPACE.format(tuple(data.codes[700].tolist()))
    ]


def equal_cells(data, *, shift):
    """Replace the rows by classes of two equal cells each, the second worse by ``shift``."""
    classes = SPACE.classes()
    pairs = [np.flatnonzero(classes == first)[:2] for first in np.unique(classes)]
    pairs = [pair for pair in pairs if len(pair) == 2][:150]
    codes = SPACE.unrank(np.concatenate(pairs))
    rng = np.random.default_rng(4)
    mean = np.repeat(rng.uniform(0.2, 0.7, len(pairs)), 2) + np.tile([0, shift], len(pairs))
    valid = (mean[:, None, None] + rng.normal(0, 0.01, (len(codes), 3, 3))).astype(np.float32)
    seconds = np.cumsum(rng.uniform(1, 2, valid.shape), axis=2).astype(np.float32)
    return replace(data, codes=codes, curves={"valid_error": valid, "train_seconds": seconds})


def test_equal_cells_that_agree_are_good(tmp_path):
    found = quality_of(equal_cells(made(n=40), shift=0.0), tmp_path)
    assert (found.isomorphs.classes, found.isomorphs.members) == (150, 300)
    assert found.isomorphs.ratio == pytest.approx(1.0, abs=0.35)
    assert says(found, "isomorphs") == ["good"]


def test_equal_cells_that_differ_are_minded(tmp_path):
    found = quality_of(equal_cells(made(n=40), shift=0.05), tmp_path)
    assert found.isomorphs.ratio > 10
    assert found.isomorphs.sd_between > 2 * found.isomorphs.sd_repeats
    assert says(found, "isomorphs") == ["mind"]


def test_copies_of_one_training_are_no_evidence(tmp_path):
    data = equal_cells(made(n=40), shift=0.0)
    curves = {name: np.repeat(curve[::2], 2, axis=0) for name, curve in data.curves.items()}
    found = quality_of(replace(data, curves=curves), tmp_path)
    assert (found.isomorphs.classes, found.isomorphs.copies) == (0, 150)
    assert "repeat another's training" in next(v.sentence for v in found.verdicts if v.check == "isomorphs")


def test_equal_cells_without_repeats_cannot_be_judged(tmp_path):
    data = equal_cells(made(n=40), shift=0.0)
    once = replace(data, curves={name: curve[:, :1] for name, curve in data.curves.items()})
    found = quality_of(once, tmp_path)
    assert found.isomorphs.ratio is None
    assert says(found, "isomorphs") == ["mind"]
    assert says(found, "noise") == ["mind"]


def test_trainings_of_several_devices_are_minded(tmp_path):
    data = made(n=40)
    of = np.zeros((40, 3), dtype=np.int32)
    of[:5] = 1
    rows = ('{"device":"a","torch":"2"}', '{"device":"b"}')
    found = quality_of(replace(data, provenance=Provenance(rows, of)), tmp_path)
    assert found.coverage.devices == {"a": 105, "b": 15}
    assert found.coverage.versions == {"2": 105, "not stated": 15}
    assert says(found, "device") == ["mind"]


def test_noise_that_hides_the_ranks_is_minded(tmp_path):
    found = quality_of(made(n=200, sd=0.4), tmp_path)
    assert found.repeats.spearman < 0.8
    assert says(found, "ranking") == ["mind"]


def test_a_narrow_table_is_minded(tmp_path):
    data = made(n=40)
    narrow = {**data.curves, "valid_error": data.curves["valid_error"] / 10}
    assert says(quality_of(replace(data, curves=narrow), tmp_path), "spread") == ["mind"]


def test_a_table_without_any_full_training_is_refused(tmp_path):
    data = without(made(n=40), np.s_[:, :, 2])
    with pytest.raises(NotMeasured, match=r"expected validation errors at 4 epochs, got none"):
        quality_of(data, tmp_path)


def test_the_bundled_table_can_be_reported_on(nb201_table):
    found = table_quality(nb201_table)
    assert found.holds
    assert found.isomorphs.classes == 1_350
    assert found.noise.sd == pytest.approx(0.00558, abs=1e-4)
