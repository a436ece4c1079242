from __future__ import annotations

import re

import pytest

from nasbench.errors import FormatError
from nasbench.store.published import read_published

HEADER = "method,error_percent,error_std_percent,gpu_days,parameters_millions,reference,note,dataset\n"


def by_method():
    return {row.method: row for row in read_published()}


def test_every_published_row_is_there_in_order():
    figures = [(row.error_percent, row.gpu_days) for row in read_published()]
    assert figures == [
        (4.62, None),
        (3.46, None),
        (3.65, 22_400),
        (2.65, 2_000),
        (3.54, 96),
        (3.34, 3_150),
        (3.75, 300),
        (5.98, 15),
        (3.00, 0.4),
        (2.76, 1.0),
        (2.85, 1.5),
        (2.93, 0.3),
        (2.08, 4.0),
        (2.57, 0.1),
        (2.83, 0.1),
        (2.61, 1.3),
        (2.46, 0.6),
        (2.61, 0.8),
    ]


def test_rows_are_about_one_data_set_and_cite_a_paper():
    for row in read_published():
        assert row.dataset == "CIFAR-10 test"
        assert re.fullmatch(r"[A-Z][a-z]+ (19|20)\d\d", row.reference), row


def test_wrong_names_and_years_are_put_right_and_said_so():
    rows = by_method()
    assert "GCP" not in rows
    assert "GCP" in rows["CGP-CNN (ResSet)"].note
    assert rows["DrNAS"].reference == "Chen 2021"
    assert "2019" in rows["DrNAS"].note
    assert rows["DARTS+PT"].reference == "Wang 2021"
    assert "2020" in rows["DARTS+PT"].note


def test_spreads_and_sizes_are_numbers_or_absent():
    rows = by_method()
    assert rows["AmoebaNet-A"].error_std_percent == 0.06
    assert rows["NASNet-A"].parameters_millions == 3.3
    assert rows["ResNet"].parameters_millions is None


def test_other_columns_are_refused(tmp_path):
    (tmp_path / "p.csv").write_text("method,error\nA,1\n")
    with pytest.raises(FormatError, match=r"p\.csv: expected the columns method, error_percent"):
        read_published(tmp_path / "p.csv")


def test_a_number_that_is_none_is_refused_with_its_line(tmp_path):
    (tmp_path / "p.csv").write_text(HEADER + "A,1,,,,Bee 2020,,c\nB,about 2,,,,Bee 2020,,c\n")
    with pytest.raises(
        FormatError, match="line 3, error_percent: expected a number or nothing, got 'about 2'"
    ):
        read_published(tmp_path / "p.csv")
