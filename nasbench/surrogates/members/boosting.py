"""Gradient-boosted trees with a vector in each leaf, one booster for all targets (Chen and Guestrin 2016).

Fitted with XGBoost, as in NAS-Bench-301 (Zela et al. 2022), whose best surrogate it was; smaller trees than
theirs, so that a prediction takes microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from nasbench.errors import FormatError, MissingExtra
from nasbench.surrogates.inputs import Inputs
from nasbench.surrogates.members import Floats, seed_of
from nasbench.surrogates.members.tree_member import TreeMember
from nasbench.surrogates.trees import Tree, forest_of

_ROUNDS = 100
_DEPTH = 5
_LEARNING_RATE = 0.15
_AGREEMENT = 1e-3  # in standard deviations: float32 sums in another order


class Boosting(TreeMember):
    """Boosted trees."""

    @classmethod
    def fit(cls, inputs: Inputs, targets: Floats, *, rng: np.random.Generator) -> Boosting:
        """Fit with XGBoost's histograms on one thread; see ``Member.fit``.

        Raises:
            MissingExtra: xgboost is absent.
            FormatError: This version of xgboost writes its trees in a way that is not read here.
        """
        try:
            import xgboost
        except ImportError as error:
            raise MissingExtra.of("surrogate", "xgboost", "A surrogate of boosted trees") from error
        matrix = xgboost.DMatrix(inputs.flat, label=targets, nthread=1)
        booster = xgboost.train(
            {
                "objective": "reg:squarederror",
                "tree_method": "hist",
                "multi_strategy": "multi_output_tree",
                "num_target": targets.shape[1],
                "base_score": 0.0,
                "max_depth": _DEPTH,
                "eta": _LEARNING_RATE,
                "subsample": 0.8,
                "min_child_weight": 2,
                "nthread": 1,
                "seed": seed_of(rng),
            },
            matrix,
            _ROUNDS,
        )
        model = json.loads(bytes(booster.save_raw("json")))
        found = model["learner"]["gradient_booster"]["model"]["trees"]
        forest = forest_of([_tree(tree, targets.shape[1]) for tree in found])
        few = slice(0, 100)
        theirs = booster.predict(matrix)[few].reshape(-1, targets.shape[1])
        if not np.allclose(forest.predict(inputs.flat[few]), theirs, atol=_AGREEMENT):
            raise FormatError(
                f"xgboost {xgboost.__version__}: expected its trees as versions 2 and 3 write them, "
                "got others. "
                "Use another model, such as random-forest, or another version."
            )
        return cls(forest)


def _tree(tree: Mapping[str, Any], targets: int) -> Tree:
    """Read one tree of XGBoost's JSON: a feature below its threshold (0 here) goes left."""
    zero = np.array(tree["left_children"], dtype=np.int64)
    one = np.array(tree["right_children"], dtype=np.int64)
    values = np.zeros((len(zero), targets))
    leaves = np.flatnonzero(zero < 0)
    if tree.get("leaf_weights"):  # since 3.2; a leaf's right child is its place among the leaves
        values[leaves] = np.array(tree["leaf_weights"]).reshape(-1, targets)[one[leaves]]
    else:
        values[leaves] = np.array(tree["base_weights"]).reshape(len(zero), targets)[leaves]
    return Tree(np.array(tree["split_indices"], dtype=np.int64), zero, one, values)
