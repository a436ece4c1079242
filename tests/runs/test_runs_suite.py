"""Suites: checked with the place of what is wrong; written and read back equal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasbench.errors import BadOption, FormatError
from nasbench.runs.suite import Suite, parse_suite, read_suite, write_suite

SUITE = {
    "name": "first",
    "sources": ["nb201-cifar10"],
    "strategies": [{"name": "random-search"}],
    "seeds": 3,
    "budget": "2gpu-days",
}


def suite(**changes):
    return parse_suite({**SUITE, **changes}, where="here")


def test_smallest_suite_has_the_defaults():
    made = suite()
    assert made.seed_list() == [0, 1, 2]
    assert (made.workers, made.epochs, made.strategies[0].label) == (1, None, "random-search")


def test_seeds_begin_at_the_first_one():
    assert suite(first_seed=10).seed_list() == [10, 11, 12]


def test_label_is_made_from_name_and_options():
    row = {"name": "regularized-evolution", "options": {"sample": 3, "population": 10}}
    assert suite(strategies=[row]).strategies[0].label == "regularized-evolution (population=10, sample=3)"


def test_spec_carries_what_defines_a_run():
    made = suite(workers=4, epochs=12, charging={"repeat": "cached"})
    spec = made.spec(made.strategies[0])
    assert (spec.suite, spec.entry, spec.strategy) == ("first", "random-search", "random-search")
    assert (spec.budget, spec.workers, spec.epochs) == ("2gpu-days", 4, 12)
    assert spec.charging == {"repeat": "cached"}


def test_content_spells_out_every_charging_policy():
    assert suite(charging={"failed": "free"}).content()["charging"] == {
        "repeat": "full",
        "isomorph": "separate",
        "promotion": "continue",
        "failed": "free",
        "final": "free",
        "thinking": "free",
    }


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"seed": 3}, "here: seed: Extra inputs are not permitted"),
        ({"seeds": 0}, "here: seeds: Input should be greater than or equal to 1"),
        ({"first_seed": -1}, "here: first_seed: Input should be greater"),
        ({"workers": 0}, "here: workers: Input should be greater"),
        ({"epochs": 0}, "here: epochs: Input should be greater"),
        ({"sources": []}, "here: sources: List should have at least 1 item"),
        ({"strategies": []}, "here: strategies: List should have at least 1 item"),
        ({"strategies": [{"label": "x"}]}, r"here: strategies\.0\.name: Field required"),
        ({"strategies": [{"name": "x", "option": {}}]}, r"here: strategies\.0\.option: Extra inputs"),
        ({"strategies": [{"name": "x"}] * 2}, "here: suite: labels: x given more than once"),
        ({"sources": ["a", "b", "a"]}, "here: suite: sources: a given more than once"),
        ({"budget": "2days"}, "here: budget: budget: unknown unit 'days'"),
        ({"budget": "-1s"}, "here: budget: budget: expected something like 2gpu-days"),
        ({"charging": {"repeats": "full"}}, "here: charging: (charging: )?expected policies among"),
        ({"charging": {"repeat": "half"}}, r"here: charging: charging\.repeat: expected one of"),
        ({"strategies": [{"name": "x", "options": {"a": None}}]}, "a: expected text, a finite number"),
        ({"strategies": [{"name": "x", "options": {"a": [1, float("nan")]}}]}, "a: expected text"),
        (
            {"trade_off": {"cost": "macs", "reference_cost": 0.0, "reference_error": 0.5}},
            r"here: trade_off\.reference_cost: Input should be greater than 0",
        ),
        (
            {"trade_off": {"cost": "macs", "reference_cost": 1.0, "reference_error": 25.0}},
            r"here: trade_off\.reference_error: Input should be less than or equal to 1",
        ),
        ({"trade_off": {"cost": "macs"}}, r"here: trade_off\.reference_cost: Field required"),
        ({"seeds": 0, "workers": 0}, r"here: seeds: .* \(and 1 more\)"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(changes, wanted):
    with pytest.raises(BadOption, match=wanted):
        suite(**changes)


def test_trade_off_survives_writing_and_reading_and_is_absent_where_none_is_declared(tmp_path):
    declared = {"cost": "latency_seconds", "reference_cost": 0.03, "reference_error": 0.25}
    for wanted in (suite(trade_off=declared), suite()):
        write_suite(wanted, tmp_path / "suite.toml")
        assert read_suite(tmp_path / "suite.toml") == wanted
    assert suite(trade_off=declared).content()["trade_off"] == declared
    assert "trade_off" not in suite().content()


def test_missing_field_is_named():
    with pytest.raises(BadOption, match="here: budget: Field required"):
        parse_suite({k: v for k, v in SUITE.items() if k != "budget"}, where="here")


@pytest.mark.parametrize("data", [b"name = ", b"\xff\xfe", b"no toml"])
def test_file_that_is_no_toml_is_refused(tmp_path, data):
    (tmp_path / "suite.toml").write_bytes(data)
    with pytest.raises(FormatError, match=r"suite\.toml: not TOML: "):
        read_suite(tmp_path / "suite.toml")


def test_date_among_the_options_is_refused(tmp_path):
    path = tmp_path / "suite.toml"
    write_suite(suite(), path)
    path.write_text(path.read_text() + "options = { since = 2020-01-01 }\n")
    with pytest.raises(BadOption, match=r"suite\.toml: strategies\.0\.options: .*since: expected text"):
        read_suite(path)


def test_written_suite_is_readable_text(tmp_path):
    path = tmp_path / "suite.toml"
    row = {"name": "regularized-evolution", "label": "RE", "options": {"population": 10}}
    write_suite(suite(strategies=[row], charging={"repeat": "cached"}), path)
    assert path.read_text() == (
        'name = "first"\ntitle = ""\nsources = ["nb201-cifar10"]\nseeds = 3\nfirst_seed = 0\n'
        'budget = "2gpu-days"\nworkers = 1\n\n[charging]\nrepeat = "cached"\n\n'
        '[[strategies]]\nname = "regularized-evolution"\nlabel = "RE"\noptions = { population = 10 }\n'
    )


texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@given(
    title=texts,
    names=st.lists(texts.filter(bool), min_size=1, max_size=4, unique=True),
    options=st.dictionaries(texts, values, max_size=4),
)
def test_suite_survives_writing_and_reading(tmp_path_factory, title, names, options):
    rows = [{"name": "random-search", "label": name, "options": options} for name in names]
    made = Suite.model_validate({**SUITE, "title": title, "sources": names, "strategies": rows, "epochs": 12})
    path = tmp_path_factory.mktemp("suite") / "suite.toml"
    write_suite(made, path)
    assert read_suite(path) == made


@pytest.mark.parametrize(
    "text", ["\x7f", 'a"b\\c', "line\nline\r\n\t", "\u2603 \U0001f600", "\x00\x1f", "'''"]
)
def test_unusual_characters_survive_as_label_option_and_key(tmp_path, text):
    made = suite(strategies=[{"name": "x", "label": text, "options": {text: text, "k": [{text: text}]}}])
    write_suite(made, tmp_path / "suite.toml")
    assert read_suite(tmp_path / "suite.toml") == made
