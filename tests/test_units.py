"""Units: percent, days and budgets, in and out."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasbench.errors import BadOption
from nasbench.units import (
    Budget,
    days,
    days_label,
    error_from_accuracy_percent,
    format_error,
    format_seconds,
    fraction,
    parse_budget,
    percent,
    seconds_of_days,
)

DAY = 24 * 60 * 60


@pytest.mark.parametrize(
    ("text", "seconds", "device"),
    [
        ("2gpu-days", 2.0 * DAY, "gpu"),
        ("0.5cpu-days", 0.5 * DAY, "cpu"),
        ("1gpu-day", 1.0 * DAY, "gpu"),
        ("1 GPU_DAYS", 1.0 * DAY, "gpu"),
        ("3cpudays", 3.0 * DAY, "cpu"),
        ("3600s", 3600.0, None),
        ("90min", 5400.0, None),
        ("2h", 7200.0, None),
        (" 1e3s ", 1000.0, None),
        (".5h", 1800.0, None),
        ("2.sec", 2.0, None),
    ],
)
def test_budget_in_time_is_read(text, seconds, device):
    budget = parse_budget(text)
    assert (budget.seconds, budget.device, budget.evaluations) == (seconds, device, None)
    assert budget.text == text.strip()


@pytest.mark.parametrize(
    "text", ["500evals", "500 eval", "500evaluations", "500Trials", "5e2evals", "500.0evals"]
)
def test_budget_in_evaluations_is_read(text):
    assert parse_budget(text) == Budget(text, evaluations=500)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "expected something like 2gpu-days, 0.5cpu-days, 3600s or 500evals, got ''"),
        ("2", "expected something like .* got '2'"),
        ("gpu-days", "expected something like"),
        ("-2s", "expected something like"),
        ("two days", "expected something like"),
        ("1s 2s", "expected something like"),
        ("nans", "expected something like"),
        ("0s", "expected a positive amount, got '0s'"),
        ("0evals", "expected a positive amount"),
        ("1e999s", "expected a positive amount"),
        ("1e-999s", "expected a positive amount"),
        ("1e306gpu-days", "expected a finite amount, got '1e306gpu-days'"),
        ("1e308h", "expected a finite amount"),
        ("2.5evals", "expected a whole number of evaluations, got '2.5evals'"),
        ("2days", "unknown unit 'days'; expected something like"),
        ("2tpu-days", "unknown unit 'tpu-days'"),
        ("2m", "unknown unit 'm'"),
    ],
)
def test_what_is_no_budget_is_refused(text, wanted):
    with pytest.raises(BadOption, match=f"budget: {wanted}"):
        parse_budget(text)


@given(st.floats(1e-6, 1e9), st.sampled_from(["gpu", "cpu"]))
def test_days_survive_writing_and_reading(amount, device):
    budget = parse_budget(f"{amount!r}{device}-days")
    assert budget.device == device
    assert days(budget.seconds) == pytest.approx(amount, rel=1e-12)


@given(st.floats(1e-6, 1e12))
def test_seconds_survive_writing_and_reading(seconds):
    assert parse_budget(f"{seconds!r}s").seconds == seconds


@given(st.integers(1, 10**15))
def test_evaluations_survive_writing_and_reading(n):
    assert parse_budget(f"{n}evals").evaluations == n


@given(st.text(max_size=12))
def test_any_text_is_a_positive_finite_budget_or_refused(text):
    try:
        budget = parse_budget(text)
    except BadOption:
        return
    (amount,) = [a for a in (budget.seconds, budget.evaluations) if a is not None]
    assert 0 < amount < math.inf


def test_budget_of_one_kind_of_device_is_refused_on_the_other():
    with pytest.raises(
        BadOption, match=r"budget: '2gpu-days' is in gpu-days, but source toy measures cpu-sec"
    ):
        parse_budget("2gpu-days").require_device("cpu", source="toy")


@pytest.mark.parametrize("text", ["2gpu-days", "3600s", "5evals"])
def test_budget_that_fits_the_device_is_accepted(text):
    assert parse_budget(text).require_device("gpu", source="toy") is None


@given(st.floats(0, 1))
def test_percent_and_fraction_are_inverses(value):
    assert fraction(percent(value)) == pytest.approx(value, rel=1e-15)


@given(st.floats(0, 1e9))
def test_days_and_seconds_are_inverses(value):
    assert seconds_of_days(days(value)) == pytest.approx(value, rel=1e-15)


def test_accuracy_in_percent_becomes_an_error():
    assert error_from_accuracy_percent(94.5) == pytest.approx(0.055)
    assert error_from_accuracy_percent(100.0) == 0.0


def test_axis_is_named_for_the_device():
    assert [days_label(kind) for kind in ("gpu", "cpu")] == ["GPU-days", "CPU-days"]
    assert days_label("none") == "nominal days"


@pytest.mark.parametrize("text", ["2gpu-days", "0.5cpu-days", "3600s"])
def test_a_source_without_recorded_time_takes_budgets_in_evaluations_only(text):
    with pytest.raises(
        BadOption, match=f"source toy recorded no training time, got '{text}'. Type it in eval"
    ):
        parse_budget(text).require_device("none", source="toy")
    assert parse_budget("9evals").require_device("none", source="toy") is None


@pytest.mark.parametrize(
    ("error", "digits", "text"),
    [(0.05634, 2, "5.63"), (0.05634, 1, "5.6"), (1.0, 2, "100.00"), (math.nan, 2, "–")],
)
def test_errors_are_written_in_percent(error, digits, text):
    assert format_error(error, digits=digits) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0.4 s"),
        (119.0, "119 s"),
        (720.0, "12 min"),
        (11_520.0, "3.2 h"),
        (5.1 * DAY, "5.1 d"),
        (math.nan, "–"),
    ],
)
def test_durations_are_written_for_a_person(seconds, text):
    assert format_seconds(seconds) == text
