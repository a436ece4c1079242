"""A forest of trees on bootstrapped rows (Breiman 2001), by scikit-learn, all targets in each leaf."""

from __future__ import annotations

import numpy as np

from nasbench.errors import MissingExtra
from nasbench.surrogates.inputs import Inputs
from nasbench.surrogates.members import Floats, seed_of
from nasbench.surrogates.members.tree_member import TreeMember
from nasbench.surrogates.trees import DEEPEST, Tree, forest_of

_TREES = 40


class RandomForest(TreeMember):
    """The forest; its leaf values are divided by the number of trees, so that they add up to the mean."""

    @classmethod
    def fit(cls, inputs: Inputs, targets: Floats, *, rng: np.random.Generator) -> RandomForest:
        """Fit on one thread; see ``Member.fit``.

        Raises:
            MissingExtra: scikit-learn is absent.
        """
        try:
            from sklearn.ensemble import RandomForestRegressor
        except ImportError as error:
            raise MissingExtra.of("surrogate", "scikit-learn", "A random forest") from error
        model = RandomForestRegressor(
            _TREES, max_depth=DEEPEST, max_features=0.5, n_jobs=1, random_state=seed_of(rng)
        )
        model.fit(inputs.flat, targets if targets.shape[1] > 1 else targets[:, 0])
        return cls(forest_of([_tree(one.tree_, targets.shape[1]) for one in model.estimators_]))


def _tree(tree: object, targets: int) -> Tree:
    """Read one tree of scikit-learn: a feature not above its threshold (0 here) goes left."""
    zero = np.asarray(tree.children_left, dtype=np.int64)  # type: ignore[attr-defined]
    one = np.asarray(tree.children_right, dtype=np.int64)  # type: ignore[attr-defined]
    features = np.asarray(tree.feature, dtype=np.int64)  # type: ignore[attr-defined]
    values = np.asarray(tree.value, dtype=np.float64)  # type: ignore[attr-defined]
    return Tree(features, zero, one, values.reshape(len(zero), targets) / _TREES)
