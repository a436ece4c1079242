from dataclasses import replace

import numpy as np
import pytest

from nasbench.errors import BadOption, FormatError
from nasbench.evaluation.evaluator import Evaluator
from nasbench.evaluation.live import LiveSource
from nasbench.evaluation.provenance import code_hash, provenance_here, unlike
from nasbench.evaluation.recording import RecordingSource
from nasbench.evaluation.source import Source
from nasbench.records import Proposal
from nasbench.store.table import open_table
from nasbench.store.training_log import log_path, merge_log
from nasbench.store.verify import verify_table
from nasbench.training.recipes import RECIPES

ALL_SKIP, ALL_1X1, ALL_3X3 = (1,) * 6, (2,) * 6, (3,) * 6


@pytest.fixture(scope="module")
def live():
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    tiny = replace(RECIPES["digits-small"], epochs=2, channels=4, cells_per_stage=1, batch_size=256)
    return LiveSource("digits", tiny)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "written.h5"


@pytest.fixture
def recording(live, file):
    return RecordingSource(live, file)


def test_it_is_a_source_that_says_what_the_live_one_says(recording, live):
    assert isinstance(recording, Source)
    assert recording.info == live.info
    assert (recording.epochs, recording.replicates, recording.scored_by) == (live.epochs, 3, "trial")
    assert recording.replicates_of(ALL_SKIP) == 3


def test_it_answers_as_the_live_source_does(recording, live):
    for epochs in (1, 2):
        ours, theirs = (s.answer(ALL_1X1, epochs=epochs, replicate=1) for s in (recording, live))
        assert (ours.valid_error, ours.test_error) == (theirs.valid_error, theirs.test_error)
        assert ours.origin == ""


def test_a_training_is_in_the_log_before_it_is_answered(recording, file):
    recording.answer(ALL_SKIP, epochs=1, replicate=0)
    assert log_path(file).read_bytes().count(b"\n") == 2  # header and training


def test_what_was_trained_is_a_verified_table_with_every_curve(recording, file):
    answers = {r: recording.answer(ALL_3X3, epochs=2, replicate=r) for r in (0, 2)}
    recording.answer(ALL_SKIP, epochs=1, replicate=1)
    merge_log(file)
    assert verify_table(file) == []
    table = open_table(file)
    assert (table.name, table.info.dataset, table.info.space) == ("written", "digits", "nb201")
    assert table.info.recipe_hash
    assert {"train_loss", "test_error", "train_seconds"} <= set(table.metrics)
    place = {0: 0, 2: 1}
    for replicate, answer in answers.items():
        found = table.query(ALL_3X3, epochs=2, replicate=place[replicate])
        assert found.valid_error == np.float32(answer.valid_error)
    assert table.query(ALL_SKIP, epochs=1, replicate=0).train_seconds > 0


def test_a_search_writes_through(recording, file):
    evaluator = Evaluator(recording, seed=0, epochs=1)
    for code in (ALL_SKIP, ALL_1X1, ALL_SKIP):
        evaluator.answer(Proposal(code))
    assert merge_log(file).architectures == 2


def test_batches_are_recorded_too(recording, file):
    out = recording.measure([ALL_SKIP, ALL_1X1], epochs=1, replicate=0)
    assert out.valid_error.shape == (2,)
    assert np.isnan(recording.score([ALL_SKIP], epochs=1)).all()
    assert merge_log(file).trainings == 2


def test_a_file_of_another_recipe_is_refused_before_training(recording, live, file):
    recording.answer(ALL_SKIP, epochs=1, replicate=0)
    merge_log(file)
    other = LiveSource("digits", replace(live.recipe, epochs=3))
    with pytest.raises(FormatError, match="Write the trainings into another file"):
        RecordingSource(other, file)


def test_a_folder_that_is_not_there_is_named(live, tmp_path):
    with pytest.raises(BadOption, match="into: there is no folder"):
        RecordingSource(live, tmp_path / "nowhere" / "t.h5")


def test_provenance_says_what_decides_the_bits_and_nothing_of_the_host(live):
    about = provenance_here()
    assert {"device", "threads", "torch", "code_hash", "numpy", "python", "nasbench"} <= set(about)
    assert about["device"] == live.info.device
    assert not any(isinstance(value, str) and value.startswith("/") for value in about.values())


def test_the_code_hash_is_stable():
    assert code_hash() == code_hash()
    assert len(code_hash()) == 16


def test_only_what_decides_is_compared():
    here = {"device": "a", "threads": 1, "torch": "2", "code_hash": "x", "python": "3.11"}
    assert unlike({**here, "python": "3.12"}, here) == {}
    assert unlike({**here, "torch": "1"}, here) == {"torch": ("1", "2")}
    assert unlike({}, here)["device"] == (None, "a")
