"""A script written for NAS-Bench-301's package runs over a surrogate of ours."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest

from nasbench.compat.nb301 import load_ensemble
from nasbench.errors import BadOption, FormatError, NotInSpace
from nasbench.spaces import get_space
from nasbench.spaces.darts_configspace import to_configspace
from nasbench.store.data import TableData
from nasbench.store.info import TableInfo
from nasbench.store.table import open_table
from nasbench.store.writer import write_tables
from nasbench.surrogates.files import save
from nasbench.surrogates.fitting import fit_surrogate

SPACE = get_space("darts")
Genotype = namedtuple("Genotype", "normal normal_concat reduce reduce_concat")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A surrogate of made-up trainings: separable convolutions are good, noise is two points."""
    rng = np.random.default_rng(4)
    codes = np.unique(SPACE.sample(300, rng=rng), axis=0)
    separable = np.isin(codes, (3, 4)).sum(axis=1)[:, None, None]
    valid = 0.4 - 0.015 * separable + 0.02 * rng.standard_normal((len(codes), 2, 1))
    seconds = np.full((len(codes), 2, 1), 10.0) + separable
    info = TableInfo("darts", "made up", "one core", "cpu", "CC0", "made up for a test", recipe={"epochs": 8})
    curves = {"valid_error": valid.astype(np.float32), "train_seconds": seconds.astype(np.float32)}
    folder = tmp_path_factory.mktemp("nb301")
    write_tables(folder / "t.h5", [TableData("t", info, codes.astype(np.int8), (8,), curves)])
    save(fit_surrogate(open_table(folder / "t.h5"), model="linear"), folder / "made.surrogate.h5")
    return folder / "made.surrogate.h5"


@pytest.fixture
def code():
    return tuple(SPACE.sample(1, rng=np.random.default_rng(1))[0].tolist())


def genotype_of(code):
    normal, reduction = SPACE.cells(code)
    return Genotype(list(normal), range(2, 6), list(reduction), range(2, 6))


def test_accuracy_is_in_percent_and_the_same_by_both_notations(path, code):
    model = load_ensemble(path)
    by_genotype = model.predict(config=genotype_of(code), representation="genotype", with_noise=False)
    by_config = model.predict(config=to_configspace(code), representation="configspace", with_noise=False)
    by_text = model.predict(SPACE.format(code), "genotype", with_noise=False)
    assert by_genotype == by_config == by_text
    assert 50 < by_genotype < 90


def test_a_configuration_object_is_read_too(path, code):
    class Configuration:
        def get_dictionary(self):
            return to_configspace(code)

    model = load_ensemble(path)
    plain = model.predict(to_configspace(code), "configspace", with_noise=False)
    assert model.predict(Configuration(), "configspace", with_noise=False) == plain


def test_noise_differs_from_call_to_call_and_not_from_process_to_process(path, code):
    first, second = load_ensemble(path), load_ensemble(path)
    drawn = [first.predict(genotype_of(code), "genotype") for _ in range(40)]
    assert len(set(drawn)) == 40
    assert [second.predict(genotype_of(code), "genotype") for _ in range(40)] == drawn
    mean = first.predict(genotype_of(code), "genotype", with_noise=False)
    assert np.std(drawn) == pytest.approx(2.0, rel=0.4)
    assert abs(np.mean(drawn) - mean) < 1.5


def test_runtime_is_in_seconds(path, code):
    model = load_ensemble(path, target="runtime")
    assert 9 < model.predict(genotype_of(code), "genotype") < 30


def test_a_name_with_runtime_in_it_asks_for_the_runtime(path, code):
    named = path.with_name("made-runtime.surrogate.h5")
    named.write_bytes(path.read_bytes())
    assert load_ensemble(named).target == "runtime"
    assert load_ensemble(path).target == "performance"


def test_a_folder_of_pickles_is_refused_with_what_would_serve(tmp_path):
    with pytest.raises(FormatError, match=r"The pickles of NAS-Bench-301 are not read; fit a surrogate"):
        load_ensemble(tmp_path)


def test_a_surrogate_of_another_space_is_refused(tmp_path):
    from nasbench.store.bundled import find_table

    made = fit_surrogate(find_table("digits-nb201"), model="linear", rows=60)
    save(made, tmp_path / "other.surrogate.h5")
    with pytest.raises(FormatError, match="expected a surrogate of the space darts, got"):
        load_ensemble(tmp_path / "other.surrogate.h5")


def test_what_is_no_architecture_or_representation_is_refused(path, code):
    model = load_ensemble(path)
    with pytest.raises(NotInSpace):
        model.predict(Genotype([("none", 0)], range(2, 6), [], range(2, 6)), "genotype")
    with pytest.raises(BadOption, match="representation: expected 'genotype' or 'configspace', got 'config'"):
        model.predict(genotype_of(code), "config")
    with pytest.raises(BadOption, match="target: expected 'performance' or 'runtime', got 'speed'"):
        load_ensemble(path, target="speed")
