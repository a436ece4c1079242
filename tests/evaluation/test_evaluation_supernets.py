from dataclasses import replace

import numpy as np
import pytest

from nasbench.evaluation.live import LiveSource
from nasbench.evaluation.opening import open_source
from nasbench.evaluation.recording import RecordingSource
from nasbench.runs.columns import PURPOSES
from nasbench.runs.execute import RunSpec, execute
from nasbench.strategies.relaxation import Relaxation
from nasbench.training.recipes import RECIPES

pytest.importorskip("torch")
pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def live():
    return LiveSource(
        "digits", replace(RECIPES["digits-small"], epochs=2, channels=4, cells_per_stage=1, batch_size=256)
    )


@pytest.fixture(scope="module")
def backed():
    return open_source("digits-nb201+live")


def spec(strategy, **options):
    return RunSpec("suite", "row", strategy, options, "600s")


def test_live_source_makes_supernets_of_its_data_and_recipe(live):
    supernet = live.relaxation(np.random.default_rng(0))
    assert isinstance(supernet, Relaxation)
    assert not supernet.is_analogue
    assert supernet.network.channels == 4


def test_recording_source_makes_the_supernets_of_its_live_source(live, tmp_path):
    assert RecordingSource(live, tmp_path / "made.h5").relaxation == live.relaxation


def test_table_backed_by_live_training_makes_real_supernets(backed):
    assert not backed.relaxation(np.random.default_rng(0)).is_analogue


def test_search_trains_a_supernet_and_looks_its_architectures_up(backed):
    columns, outcome = execute(
        spec("random-search-ws", epochs=3, samples=2, last_samples=4), 0, backed, path=None
    )
    assert (outcome.end, outcome.trials) == ("done", 3)
    assert set(columns.purpose.tolist()) == {PURPOSES.index("report")}
    table = backed.table
    for code, replicate, error in zip(
        columns.codes.tolist(), columns.replicate.tolist(), columns.valid_error.tolist(), strict=True
    ):
        recorded = backed.answer(tuple(code), epochs=table.epochs[-1], replicate=replicate)
        assert recorded.origin == "table"
        assert error == pytest.approx(recorded.valid_error)
    assert (columns.charged_seconds > 0).all()


@pytest.mark.parametrize("health", [{}, {"architectures": 4, "looks": 3}])
def test_interrupted_search_ends_as_one_that_ran_through(live, tmp_path, health):
    path = tmp_path / "run.jsonl"
    search = replace(spec("spos", epochs=2, population=3, generations=3), health=health)
    whole, _ = execute(search, 1, live, path=path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:3]))  # header and two trials
    again, outcome = execute(search, 1, live, path=path)
    assert outcome.end == "done"
    assert again.codes.tolist() == whole.codes.tolist()
    assert again.valid_error.tolist() == whole.valid_error.tolist()
    assert again.health == whole.health
    assert len(whole.health) == len(health and range(3))


def test_diverged_supernet_ends_the_run_as_failed(live, monkeypatch):
    from nasbench.training.supernets.supernet import Supernet

    monkeypatch.setattr(Supernet, "learning_rate", float("inf"))
    _, outcome = execute(spec("spos", epochs=3, population=3, generations=3), 0, live)
    assert outcome.end == "failed"
    assert "Diverged: the training loss became nan in epoch" in outcome.reason


@pytest.fixture(scope="module")
def darts():
    small = replace(RECIPES["digits-darts"], epochs=1, channels=2, stages=2, train_images=80, batch_size=20)
    return LiveSource("digits", small)


def test_live_source_of_the_darts_space_offers_a_supernet(darts):
    assert isinstance(darts.relaxation(np.random.default_rng(0)), Relaxation)
