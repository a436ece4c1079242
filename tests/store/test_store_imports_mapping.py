"""A mapping read: units, patterns, declared spaces, and what is refused before any file is opened."""

from __future__ import annotations

import copy
import re

import pytest

from nasbench.errors import BadOption, FormatError, UnknownName
from nasbench.store.imports.conversion import curve_unit, scalar_unit
from nasbench.store.imports.mapping import parse_mapping

ABOUT = {"dataset": "d", "device": "v", "device_kind": "gpu", "licence": "l", "source": "s"}
MAPPING = {
    "name": "mine",
    "space": "nb201",
    "epochs": 200,
    "columns": {"architecture": "cell"},
    "curves": {
        "valid_error": {"column": "acc", "unit": "accuracy percent"},
        "train_seconds": {"column": "t", "unit": "hours"},
    },
    "about": ABOUT,
}


def changed(path, value):
    """Copy the mapping with one value set, or taken out where the value is None."""
    mapping = copy.deepcopy(MAPPING)
    *outer, key = path.split("/")
    inside = mapping
    for name in outer:
        inside = inside.setdefault(name, {})
    if value is None:
        del inside[key]
    else:
        inside[key] = value
    return mapping


@pytest.mark.parametrize(
    ("target", "unit", "given", "stored"),
    [
        ("valid_error", "accuracy percent", 93.75, 0.0625),
        ("valid_error", "Accuracy  Percent", 93.75, 0.0625),
        ("valid_error", "accuracy_percent", 93.75, 0.0625),
        ("valid_error", "accuracy", 0.75, 0.25),
        ("valid_error", "error percent", 6.25, 0.0625),
        ("test_error", "error", 0.25, 0.25),
        ("train_seconds", "seconds", 3.0, 3.0),
        ("train_seconds", "milliseconds", 1500.0, 1.5),
        ("train_seconds", "minutes", 2.0, 120.0),
        ("train_seconds", "hours", 0.5, 1800.0),
        ("train_seconds", "days", 0.5, 43_200.0),
        ("valid_loss", "", 2.5, 2.5),
    ],
)
def test_curve_units_are_converted_once(target, unit, given, stored):
    assert curve_unit(target, unit).convert(given) == pytest.approx(stored, rel=1e-12)


def test_scalars_keep_their_words_and_become_ones_and_seconds():
    assert (scalar_unit("macs", "million multiply-accumulates").convert(2.5)) == 2_500_000
    assert scalar_unit("macs", "million multiply-accumulates").stored == "multiply-accumulates"
    assert scalar_unit("latency_seconds", "milliseconds").stored == "seconds"
    assert scalar_unit("latency_seconds", "milliseconds").convert(250.0) == 0.25
    assert scalar_unit("rank", "place in the list").convert(3.0) == 3.0


@pytest.mark.parametrize("unit", ["", "percent", "accuracy in percent", "top1"])
def test_an_error_without_a_known_unit_is_never_guessed(unit):
    with pytest.raises(BadOption, match="unit: valid_error is given in one of accuracy, accuracy percent"):
        curve_unit("valid_error", unit)


def test_time_and_scalars_need_a_unit_too():
    with pytest.raises(BadOption, match="unit: train_seconds is given in one of microseconds, milliseconds"):
        curve_unit("train_seconds", "weeks")
    with pytest.raises(BadOption, match="unit: valid_loss is given in one of nats, got 'bits'"):
        curve_unit("valid_loss", "bits")
    with pytest.raises(BadOption, match="unit: expected the unit of scalar rank, got nothing"):
        scalar_unit("rank", " ")


def test_a_pattern_finds_epoch_and_replicate_in_a_name():
    mapping = parse_mapping(
        changed("curves/valid_error", {"column": "v[{replicate}].acc[{epoch-1}]", "unit": "accuracy"})
    )
    column = next(curve for curve in mapping.curves if curve.target == "valid_error")
    match = column.matcher().fullmatch("v[2].acc[11]")
    assert match is not None
    assert match.groupdict() == {"replicate": "2", "epoch": "11"}
    assert (column.shift("epoch"), column.shift("replicate")) == (1, 0)
    assert column.matcher().fullmatch("v[2]xacc[11]") is None


def test_a_pattern_may_count_from_one_too_many():
    mapping = parse_mapping(changed("curves/valid_error", {"column": "e{epoch+1}", "unit": "error"}))
    assert next(curve for curve in mapping.curves if curve.target == "valid_error").shift("epoch") == -1


