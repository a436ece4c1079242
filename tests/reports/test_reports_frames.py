from __future__ import annotations

import pytest

from nasbench.errors import FormatError
from nasbench.reports.frames import curves_frame, final_frame, trials_frame
from nasbench.reports.publish import publish
from nasbench.runs.suite import parse_suite


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("frames") / "board"
    suite = parse_suite(
        {
            "name": "frames",
            "sources": ["nb201-cifar10"],
            "strategies": [{"name": "random-search"}, {"name": "local-search"}],
            "seeds": 2,
            "budget": "15evals",
        },
        where="test",
    )
    return out, publish(suite, out)


def test_final_frame_has_the_numbers_of_the_leaderboard(folder):
    out, board = folder
    frame = final_frame(out).set_index("label")
    for entry in board.panels[0].entries:
        assert frame.loc[entry.label, "error_mean"] == pytest.approx(entry.final.mean)


def test_curves_frame_holds_every_entry(folder):
    out, board = folder
    frame = curves_frame(out)
    assert {entry.label for entry in board.panels[0].entries} <= set(frame["label"])


def test_trials_frame_has_one_row_a_trial_and_running_cost(folder):
    out, _ = folder
    frame = trials_frame(out)
    assert len(frame) == 2 * 2 * 15
    for _, run in frame.groupby(["entry", "seed"]):
        assert run["spent_seconds"].iloc[-1] == pytest.approx(run["charged_seconds"].sum())
        assert run["test_error"].isna().all()


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"records\.h5: no such file"):
        trials_frame(tmp_path)
