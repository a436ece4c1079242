import numpy as np

from nasbench.comparison.effort import distinct_architectures, elapsed_seconds, full_trainings
from nasbench.runs.columns import STATUSES


def test_distinct_architectures_are_counted_once(make_run):
    assert distinct_architectures(make_run([0.5, 0.4, 0.3], codes=[[1, 2], [2, 1], [1, 2]])) == 2
    assert distinct_architectures(make_run([])) == 0


def test_only_finished_trials_of_the_whole_length_are_full_trainings(make_run):
    run = make_run([0.5, 0.4, 0.3, 0.2])
    run.epochs[:] = [9, 3, 9, 9]
    run.status[:] = [STATUSES.index(s) for s in ("ok", "ok", "stopped", "failed")]
    assert full_trainings(run, epochs=9) == 1
    assert full_trainings(run, epochs=3) == 1


def test_the_clock_stands_where_the_last_trial_finished(make_run):
    run = make_run([0.5, 0.4])
    assert elapsed_seconds(run) == float(np.max(run.finished_seconds))
    assert elapsed_seconds(make_run([])) == 0.0
