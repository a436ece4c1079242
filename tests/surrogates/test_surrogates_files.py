"""A surrogate file is all there is of a surrogate, the same bytes each time, and tells when it was edited."""

from __future__ import annotations

import shutil
from dataclasses import replace

import h5py
import numpy as np
import pytest

from nasbench.errors import FormatError, MissingExtra, UnknownName
from nasbench.evaluation.surrogate_source import SurrogateSource
from nasbench.spaces import get_space
from nasbench.spaces.declared import declare
from nasbench.surrogates.bundled import find_surrogate, list_surrogates
from nasbench.surrogates.files import load, save
from nasbench.surrogates.fitting import fit_surrogate


@pytest.fixture(scope="module")
def fitted(planted):
    return fit_surrogate(planted, model="linear", name="toy")


@pytest.fixture(scope="module")
def saved(fitted, tmp_path_factory):
    path = tmp_path_factory.mktemp("surrogates") / "toy.surrogate.h5"
    save(fitted, path)
    return path


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copy(saved, tmp_path / saved.name)


def test_what_comes_back_predicts_the_same(fitted, saved):
    again, _ = load(saved)
    codes = get_space("nb201").sample(50, rng=np.random.default_rng(0))
    mine, theirs = (s.predict(codes, epochs=s.epochs) for s in (fitted, again))
    for metric in fitted.metrics:
        for part in ("mean", "unknown", "noise", "factors"):
            assert np.array_equal(getattr(mine.errors[metric], part), getattr(theirs.errors[metric], part))
    assert np.array_equal(mine.train_seconds, theirs.train_seconds)
    assert np.array_equal(mine.is_far, theirs.is_far)
    assert again.card == fitted.card


def test_noise_comes_back(fitted, saved):
    again, _ = load(saved)
    assert np.array_equal(again.noise.draw("k", (1,), 0), fitted.noise.draw("k", (1,), 0))


def test_every_model_comes_back_with_its_members(digits, tmp_path):
    pytest.importorskip("sklearn")
    pytest.importorskip("xgboost")
    made = fit_surrogate(digits, rows=60)
    save(made, tmp_path / "all.surrogate.h5")
    again, _ = load(tmp_path / "all.surrogate.h5")
    codes = digits.codes[:40]
    assert np.array_equal(
        again.predict(codes).errors["valid_error"].mean, made.predict(codes).errors["valid_error"].mean
    )


def test_same_fit_gives_the_same_bytes(fitted, saved, planted, tmp_path):
    again = fit_surrogate(planted, model="linear", name="toy")
    save(again, tmp_path / "again.surrogate.h5")
    assert (tmp_path / "again.surrogate.h5").read_bytes() == saved.read_bytes()


def test_who_wrote_it_is_not_its_content(fitted, saved, tmp_path):
    import dataclasses

    other = fit_surrogate.__globals__["Surrogate"].__new__(type(fitted))
    other.__dict__.update(fitted.__dict__)
    other.card = dataclasses.replace(fitted.card, created_by="somebody else")
    assert save(other, tmp_path / "other.surrogate.h5") == load(saved)[1]


@pytest.mark.parametrize("dataset", ["members/0/weights", "calibration/valid_error/factors", "fitted"])
def test_an_edited_number_is_found(copy, dataset):
    with h5py.File(copy, "r+") as file:
        values = file[dataset][()]
        values.flat[0] += 1
        file[dataset][...] = values
    with pytest.raises(FormatError, match=r"content_hash: expected \w{12}, as the file states, got \w{12}"):
        load(copy)


def test_an_edited_card_is_found(copy):
    with h5py.File(copy, "r+") as file:
        file.attrs["card"] = file.attrs["card"].replace('"held_out":60', '"held_out":61')
    with pytest.raises(FormatError, match="content_hash"):
        load(copy)


def test_a_card_with_a_field_too_many_is_named(copy):
    with h5py.File(copy, "r+") as file:
        file.attrs["card"] = file.attrs["card"][:-1] + ',"tau":1}'
    with pytest.raises(FormatError, match="'tau' is off"):
        load(copy)


def test_other_files_are_refused(copy, tmp_path, planted):
    with pytest.raises(MissingExtra, match="which does not exist"):
        load(tmp_path / "none.surrogate.h5")
    with pytest.raises(FormatError, match="format: expected 'nasbench-surrogate', got 'nasbench-table'"):
        load(planted.path)
    (tmp_path / "torn.surrogate.h5").write_bytes(copy.read_bytes()[:1_000])
    with pytest.raises(FormatError, match="expected a whole HDF5 file, got a truncated or foreign one"):
        load(tmp_path / "torn.surrogate.h5")


def test_a_newer_schema_is_refused(copy):
    with h5py.File(copy, "r+") as file:
        file.attrs["schema_version"] = "2.0"
    with pytest.raises(FormatError, match=r"schema_version: expected 1\.0, got 2\.0"):
        load(copy)


def test_a_missing_dataset_is_named(copy):
    from nasbench.surrogates.files import _read, content_hash

    with h5py.File(copy, "r+") as file:
        del file["targets/scale"]
    card, _, arrays = _read(copy)
    with h5py.File(copy, "r+") as file:
        file.attrs["content_hash"] = content_hash(card, arrays)
    with pytest.raises(FormatError, match="expected the dataset 'targets/scale', got none"):
        load(copy)


def test_its_name_says_what_it_is(fitted, tmp_path):
    with pytest.raises(FormatError, match=r"out: expected a file named \*\.surrogate\.h5, got 'toy\.h5'"):
        save(fitted, tmp_path / "toy.h5")


def test_nothing_half_written_is_left(fitted, tmp_path, monkeypatch):
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        save(fitted, tmp_path / "toy.surrogate.h5")
    assert list(tmp_path.iterdir()) == []


def test_surrogates_are_found_by_name(saved, monkeypatch):
    monkeypatch.setenv("NASBENCH_DATA", str(saved.parent))
    assert "toy" in list_surrogates()
    assert find_surrogate(" Toy ") == saved
    assert find_surrogate(str(saved)) == saved
    with pytest.raises(UnknownName, match="Did you mean 'toy'"):
        find_surrogate("toi")


def test_a_surrogate_of_a_declared_space_opens_anywhere(make_table, make_data, tmp_path):
    own = declare(
        {
            "name": "six-layers",
            "decisions": [{"name": d.name, "choices": list(d.choices)} for d in get_space("nb201").decisions],
        }
    )
    data = make_data()
    info = replace(data.info, space="six-layers", space_definition=own.definition)
    table = make_table(replace(data, info=info))
    made = fit_surrogate(table, model="linear", name="own")
    save(made, tmp_path / "own.surrogate.h5")
    again, content_hash = load(tmp_path / "own.surrogate.h5")
    assert again.space.name == "six-layers"
    assert again.card == made.card
    source = SurrogateSource(again, content_hash)
    assert source.info.extra["space_definition"] == own.definition
    code = own.parse(own.format((0, 1, 2, 3, 4, 0)))
    assert 0 <= source.answer(code, epochs=table.epochs[-1], replicate=0).valid_error <= 1


def test_a_surrogate_of_a_registered_space_says_nothing_of_a_declaration(fitted):
    assert "space_definition" not in fitted.card.to_json()
