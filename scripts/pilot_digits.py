"""The pilot that chose the recipe ``digits-nb201``: a few recipes, the same random cells, two seeds each.

A recipe fits a table if its answers are about the cell and not about the seed (rank correlation between two
seeds of the same cells at least 0.8), if cells differ (errors spread over at least 0.3), and if it is cheap.
Prints one row of a Markdown table for each recipe; ``docs/pilot-digits.md`` keeps what it printed.

    python scripts/pilot_digits.py --cells 40
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np
from scipy.stats import spearmanr

from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.training.data import get_data
from nasbench.training.recipe import Recipe
from nasbench.training.trainer import Training, train

BASE = Recipe(
    epochs=20, batch_size=50, learning_rate=0.1, channels=8, cells_per_stage=1, stages=1, train_images=200
)
CANDIDATES = {
    "n200 c8 e20 b50": BASE,
    "n200 c8 e20 b50 lr0.2": replace(BASE, learning_rate=0.2),
    "n200 c8 e20 b32": replace(BASE, batch_size=32),
    "n200 c8 e12 b32 lr0.2": replace(BASE, batch_size=32, epochs=12, learning_rate=0.2),
    "n150 c8 e16 b30 lr0.2": replace(BASE, batch_size=30, epochs=16, learning_rate=0.2, train_images=150),
    "n200 c4 e20 b32": replace(BASE, batch_size=32, channels=4),
    "n200 c4 e20 b32 lr0.2": replace(BASE, batch_size=32, channels=4, learning_rate=0.2),
}
COLUMNS = (
    "recipe",
    "Spearman of two seeds",
    "Spearman valid, test",
    "Spearman epoch n/4, n",
    "least error",
    "5th",
    "median",
    "95th percentile",
    "seed noise (mean abs. difference)",
    "failed",
    "CPU s a training with evaluation",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=40, help="random cells")
    parser.add_argument("--seed", type=int, default=0, help="draws the cells")
    parser.add_argument("--only", help="only the candidates whose name contains this")
    arguments = parser.parse_args()
    space = get_space("nb201")
    cells = space.sample(arguments.cells, rng=generator(arguments.seed, "pilot")).tolist()
    print("| " + " | ".join(COLUMNS) + " |")
    print("|---" * len(COLUMNS) + "|")
    for name, recipe in CANDIDATES.items():
        if arguments.only is None or arguments.only in name:
            print("| " + " | ".join([name, *judge(recipe, cells)]) + " |", flush=True)


def judge(recipe: Recipe, cells: list[list[int]]) -> list[str]:
    """Train every cell with two seeds; return the cells of a row."""
    space = get_space("nb201")
    data = get_data("digits", split_seed=recipe.split_seed, train_images=recipe.train_images)
    started = time.process_time()
    trainings = [
        [train(tuple(cell), space=space, recipe=recipe, data=data, seed=seed) for cell in cells]
        for seed in (0, 1)
    ]
    seconds = (time.process_time() - started) / (2 * len(cells))
    failed = sum(t.status != "ok" for pair in trainings for t in pair)
    both = [pair for pair in zip(*trainings, strict=True) if all(t.status == "ok" for t in pair)]
    valid = errors(both, "valid_error", recipe.epochs)
    last = valid.mean(axis=0)
    numbers = (
        spearman(valid[0], valid[1]),
        spearman(last, errors(both, "test_error", recipe.epochs).mean(axis=0)),
        spearman(errors(both, "valid_error", recipe.epochs // 4).mean(axis=0), last),
        valid.min(),
        *np.quantile(last, (0.05, 0.5, 0.95)),
        np.abs(valid[0] - valid[1]).mean(),
    )
    return [*(f"{number:.3f}" for number in numbers), str(failed), f"{seconds:.2f}"]


def errors(pairs: list[tuple[Training, Training]], curve: str, epochs: int) -> np.ndarray:
    """Return (2, cells) errors after so many epochs."""
    return np.array([[getattr(t, curve)[epochs - 1] for t in pair] for pair in pairs]).T


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    return float(spearmanr(a, b).statistic)


if __name__ == "__main__":
    main()
