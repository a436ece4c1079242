from __future__ import annotations

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest

from nasbench.errors import FormatError, Mismatch
from nasbench.store.agreement import one_shot_agreement
from nasbench.store.data import Scalar
from nasbench.store.merge import merge_tables
from nasbench.store.oneshot import OneShot, is_one_shot, name_of, one_shot_columns
from nasbench.store.quality import table_quality
from nasbench.store.table import open_table
from nasbench.store.verify import verify_table
from nasbench.store.writer import write_tables


def column(errors, seed=0, **changes):
    made = OneShot(
        errors=np.asarray(errors, dtype=np.float64),
        recipe_hash="ab" * 32,
        epochs=7,
        seed=seed,
        sampling="uniform",
        train_seconds=60.0,
        score_seconds=0.5,
        made_by={"device": "a desk"},
    )
    return replace(made, **changes)


@pytest.fixture
def scored(toy_table, tmp_path):
    """Write the toy table with columns; its own errors rank like ``-errors`` of seed 1."""

    def written(*columns, name="scored.h5"):
        data = toy_table.data()
        path = tmp_path / name
        scalars = {**data.scalars, **{one.name: one.scalar() for one in columns}}
        curves = {metric: curve.astype(np.float32) for metric, curve in data.curves.items()}
        write_tables(path, [replace(data, scalars=scalars, curves=curves)])
        return path

    return written


def test_columns_are_named_by_their_seed():
    assert (name_of(0), name_of(12)) == ("oneshot_error", "oneshot_error_seed_12")
    assert all(is_one_shot(name_of(seed)) for seed in (0, 1, 12))
    assert not any(map(is_one_shot, ("oneshot_error_seed_0", "oneshot_errors", "parameters")))


def test_columns_are_written_verified_and_read_back_in_the_order_of_seeds(scored):
    wanted = [column(np.linspace(0, 1, 27), seed) for seed in (10, 0, 2)]
    path = scored(*wanted)
    assert verify_table(path) == []
    read = one_shot_columns(open_table(path))
    assert [one.seed for one in read] == [0, 2, 10]
    assert read[0].errors.tolist() == wanted[1].errors.astype(np.float32).tolist()
    assert replace(read[0], errors=None) == replace(wanted[1], errors=None)
    assert open_table(path).scalar_unit("oneshot_error") == ("fraction", "a desk")


def test_file_states_the_first_version_that_has_what_is_in_it(scored):
    versions = []
    for path in (scored(), scored(column(np.zeros(27)), name="with.h5")):
        with h5py.File(path) as file:
            versions.append(file.attrs["schema_version"])
    assert versions == ["1.0", "1.1"]


def test_provenance_of_a_column_belongs_to_the_content(scored):
    first, second = (
        open_table(scored(column(np.zeros(27), train_seconds=s), name=f"{s}.h5")) for s in (1.0, 2.0)
    )
    assert first.content_hash != second.content_hash
    assert json.loads(first.scalar_provenance("oneshot_error"))["train_seconds"] == 1.0
    assert first.data().scalars["oneshot_error"].provenance == first.scalar_provenance("oneshot_error")


@pytest.mark.parametrize(
    ("values", "scalar", "message"),
    [
        (np.full(27, 1.5), {}, r"oneshot_error: expected errors in \[0, 1\], got 1.5 \(27 such\)"),
        (np.zeros(27), {"provenance": ""}, "provenance: expected how one-shot errors came about"),
        (np.zeros(27), {"provenance": "{}"}, "provenance: expected how one-shot errors came about"),
        (np.zeros(27), {"unit": "percent"}, "expected unit fraction, the seed of oneshot_error"),
    ],
)
def test_wrong_column_is_refused_before_it_is_written(toy_table, tmp_path, values, scalar, message):
    wrong = replace(column(values).scalar(), **scalar)
    data = replace(toy_table.data(), scalars={"oneshot_error": wrong})
    with pytest.raises(FormatError, match=message):
        write_tables(tmp_path / "wrong.h5", [data])


def test_column_of_another_seed_than_its_name_says_is_refused():
    with pytest.raises(FormatError, match="the seed of oneshot_error"):
        OneShot.read("oneshot_error", column(np.zeros(3), seed=2).scalar())
    with pytest.raises(FormatError, match="epochs >= 1 and seconds >= 0, got fraction, 0, 0"):
        OneShot.read("oneshot_error", column(np.zeros(3), epochs=0).scalar())


def test_report_ranks_the_column_against_the_errors_of_the_table(scored, toy_table):
    own = toy_table.mean("valid_error")
    path = scored(column(own), column(1.0 - own, 1))
    same, other = one_shot_agreement(open_table(path))
    assert (same.ranks.kendall, other.ranks.kendall) == (pytest.approx(1.0), pytest.approx(-1.0))
    assert (same.selected, same.best) == (own.min(), own.min())
    assert (other.selected, other.epochs, other.train_seconds) == (own.max(), 7, 60.0)
    quality = table_quality(open_table(path))
    sentences = [v.sentence for v in quality.verdicts if v.check == "one-shot"]
    assert "oneshot_error ranks 27 architectures with Kendall tau 1.000" in sentences[0]
    assert quality.as_dict()["one_shot"][1]["name"] == "oneshot_error_seed_1"


def test_column_without_a_value_says_nothing(scored):
    assert one_shot_agreement(open_table(scored(column(np.full(27, np.nan))))) == ()


def test_parts_scored_by_different_supernets_are_not_merged(scored, tmp_path):
    a = scored(column(np.zeros(27)), name="a.h5")
    b = scored(column(np.zeros(27), epochs=9), name="b.h5")
    with pytest.raises(Mismatch, match="scalars/oneshot_error"):
        merge_tables(tmp_path / "out.h5", [str(a), str(b)])
    assert isinstance(open_table(a).data().scalars["oneshot_error"], Scalar)
