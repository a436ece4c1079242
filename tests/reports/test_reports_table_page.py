import json
import re
from dataclasses import replace

import numpy as np
import pytest

from nasbench.reports.table_page import render_table_page, write_table_report
from nasbench.spaces import get_space
from nasbench.store.data import TableData
from nasbench.store.info import TableInfo
from nasbench.store.quality import table_quality
from nasbench.store.table import open_table
from nasbench.store.writer import write_tables


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Sixty made-up cells, two repeats, four lengths; a name and a data set that must be escaped."""
    rng = np.random.default_rng(0)
    space = get_space("nb201")
    codes = space.unrank(np.sort(rng.permutation(np.unique(space.classes()))[:60]))
    mean = rng.uniform(0.1, 0.8, 60)[:, None, None]
    valid = np.clip(mean + rng.normal(0, 0.01, (60, 2, 4)), 0, 1).astype(np.float32)
    seconds = np.broadcast_to(np.arange(1.0, 5.0), valid.shape).astype(np.float32)
    info = TableInfo("nb201", "<images>", "one core", "cpu", "CC0", "made up for a test")
    data = TableData(
        "a<b",
        info,
        codes,
        (1, 2, 3, 4),
        {"valid_error": valid, "test_error": valid**2, "train_seconds": seconds},
    )
    path = tmp_path_factory.mktemp("table") / "t.h5"
    write_tables(path, [data])
    return open_table(path)


@pytest.fixture(scope="module")
def quality(table):
    return table_quality(table)


@pytest.fixture(scope="module")
def page(quality, table):
    return render_table_page(quality, table)


def test_every_verdict_stands_on_the_page(page, quality):
    text = page.replace("&#39;", "'")
    for verdict in quality.verdicts:
        assert verdict.sentence in text


def test_the_page_needs_no_script_and_no_other_file(page):
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert not re.search(r'(src|href)="https?:', page)


def test_names_are_escaped(page):
    assert "a&lt;b" in page
    assert "<images>" not in page


def test_there_is_a_chart_for_everything_recorded(page):
    assert page.count("<figure") == page.count("<svg") == 4


def test_ids_do_not_clash(page):
    ids = re.findall(r' id="([^"]*)"', page)
    assert len(ids) == len(set(ids))


def test_the_same_table_makes_the_same_bytes(page, quality, table):
    assert render_table_page(quality, table) == page


def test_the_rank_correlations_are_printed(page, quality):
    for _, one in quality.by_epoch:
        assert f"{one.spearman:,.3f}" in page


def test_page_and_json_are_written(quality, table, tmp_path):
    paths = write_table_report(quality, table, tmp_path / "new")
    assert [path.name for path in paths] == ["table.html", "table.json"]
    assert json.loads(paths[1].read_text())["noise"]["sd"] == quality.noise.sd
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["table.html", "table.json"]


def test_a_table_of_one_length_and_one_repeat_has_fewer_charts(table, tmp_path):
    data = table.data()
    bare = replace(
        data,
        epochs=(4,),
        curves={name: data.curves[name][:, :1, -1:] for name in ("valid_error", "train_seconds")},
    )
    write_tables(tmp_path / "bare.h5", [bare])
    opened = open_table(tmp_path / "bare.h5")
    text = render_table_page(table_quality(opened), opened)
    assert text.count("<svg") == 1
    assert "Seed noise by level" not in text