def test_a_declared_space_is_carried_as_its_definition():
    space = {"name": "own", "decisions": [{"name": "a", "choices": ["x", "y"]}]}
    mapping = parse_mapping(changed("space", space))
    assert mapping.info.space == "own"
    assert '"choices":["x","y"]' in mapping.info.space_definition
    assert parse_mapping(MAPPING).info.space_definition == ""


def test_without_time_the_device_kind_is_none():
    mapping = changed("curves/train_seconds", None)
    mapping["about"] = {**ABOUT, "device_kind": "none"}
    del mapping["about"]["device"]
    parsed = parse_mapping(mapping)
    assert not parsed.has_time
    assert parsed.info.reference_device == "none: the source recorded no training time"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("colour", "red", "mapping: expected about, columns, curves, delimiter, epochs, missing, name"),
        (
            "columns/colour",
            "red",
            "columns: expected architecture, replicate, epoch, dataset, failed, got 'colour'",
        ),
        ("columns", "cell", "columns: expected names with values, got 'cell'"),
        (
            "columns/architecture",
            None,
            "columns.architecture: expected a column, or a list of one a decision, got N",
        ),
        ("columns/architecture", [], "columns.architecture: expected a column"),
        ("columns/replicate", 3, "columns.replicate: expected text, got 3"),
        ("space", None, "space: expected the name of a space or a declaration, got nothing"),
        (
            "space",
            {"name": "nb201", "decisions": [{"name": "a", "choices": ["x"]}]},
            "space.name: expected a name that no registered space has, got 'nb201'",
        ),
        (
            "name",
            "My Table",
            "name: expected a table name of lower-case words joined by hyphens, got 'My Table'",
        ),
        ("name", "", "name: expected a table name"),
        ("epochs", 0, "epochs: expected a whole number >= 1, got 0"),
        ("epochs", "12", "epochs: expected a whole number >= 1, got '12'"),
        ("epochs", None, "epochs: expected to know how long the trainings of 't' were, got nothing"),
        ("replicates", "by seed", "replicates: expected 'in order'"),
        ("missing", "-1", "missing: expected a list of texts, got '-1'"),
        ("delimiter", ", ", "delimiter: expected one character, got ', '"),
        ("curves/valid_error", None, "curves.valid_error: expected the column of the validation error"),
        ("curves/valid_error", "acc", "curves.valid_error: expected a column with its unit, got 'acc'"),
        (
            "curves/valid_error/colour",
            "red",
            "curves.valid_error: expected column, unit, shared, got 'colour'",
        ),
        ("curves/valid_error/unit", 3, "curves.valid_error.unit: expected text, got 3"),
        (
            "curves/train_seconds/shared",
            "yes",
            "curves.train_seconds.shared: expected true or false, got 'yes'",
        ),
        (
            "curves/train_seconds",
            None,
            "curves.train_seconds: expected the column of the training time, or device",
        ),
        ("about/device_kind", "none", "got both a column of it and device_kind = 'none'"),
        ("about/licence", None, "about: expected licence too, got none"),
        ("about/colour", "red", "about: expected dataset, device"),
        ("about/splits", "half", "splits: expected names with values, got 'half'"),
        ("about/citation", 3, "about.citation: expected text, got 3"),
        (
            "scalars/Params",
            {"column": "p", "unit": "u"},
            "scalars: expected names of lower-case words joined by '_'",
        ),
        (
            "scalars/p",
            {"column": "p[{epoch}]", "unit": "u"},
            "scalars.p: expected one column, got the pattern",
        ),
    ],
)
def test_what_a_mapping_cannot_mean_is_refused_by_its_key(path, value, message):
    with pytest.raises(BadOption, match=re.escape(message)):
        parse_mapping(changed(path, value))


def test_repeats_are_told_by_a_column_or_by_order_but_not_by_both():
    mapping = {**changed("columns/replicate", "seed"), "replicates": "in order"}
    with pytest.raises(BadOption, match="expected a column of the repeat or 'in order', got both"):
        parse_mapping(mapping)


def test_unknown_spaces_and_curves_of_unknown_ending_are_refused():
    with pytest.raises(UnknownName, match=r"no space is named 'nb2011'. Did you mean 'nb201'"):
        parse_mapping(changed("space", "nb2011"))
    with pytest.raises(FormatError, match="curves/top1: expected a name ending in _error"):
        parse_mapping(changed("curves/top1", {"column": "x", "unit": "accuracy"}))
