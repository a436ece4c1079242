from __future__ import annotations

import json

import numpy as np
import pytest

from nasbench.store.summary import table_summary
from nasbench.units import seconds_of_days


def test_summary_is_plain_json(table):
    summary = table_summary(table)
    assert json.loads(json.dumps(summary, allow_nan=False))["name"] == "toy"


def test_summary_counts_architectures_and_repeats(table):
    summary = table_summary(table)
    assert summary["architectures"] == 20
    assert sum(summary["replicate_histogram"].values()) == 20
    assert set(summary["replicate_histogram"]) == {1, 2, 3}


def test_summary_names_the_best_architecture_by_mean(table):
    best = table_summary(table)["best"]
    row = int(np.argmin(table.mean("valid_error")))
    assert best["architecture"] == table.space.format(table.codes[row].tolist())
    assert best["valid_error"] == table.mean("valid_error")[row]


def test_summary_tells_days_of_one_training_each_from_days_of_all(table):
    summary = table_summary(table)
    seconds = table.column("train_seconds")[:, :, -1].astype(np.float64)
    assert seconds_of_days(summary["days_all_trainings"]) == pytest.approx(np.nansum(seconds))
    assert seconds_of_days(summary["days_one_training_each"]) == pytest.approx(
        np.nanmean(seconds, axis=1).sum()
    )


def test_summary_pools_the_spread_of_repeats(table):
    values = table.column("valid_error")[:, :, -1].astype(np.float64)
    groups = [row[~np.isnan(row)] for row in values]
    squares = sum(((group - group.mean()) ** 2).sum() for group in groups)
    freedom = sum(len(group) - 1 for group in groups)
    assert table_summary(table)["replicate_std"] == pytest.approx(np.sqrt(squares / freedom))


def test_summary_of_single_repeats_has_no_spread(make_data, tmp_path):
    from nasbench.store.table import open_table
    from nasbench.store.writer import write_tables

    write_tables(tmp_path / "t.h5", [make_data(n=4, replicates=1)])
    assert table_summary(open_table(tmp_path / "t.h5"))["replicate_std"] is None
