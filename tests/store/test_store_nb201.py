"""The bundled NAS-Bench-201 tables against facts published about the data."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from nasbench.store.bundled import find_table
from nasbench.store.summary import table_summary
from nasbench.store.verify import verify_table
from nasbench.units import error_from_accuracy_percent, percent

DATA = Path(__file__).parents[2] / "data"
NAMES = ("nb201-cifar10", "nb201-cifar100", "nb201-imagenet16-120")
RESNET = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"


@pytest.fixture(scope="module")
def tables():
    return {name: find_table(name) for name in NAMES}


def test_the_file_verifies():
    assert verify_table(DATA / "nb201.h5") == []


def test_the_readme_states_the_checksum_of_the_file():
    assert hashlib.sha256((DATA / "nb201.h5").read_bytes()).hexdigest() in (DATA / "README.md").read_text()


@pytest.mark.parametrize(("name", "accuracy"), list(zip(NAMES, (91.607, 73.493, 46.733), strict=True)))
def test_best_mean_validation_accuracy(tables, name, accuracy):
    best = np.nanmin(tables[name].mean("valid_error"))
    assert percent(1 - best) == pytest.approx(accuracy, abs=5e-4)


@pytest.mark.parametrize("name", NAMES)
def test_every_cell_has_two_or_three_repeats(tables, name):
    assert len(tables[name]) == 15_625
    assert table_summary(tables[name])["replicate_histogram"] == {2: 7_456, 3: 8_169}


@pytest.mark.parametrize(
    ("name", "each", "everything"), list(zip(NAMES, (331, 661, 2_006), (827, 1_655, 5_020), strict=True))
)
def test_gpu_days_of_one_training_each_and_of_all_trainings(tables, name, each, everything):
    summary = table_summary(tables[name])
    assert round(summary["days_one_training_each"]) == each
    assert round(summary["days_all_trainings"]) == everything


def test_the_table_holds_the_whole_space_in_order(tables):
    table = tables["nb201-cifar10"]
    np.testing.assert_array_equal(table.codes, np.concatenate(list(table.space.enumerate())))


@pytest.mark.parametrize(
    ("index", "architecture"),
    [
        (11_472, RESNET),
        (
            1_835,
            "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|",
        ),
        (
            13_714,
            "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
        ),
    ],
)
def test_official_indices_name_the_known_cells(tables, index, architecture):
    for table in tables.values():
        row = int(np.flatnonzero(table.scalar("nats_index") == index)[0])
        assert table.space.format(table.codes[row].tolist()) == architecture


def test_first_recorded_training_of_the_release(tables):
    table = tables["nb201-cifar10"]
    row = int(np.flatnonzero(table.scalar("nats_index") == 0)[0])
    answer = table.query(tuple(table.codes[row].tolist()), epochs=200, replicate=0)
    assert answer.valid_error == pytest.approx(error_from_accuracy_percent(82.09199998291015), rel=1e-6)
    assert answer.train_seconds == pytest.approx(1444.2185997962952, rel=1e-6)
    assert answer.test_error is None


def test_parameters_are_those_of_the_published_networks(tables):
    table = tables["nb201-cifar10"]
    parameters = table.scalar("parameters")
    known = {"000000": 73_306, "111111": 73_306, "222222": 241_306, "333333": 1_531_546, RESNET: 559_386}
    for text, count in known.items():
        assert parameters[table.row(table.space.parse(text))] == count
    assert table.scalar("parameters_disagree").sum() == 204


def test_data_sets_differ_by_the_width_of_the_last_layer(tables):
    cifar10, cifar100, imagenet = (tables[name].scalar("parameters") for name in NAMES)
    assert set((cifar100 - cifar10).tolist()) == {5_850}
    assert (imagenet.min(), imagenet.max()) == (80_456, 1_538_696)


def test_seconds_scale_with_the_number_of_training_images(tables):
    cifar10, cifar100, imagenet = (tables[name].column("train_seconds")[:, 0, 0] for name in NAMES)
    np.testing.assert_allclose(cifar100 / cifar10, 50_000 / 25_000, rtol=1e-6)
    np.testing.assert_allclose(imagenet / cifar10, 151_700 / 25_000, rtol=1e-6)


def test_licence_and_authors_are_credited(tables):
    for table in tables.values():
        assert "MIT" in table.info.licence
        assert "Dong" in table.info.citation
        assert "Watanabe" in table.info.source
        assert table.info.device_kind == "gpu"
