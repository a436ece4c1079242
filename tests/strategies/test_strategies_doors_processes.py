"""A seed gives one run in every process: libraries that go through sets of texts would differ in each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = """
from nasbench.seeds import generator
from nasbench.strategies.loading import load_strategy
from nasbench.strategies.strategy import make
from nasbench.testing import ToyChain, toy_setting
from nasbench.testing.simulation import drive
from nasbench.testing.strategy import rough_error

space, setting = ToyChain(), toy_setting()
strategy = make(load_strategy("nasbench.strategies.doors.{}"), space, rng=generator(1), setting=setting, **{})
said = drive(strategy, space, answer=rough_error, setting=setting, n_trials=24, workers=3)
print([proposal.code for proposal in said.proposals])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "target", "options"),
    [
        ("optuna", "optuna_door:Optuna", {}),
        ("optuna", "optuna_door:Optuna", {"sampler": "nsga2"}),
        ("pymoo", "pymoo_door:Pymoo", {"population": 5, "algorithm": "sms-emoa", "costs": "macs"}),
        ("smac", "smac_door:SMAC3", {"initial": 5}),
        ("syne_tune", "syne_tune_door:SyneTune", {"scheduler": "bohb"}),
    ],
)
def test_proposals_are_the_same_in_another_process(package, target, options):
    pytest.importorskip(package)
    said = [
        subprocess.run(
            [sys.executable, "-c", RUN.format(target, options)],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0].count("(") >= 20
    assert said[0] == said[1]
