import gc

from nasbench.evaluation import begun
from nasbench.evaluation.begun import BegunTrainings

CODE = (1, 2, 3)


def lend(trainings, epochs, *, code=CODE, replicate=0, longest=9, ends_at=None):
    """Borrow a checkpoint, write it as a training would, and return its path."""
    watched = ends_at is not None
    with trainings.checkpoint(code, replicate, epochs, longest=longest, may_pause=watched) as lent:
        if lent.path is not None:
            lent.path.write_text(str(epochs))
        if watched:
            lent.reached = ends_at
    return lent.path


def test_a_longer_training_gets_the_file_of_the_shorter():
    trainings = BegunTrainings()
    assert lend(trainings, 3) == lend(trainings, 5)


def test_a_training_as_long_or_shorter_starts_anew():
    trainings = BegunTrainings()
    lend(trainings, 3)
    assert lend(trainings, 3) is None
    assert lend(trainings, 2) is None
    assert lend(trainings, 4) is not None


def test_the_longest_training_leaves_no_file():
    trainings = BegunTrainings()
    path = lend(trainings, 3)
    assert path.exists()
    assert lend(trainings, 9) == path
    assert not path.exists()


def test_the_longest_training_from_its_start_needs_no_file():
    assert lend(BegunTrainings(), 9) is None


def test_a_paused_training_is_gone_on_with():
    trainings = BegunTrainings()
    path = lend(trainings, 9, ends_at=4)
    assert path.read_text() == "9"
    assert lend(trainings, 4) is None  # as long as what was begun
    assert lend(trainings, 6) == path


def test_a_stopped_training_leaves_no_file():
    trainings = BegunTrainings()
    assert not lend(trainings, 9, ends_at=0).exists()
    assert lend(trainings, 9) is None


def test_a_watched_training_as_long_as_what_was_begun_starts_anew():
    trainings = BegunTrainings()
    path = lend(trainings, 5)
    with trainings.checkpoint(CODE, 0, 3, longest=9, may_pause=True) as lent:
        assert lent.path == path
        assert not path.exists()


def test_replicates_and_architectures_have_files_of_their_own():
    trainings = BegunTrainings()
    paths = {lend(trainings, 3), lend(trainings, 3, replicate=1), lend(trainings, 3, code=(3, 2, 1))}
    assert len(paths) == 3


def test_only_so_many_are_kept_and_the_longest_untouched_goes(monkeypatch):
    monkeypatch.setattr(begun, "KEPT", 2)
    trainings = BegunTrainings()
    first, second = lend(trainings, 3, replicate=1), lend(trainings, 3, replicate=2)
    lend(trainings, 4, replicate=1)
    third = lend(trainings, 3, replicate=3)
    assert [path.exists() for path in (first, second, third)] == [True, False, True]


def test_the_folder_goes_with_its_object():
    trainings = BegunTrainings()
    folder = lend(trainings, 3).parent
    assert folder.exists()
    del trainings
    gc.collect()
    assert not folder.exists()
