"""Gradient-boosted trees grown leaf by leaf (Ke et al. 2017), one booster a target, fitted with LightGBM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nasbench.errors import MissingExtra
from nasbench.surrogates.inputs import Inputs
from nasbench.surrogates.members import Floats, seed_of
from nasbench.surrogates.members.tree_member import TreeMember
from nasbench.surrogates.trees import Tree, forest_of

_ROUNDS = 150
_LEAVES = 31
_DEPTH = 8


class LightBoosting(TreeMember):
    """Boosted trees, those of all targets in one forest."""

    @classmethod
    def fit(cls, inputs: Inputs, targets: Floats, *, rng: np.random.Generator) -> LightBoosting:
        """Fit on one thread; see ``Member.fit``.

        Raises:
            MissingExtra: lightgbm is absent.
        """
        try:
            import lightgbm
        except ImportError as error:
            raise MissingExtra.of("lightgbm", "lightgbm", "A surrogate of LightGBM's trees") from error
        settings = {
            "objective": "regression",
            "num_leaves": _LEAVES,
            "max_depth": _DEPTH,
            "learning_rate": 0.1,
            "min_data_in_leaf": 5,
            "boost_from_average": False,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
            "seed": seed_of(rng),
        }
        trees = []
        for k in range(targets.shape[1]):
            data = lightgbm.Dataset(
                inputs.flat.astype(np.float64), label=targets[:, k], params={"verbosity": -1}
            )
            booster = lightgbm.train(settings, data, _ROUNDS)
            for found in booster.dump_model()["tree_info"]:
                trees.append(_tree(found["tree_structure"], k, targets.shape[1]))
        return cls(forest_of(trees))


def _tree(root: Mapping[str, Any], target: int, targets: int) -> Tree:
    """Read one tree of LightGBM's dump: a feature not above its threshold (0 here) goes left."""
    nodes = list(_walk(root))
    place = {id(node): i for i, node in enumerate(nodes)}
    features = np.array([node.get("split_feature", 0) for node in nodes], dtype=np.int64)
    zero = np.array([place[id(n["left_child"])] if "left_child" in n else -1 for n in nodes], dtype=np.int64)
    one = np.array([place[id(n["right_child"])] if "right_child" in n else -1 for n in nodes], dtype=np.int64)
    values = np.zeros((len(nodes), targets))
    values[:, target] = [node.get("leaf_value", 0.0) for node in nodes]
    return Tree(features, zero, one, values)


def _walk(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    if "left_child" in node:
        yield from _walk(node["left_child"])
        yield from _walk(node["right_child"])
