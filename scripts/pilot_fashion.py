"""Choose the recipe of the Fashion-MNIST table: is it hard enough that cells differ, and cheap enough?

Trains the same random cells with two seeds under each candidate recipe and prints, for each: the rank
correlation of the final validation errors between the two seeds, how the errors spread, and the processor
seconds of a training on one thread, evaluation after every epoch included. Needs torch and the
Fashion-MNIST files (docs/data-sets.md).

    python scripts/pilot_fashion.py --cells 24
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.training.recipe import Recipe

DATA = "fashion-mnist-14"
BASE = Recipe(
    epochs=12,
    batch_size=64,
    learning_rate=0.2,
    channels=8,
    cells_per_stage=1,
    stages=1,
    train_images=2000,
)
SLOWER = replace(BASE, learning_rate=0.1)
# 14 x 14 images can be halved once, so two stages are the most.
CANDIDATES = {
    "n2000 c8 e12 b64 lr0.2": BASE,
    "n2000 c8 e12 b64 lr0.1": SLOWER,
    "n2000 c8 e12 b64 lr0.1, two stages": replace(SLOWER, stages=2),
    "n1000 c4 e12 b64 lr0.1": replace(SLOWER, channels=4, train_images=1000),
    "n1000 c4 e12 b64 lr0.1, two cells": replace(SLOWER, channels=4, cells_per_stage=2, train_images=1000),
}


def train_cells(
    recipe: Recipe, codes: list[tuple[int, ...]], seeds: int
) -> Iterator[tuple[float, float, float]]:
    """Yield final validation error, final test error and processor seconds of each cell and seed in turn."""
    from nasbench.training.data import get_data
    from nasbench.training.trainer import train

    data = get_data(DATA, split_seed=recipe.split_seed, train_images=recipe.train_images)
    for code in codes:
        for seed in range(seeds):
            start = time.process_time()
            training = train(code, space=get_space("nb201"), recipe=recipe, data=data, seed=seed)
            seconds = time.process_time() - start
            errors = [curve[-1] for curve in (training.valid_error, training.test_error) if curve]
            if training.status != "ok":
                errors = [np.nan, np.nan]
            print(code, seed, *errors, f"{seconds:.2f} s", file=sys.stderr, flush=True)
            yield errors[0], errors[1], seconds


def main() -> None:
    from scipy.stats import spearmanr

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=24, help="random cells, distinct up to isomorphism")
    parser.add_argument("--seed", type=int, default=0, help="of the draw of the cells")
    parser.add_argument("--only", nargs="*", choices=CANDIDATES, default=list(CANDIDATES))
    chosen = parser.parse_args()

    space = get_space("nb201")
    drawn = space.canonical(space.sample(50 * chosen.cells, rng=generator(chosen.seed, "pilot")))
    codes = list(dict.fromkeys(tuple(map(int, code)) for code in drawn))[: chosen.cells]

    print(f"{len(codes)} cells, 2 seeds each, data set {DATA}\n")
    columns = (
        "recipe",
        "Spearman of two seeds",
        "Spearman valid, test",
        "least error",
        "5th",
        "median",
        "95th percentile",
        "seed noise (mean abs. difference)",
        "failed",
        "CPU s a training with evaluation",
        "slowest",
    )
    print(f"| {' | '.join(columns)} |\n|---{'|--:' * (len(columns) - 1)}|")
    for name in chosen.only:
        rows = np.array(list(train_cells(CANDIDATES[name], codes, seeds=2))).reshape(len(codes), 2, 3)
        whole = rows[np.isfinite(rows).all(axis=(1, 2))]
        valid, test = whole[..., 0], whole[..., 1]
        numbers = [
            spearmanr(valid[:, 0], valid[:, 1]).statistic,
            spearmanr(valid.mean(axis=1), test.mean(axis=1)).statistic,
            valid.mean(axis=1).min(),
            *np.quantile(valid.mean(axis=1), [0.05, 0.5, 0.95]),
            np.abs(valid[:, 0] - valid[:, 1]).mean(),
        ]
        seconds = rows[..., 2]
        print(
            f"| {name} | {' | '.join(f'{number:.3f}' for number in numbers)} | "
            f"{np.isnan(rows[..., 0]).sum()} | {seconds.mean():.2f} | {seconds.max():.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
