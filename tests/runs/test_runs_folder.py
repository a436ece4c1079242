import pytest

from nasbench.errors import BadOption
from nasbench.runs.campaign import run_suite
from nasbench.runs.execute import execute
from nasbench.runs.folder import read_runs
from nasbench.runs.packing import equal_runs
from nasbench.runs.suite import parse_suite


@pytest.fixture
def suite():
    return parse_suite(
        {
            "name": "two rows",
            "sources": ["nb201-cifar10"],
            "strategies": [{"name": "random-search"}, {"name": "regularized-evolution"}],
            "seeds": 2,
            "budget": "3evals",
        },
        where="a test",
    )


def test_folder_of_runs_under_way_gives_its_finished_ones_in_order(suite, tmp_path):
    result = run_suite(suite, tmp_path)
    found = read_runs(tmp_path)
    made = [run for row in (0, 1) for run in result.runs[0, row]]
    assert [equal_runs(a, b) for a, b in zip(found, made, strict=True)] == [""] * 4
    first = min((tmp_path / "runs").rglob("*.jsonl"))
    first.write_bytes(b"".join(first.read_bytes().splitlines(keepends=True)[:2]))
    assert len(read_runs(tmp_path)) == 3


def test_leaderboard_folder_and_its_records_give_the_same_runs(suite, tmp_path):
    from nasbench.reports.publish import publish

    publish(suite, tmp_path)
    assert not (tmp_path / "runs").exists()
    runs = read_runs(tmp_path)
    assert [(run.header["entry"], run.header["seed"]) for run in runs] == [
        ("random-search", 0),
        ("random-search", 1),
        ("regularized-evolution", 0),
        ("regularized-evolution", 1),
    ]
    assert len(read_runs(tmp_path / "records.h5")) == 4


def test_one_record_is_one_run(spec, toy_source, tmp_path):
    path = tmp_path / "run.jsonl"
    made, _ = execute(spec(), 0, toy_source, path=path)
    (found,) = read_runs(path)
    assert equal_runs(made, found) == ""


@pytest.mark.parametrize("name", ["", "run.jsonl", "notes.txt"])
def test_path_without_a_finished_run_is_refused(tmp_path, name):
    path = tmp_path / name
    if name:
        path.write_text("")
    with pytest.raises(BadOption, match=r"from-run: expected a folder of runs, .* it holds no finished run"):
        read_runs(path)
