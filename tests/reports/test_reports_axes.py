import pytest

from nasbench.reports.axes import chart_extent, tick_labels


def test_the_early_search_is_cut_off_and_the_note_says_so(make_panel):
    panel = make_panel()
    extent = chart_extent(panel, "days", "error")
    assert extent is not None
    highest = max(value for value in panel.entries[0].curves["days"].error.mean if value is not None)
    assert extent.y_high < highest * 100
    assert f"Values above {extent.y_high:.3g} %" in extent.note


def test_nothing_is_cut_off_in_the_later_part_of_the_axis(make_panel):
    panel = make_panel()
    extent = chart_extent(panel, "days", "error")
    assert extent is not None
    grid = panel.grids["days"]
    late = extent.x_low * (extent.x_high / extent.x_low) ** 0.45
    for entry in panel.entries:
        curve = entry.curves["days"].error
        shown = [
            (low, high)
            for x, low, high in zip(grid, curve.low, curve.high, strict=True)
            if x >= late and high is not None
        ]
        assert all(extent.y_low <= low * 100 and high * 100 <= extent.y_high for low, high in shown)


def test_the_axis_starts_where_the_first_curve_does(make_panel):
    panel = make_panel()
    extent = chart_extent(panel, "days", "error")
    assert extent is not None
    assert extent.x_low == panel.grids["days"][3]


def test_the_optimum_is_inside_the_error_axis(make_panel):
    extent = chart_extent(make_panel(), "days", "error")
    assert extent is not None
    assert extent.y_low < 5.63 < extent.y_high


def test_a_panel_of_failed_entries_has_no_extent(make_panel, fail_entry):
    panel = make_panel()
    panel = panel.model_copy(update={"entries": [fail_entry(entry) for entry in panel.entries]})
    assert chart_extent(panel, "days", "error") is None


def test_regret_without_any_positive_value_has_no_extent(make_panel):
    panel = make_panel(n_entries=1)
    regret = panel.entries[0].curves["days"].regret
    zeros = [None if value is None else 0.0 for value in regret.mean]
    panel.entries[0].curves["days"].regret = regret.model_copy(update={"mean": zeros})
    assert chart_extent(panel, "days", "regret") is None


def test_a_curve_that_reaches_the_optimum_is_explained(make_panel):
    panel = make_panel(n_entries=2)
    panel.entries[0].curves["days"].regret.mean[-1] = 0.0
    extent = chart_extent(panel, "days", "regret")
    assert extent is not None
    assert "reached the optimum" in extent.note


def test_one_grid_point_still_gives_a_range(make_panel):
    panel = make_panel(n_entries=1)
    curves = panel.entries[0].curves["days"]
    for curve in (curves.error, curves.regret, curves.rank):
        for part in ("mean", "low", "high", "median"):
            setattr(curve, part, getattr(curve, part)[-1:])
    panel.grids["days"] = panel.grids["days"][-1:]
    extent = chart_extent(panel, "days", "error")
    assert extent is not None
    assert extent.x_low < panel.grids["days"][0] < extent.x_high


@pytest.mark.parametrize(
    ("low", "high", "log"),
    [
        (0.01, 10.0, True),
        (1.0, 700.0, True),
        (2.0, 9.0, True),
        (3.1, 3.9, True),
        (5.2, 13.1, False),
        (0.7, 8.3, False),
    ],
)
def test_ticks_are_few_distinct_and_inside(low, high, log):
    ticks = tick_labels(low, high, log=log)
    assert 2 <= len(ticks) <= 12
    assert all(low * 0.9999 <= value <= high * 1.0001 for value, _ in ticks)
    assert len({text for _, text in ticks}) == len(ticks)


def test_ticks_are_written_plainly():
    assert [text for _, text in tick_labels(0.01, 1000.0, log=True)] == [
        "0.01",
        "0.1",
        "1",
        "10",
        "100",
        "1,000",
    ]


def test_a_curve_that_ends_far_above_the_others_does_not_flatten_them(make_panel):
    panel = make_panel()
    usual = chart_extent(panel, "days", "error")
    error = panel.entries[6].curves["days"].error
    for part in ("mean", "low", "high"):
        setattr(error, part, [None if value is None else 0.6 for value in getattr(error, part)])
    extent = chart_extent(panel, "days", "error")
    assert usual is not None
    assert extent is not None
    assert extent.y_high <= usual.y_high
    assert "are cut off" in extent.note
