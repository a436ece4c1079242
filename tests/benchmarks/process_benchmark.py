"""Whole processes; run: pytest tests/benchmarks/process_benchmark.py"""

from __future__ import annotations

import subprocess
import sys

import pytest


def process(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def test_baseline_an_empty_python_process(benchmark):
    benchmark.pedantic(process, args=("-c", "pass"), rounds=9, warmup_rounds=1)


@pytest.mark.parametrize(
    "arguments", [("--help",), ("query", "nb201-cifar10", "421211")], ids=["help", "query"]
)
def test_a_command(benchmark, arguments):
    benchmark.pedantic(process, args=("-m", "nasbench", *arguments), rounds=9, warmup_rounds=1)
    assert benchmark.stats.stats.median < 0.4


def test_500_seeds_of_1000_evaluations_of_two_strategies_with_statistics_and_page(benchmark, tmp_path):
    command = ["-m", "nasbench", "compare", "--source", "nb201-cifar10", "--seeds", "500"]
    command += ["--strategies", "random-search,regularized-evolution", "--budget", "1000evals"]
    benchmark.pedantic(process, args=(*command, "--jobs", "2", "--out", str(tmp_path / "out")), rounds=1)
    assert (tmp_path / "out" / "index.html").is_file()
    assert benchmark.stats.stats.median < 60
