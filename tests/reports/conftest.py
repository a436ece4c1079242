"""A made-up leaderboard with the shape of a real one: eight strategies, thirty seeds, a known optimum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nasbench.reports.leaderboard import (
    ChecklistItem,
    Curve,
    Curves,
    Entry,
    Failure,
    Final,
    Leaderboard,
    Pair,
    Panel,
    Published,
    RandomExpectation,
    Reference,
    TimeToTarget,
)

OPTIMUM = 0.0563
# label, family, mode, paper, speed of descent, error it tends to
STRATEGIES = (
    ("random-search", "random", "faithful", "Li 2019", 0.55, 0.0605),
    ("regularized-evolution", "evolution", "faithful", "Real 2019", 0.80, 0.0573),
    ("local-search", "local search", "faithful", "White 2021", 0.95, 0.0569),
    ("bananas", "Bayesian optimisation", "faithful", "White 2021", 1.00, 0.0567),
    ("hyperband", "multi-fidelity", "faithful", "Li 2018", 0.75, 0.0589),
    ("reinforce", "reinforcement learning", "faithful", "Ying 2019", 0.60, 0.0596),
    ("darts", "gradient", "analogue", "Liu 2019", 0.40, 0.0640),
    ("tpe", "Bayesian optimisation", "faithful", "Bergstra 2011", 0.70, 0.0584),
)


def _curve(mean: np.ndarray, spread: np.ndarray, *, first: int) -> Curve:
    def listed(values: np.ndarray) -> list[float | None]:
        return [None] * first + [float(v) for v in values[first:]]

    return Curve(
        mean=listed(mean),
        low=listed(mean - spread),
        high=listed(mean + spread),
        median=listed(mean - 0.2 * spread),
    )


def _curves(
    grid: np.ndarray, speed: float, end: float, rank: float, rng: np.random.Generator, seeds: int
) -> Curves:
    progress = np.log(grid / grid[0]) / np.log(grid[-1] / grid[0])
    steps = np.maximum.accumulate(progress + rng.normal(0, 0.012, grid.size))
    mean = end + (0.17 - end) * np.exp(-6.0 * speed * np.clip(steps, 0, None))
    spread = 0.16 * (mean - OPTIMUM) * (1 if seeds > 1 else 0) + 0.0
    first = 3
    ranks = 4.5 + (rank - 4.5) * progress
    return Curves(
        error=_curve(mean, spread, first=first),
        regret=_curve(mean - OPTIMUM, spread, first=first),
        rank=_curve(ranks, np.full(grid.size, 0.4 if seeds > 1 else 0.0), first=first),
    )


def build_panel(*, seeds: int = 30, n_entries: int = 8, name: str = "nb201-cifar10", **changes: Any) -> Panel:
    rng = np.random.default_rng(7)
    grids = {"days": np.geomspace(0.01, 10.0, 64), "evaluations": np.geomspace(1.0, 700.0, 64)}
    entries = []
    for index in range(n_entries):
        label, family, mode, paper, speed, end = STRATEGIES[index % len(STRATEGIES)]
        if index >= len(STRATEGIES):
            label, end, speed = f"{label}-{index // 8 + 1}", end + 0.0004 * (index // 8), speed * 0.95
        curves = {axis: _curves(grid, speed, end, 1.0 + index, rng, seeds) for axis, grid in grids.items()}
        mean = curves["days"].error.mean[-1]
        assert mean is not None
        many = seeds > 1
        entries.append(
            Entry(
                label=label,
                strategy=label,
                options={"population": 50, "sample": 10} if family == "evolution" else {},
                family=family,
                mode=mode,
                paper=paper,
                seeds=list(range(seeds)),
                failures=[Failure(seed=4, reason="StrategyFault: proposed nan")] if label == "tpe" else [],
                ends={"budget": seeds - 1, "failed": 1} if label == "tpe" else {"budget": seeds},
                failed_trials=3 if label == "hyperband" else 0,
                stopped_trials=40 if label == "hyperband" else 0,
                evaluations=612.4 - index,
                full_trainings=24.5 if label == "hyperband" else 612.4 - index,
                distinct=580.0,
                days=9.98,
                elapsed_days=9.98,
                curves=curves,
                final=Final(
                    n=seeds - (1 if label == "tpe" else 0),
                    mean=mean,
                    low=mean - 0.0004 if many else None,
                    high=mean + 0.0004 if many else None,
                    std=0.0011 if many else None,
                    median=mean - 0.0001,
                    best=OPTIMUM,
                    regret=mean - OPTIMUM,
                    rank=1.0 + index,
                    architecture="|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|none~2|",
                ),
                to_target=TimeToTarget(
                    reached=seeds - index % seeds,
                    n=seeds,
                    median_days=4.1 / (1.0 + speed),
                    ratio=0.41 + 0.1 * index if many else None,
                    ratio_low=0.33 + 0.1 * index if many else None,
                    ratio_high=0.52 + 0.1 * index if many else None,
                ),
                is_best=label == "bananas",
                not_separated=label == "local-search",
            )
        )
    labels = [entry.label for entry in entries]
    pairs = [
        Pair(
            first=a,
            second=b,
            n=seeds,
            difference=0.0012 * (i - j),
            low=0.0012 * (i - j) - 0.0004,
            high=0.0012 * (i - j) + 0.0004,
            a12=0.5 + 0.04 * (i - j) / 2,
            p=0.003,
            holm_p=0.04,
            test="wilcoxon",
        )
        for i, a in enumerate(labels)
        for j, b in enumerate(labels)
        if i < j and seeds > 1
    ]
    counts = np.arange(1, 2001)
    values: dict[str, Any] = {
        "name": name,
        "source": f"table:{name}@3f7a9c2d41be",
        "kind": "table",
        "space": "nb201",
        "dataset": "CIFAR-10",
        "device": "GeForce GTX 1080 Ti",
        "axis": "GPU-days",
        "epochs": 200,
        "budget": "10gpu-days",
        "workers": 1,
        "charging": {"repeat": "free", "isomorph": "full", "failed": "what it cost", "final": "not charged"},
        "cluster": {},
        "scored_by": "valid_error",
        "score_note": "Scored by validation error averaged over replicates: this table has no test error.",
        "citation": "Dong & Yang 2020, https://openreview.net/forum?id=HJxyZkBKDr",
        "licence": "MIT",
        "grids": {axis: [float(v) for v in grid] for axis, grid in grids.items()},
        "reference": Reference(
            optimum_error=OPTIMUM,
            optimum_architecture="|nor_conv_3x3~0|+...",
            architectures=15625,
            mean_seconds=1410.0,
            replicate_std=0.0021,
            random=RandomExpectation(
                evaluations=[int(c) for c in counts],
                days=[float(c) * 0.0163 for c in counts],
                error=[float(v) for v in OPTIMUM + 0.11 * counts**-0.52],
            ),
        ),
        "target_error": 0.06,
        "target_note": "The target is the mean score of random-search at half the budget (6.00 %).",
        "entries": entries,
        "pairs": pairs,
        "warnings": ["hyperband: 3 trials failed and cost their time."],
        "verdicts": [
            "bananas ends with the lowest error, 5.71 %; local-search is not separated from it.",
            "6 of 8 strategies end below random search.",
        ],
    }
    values.update(changes)
    return Panel(**values)


def build_leaderboard(panels: list[Panel] | None = None, **changes: Any) -> Leaderboard:
    values: dict[str, Any] = {
        "title": "Strategies on NAS-Bench-201",
        "suite": {"seeds": 30, "budget": "10gpu-days", "sources": ["nb201-cifar10"]},
        "nasbench_version": "0.1.0",
        "records_hash": "9b" * 32,
        "bootstrap": {"resamples": 10000, "seed": 0, "confidence": 0.95},
        "panels": [build_panel()] if panels is None else panels,
        "published": [
            Published(
                method="AmoebaNet-A",
                error_percent=3.34,
                error_std_percent=0.06,
                gpu_days=3150,
                parameters_millions=3.2,
                reference="Real 2019",
                note="CIFAR-10, cutout; a different space and recipe",
            ),
            Published(
                method="ENAS",
                error_percent=2.89,
                error_std_percent=None,
                gpu_days=None,
                parameters_millions=4.6,
                reference="Pham 2018",
                note="",
            ),
        ],
        "checklist": [
            ChecklistItem(item="Random search is a baseline", answer="yes", evidence="entry random-search"),
            ChecklistItem(item="Ablations", answer="author to answer", evidence=""),
        ],
    }
    values.update(changes)
    return Leaderboard(**values).with_id()


def without_results(entry: Entry) -> Entry:
    """The entry as it would be had every one of its runs failed."""

    def blank(curve: Curve | None) -> Curve | None:
        if curve is None:
            return None
        none: list[float | None] = [None] * len(curve.mean)
        return Curve(mean=none, low=none, high=none, median=none)

    curves = {
        axis: Curves(error=blank(c.error), regret=blank(c.regret), rank=blank(c.rank))  # type: ignore[arg-type]
        for axis, c in entry.curves.items()
    }
    final = Final(
        n=0,
        mean=None,
        low=None,
        high=None,
        std=None,
        median=None,
        best=None,
        regret=None,
        rank=None,
        architecture=None,
    )
    return entry.model_copy(
        update={
            "curves": curves,
            "final": final,
            "failures": [Failure(seed=s, reason="StrategyFault: no") for s in entry.seeds],
            "ends": {"failed": len(entry.seeds)},
            "evaluations": None,
            "distinct": None,
            "days": None,
            "to_target": None,
            "is_best": False,
            "not_separated": False,
        }
    )


@pytest.fixture
def make_panel() -> Callable[..., Panel]:
    return build_panel


@pytest.fixture
def make_leaderboard() -> Callable[..., Leaderboard]:
    return build_leaderboard


@pytest.fixture
def fail_entry() -> Callable[[Entry], Entry]:
    return without_results


@pytest.fixture(scope="session")
def page_leaderboard() -> Leaderboard:
    return build_leaderboard()


@pytest.fixture(scope="session")
def page(page_leaderboard: Leaderboard) -> str:
    from nasbench.reports.html import render_html

    return render_html(page_leaderboard)


@pytest.fixture
def relabel() -> Callable[[Panel, str], Panel]:
    """Gives the first entry of a panel another label."""

    def renamed(panel: Panel, label: str) -> Panel:
        first = panel.entries[0].model_copy(update={"label": label})
        return panel.model_copy(update={"entries": [first, *panel.entries[1:]], "pairs": []})

    return renamed
