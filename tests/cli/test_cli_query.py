from __future__ import annotations

import re

import pytest
from cli_calls import ARCHITECTURE, Nasbench


def test_every_recorded_training_is_shown(nasbench: Nasbench) -> None:
    ended = nasbench("query", "nb201-cifar10", ARCHITECTURE)
    assert ended.status == 0
    assert ended.err == ""
    lines = ended.out.splitlines()
    assert lines[0].startswith(ARCHITECTURE)
    assert lines[1].startswith("replicate 0: valid_error 8.316 %  train_seconds 2879.7 s")
    assert len(lines) == 4


def test_json_holds_fractions_and_seconds(nasbench: Nasbench) -> None:
    data = nasbench("query", "nb201-cifar10", ARCHITECTURE, "--json").data
    assert data["architecture"] == ARCHITECTURE
    assert data["epochs"] == 200
    assert [row["replicate"] for row in data["trainings"]] == [0, 1, 2]
    assert data["trainings"][0]["valid_error"] == pytest.approx(0.08316)
    assert data["trainings"][0]["train_seconds"] == pytest.approx(2879.749, abs=0.001)


def test_one_replicate_can_be_asked_for(nasbench: Nasbench) -> None:
    data = nasbench("query", "nb201-cifar10", ARCHITECTURE, "--replicate", "1", "--json").data
    assert [row["replicate"] for row in data["trainings"]] == [1]


def test_a_source_name_is_forgiving(nasbench: Nasbench) -> None:
    assert nasbench("query", "NB201_CIFAR10", ARCHITECTURE).status == 0


@pytest.mark.parametrize(
    ("architecture", "rule"),
    [
        ("|conv~0|", r"expected 3 nodes joined by '\+'"),
        (
            ARCHITECTURE.replace("nor_conv_1x1", "nor_conv_5x5"),
            "the operations are none, .* got 'nor_conv_5x5'",
        ),
        (ARCHITECTURE.replace("nor_conv_1x1~2", "nor_conv_1x1~0"), "node 3, input 2"),
    ],
)
def test_an_invalid_architecture_names_the_rule_it_breaks(
    nasbench: Nasbench, architecture: str, rule: str
) -> None:
    ended = nasbench("query", "nb201-cifar10", architecture)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("error: architecture: ")
    assert re.search(rule, ended.err)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--epochs", "12"), "table nb201-cifar10 holds 200, got 12"),
        (("--replicate", "7"), "holds 0, 1 and 2, got 7"),
    ],
)
def test_what_was_not_measured_says_what_was(
    nasbench: Nasbench, options: tuple[str, ...], message: str
) -> None:
    ended = nasbench("query", "nb201-cifar10", ARCHITECTURE, *options)
    assert ended.status == 1
    assert message in ended.err


def test_an_unknown_live_source_names_the_near_one(nasbench: Nasbench) -> None:
    ended = nasbench("query", "live:digit", ARCHITECTURE)
    assert ended.status == 2
    assert "Did you mean 'live:digits'" in ended.err


def test_a_device_is_refused_for_a_table(nasbench: Nasbench) -> None:
    ended = nasbench("query", "nb201-cifar10", ARCHITECTURE, "--device", "cuda")
    assert ended.status == 2
    assert "device: " in ended.err


def test_a_live_source_trains_now(nasbench: Nasbench) -> None:
    pytest.importorskip("torch")
    data = nasbench("query", "live:digits", ARCHITECTURE, "--epochs", "1", "--json").data
    assert data["source"].startswith("live:digits@")
    (row,) = data["trainings"]
    assert row["status"] == "ok"
    assert 0 <= row["valid_error"] <= 1
    assert row["train_seconds"] > 0
