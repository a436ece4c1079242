"""Options with which strategies think less, or begin to think earlier; what they do is the same."""

from __future__ import annotations

from nasbench.strategies.loading import load_strategy

_QUICK = {
    "baker-stop": {"draws": 2, "startup": 12},
    "bananas": {"members": 2, "epochs": 10},
    "bender-one-shot": {"epochs": 2, "samples": 20, "rounds": 5},
    "blockqnn": {"replay": 8},
    "darts-pt": {"epochs": 3, "tune_epochs": 1},
    "domhan-stop": {"families": ["ilog2"], "walkers": 4, "steps": 2, "burn_in": 1},
    "enas": {"epochs": 4, "controller_steps": 1, "batch": 3, "candidates": 3},
    "gp": {"candidates": 10},
    "hierarchical-evolution": {"scrambling": 5},
    "metaqnn": {"replay": 8},
    "nas-rl": {"batch": 10},
    "nasbot": {"rounds": 1, "startup": 12},
    "nasnet-ppo": {"batch": 10, "passes": 1},
    "progressive-dynamic-hurdles": {"population": 12, "sample": 3, "children": 4},
    "random-search-ws": {"epochs": 8, "samples": 4, "last_samples": 8},
    "smac": {"candidates": 20, "trees": 2, "startup": 12},
    "spos": {"epochs": 2, "population": 8, "select": 3, "generations": 6},
}


def quick_options(name):
    """Give what a registered strategy is constructed with where a test minds its face, not its judgement."""
    if load_strategy(name).card.family == "differentiable":
        return {"epochs": 3} | _QUICK.get(name, {})
    return _QUICK.get(name, {})
