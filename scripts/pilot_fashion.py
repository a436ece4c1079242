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
BASE = Recipe(epochs=12, batch_size=64, learning_rate=0.1, channels=4, cells_per_stage=1, stages=1)
# (recipe, training images). 14 x 14 images can be halved once, so two stages are the most.
CANDIDATES: dict[str, tuple[Recipe, int]] = {
    "c4-n1-s1-1000": (BASE, 1000),
    "c8-n1-s1-1000": (replace(BASE, channels=8), 1000),
    "c4-n2-s1-1000": (replace(BASE, cells_per_stage=2), 1000),
    "c4-n1-s1-2000": (BASE, 2000),
    "c8-n1-s1-2000": (replace(BASE, channels=8), 2000),
    "c8-n1-s1-2000-e20": (replace(BASE, channels=8, epochs=20), 2000),
    "c16-n1-s1-1000-e20": (replace(BASE, channels=16, epochs=20), 1000),
    "c8-n1-s2-2000": (replace(BASE, channels=8, stages=2), 2000),
}


def train_cells(
    recipe: Recipe, images: int, codes: list[tuple[int, ...]], seeds: int
) -> Iterator[tuple[float, float]]:
    """Yield the final validation error and the processor seconds of each cell and seed in turn."""
    from nasbench.training.data import get_data
    from nasbench.training.trainer import train

    data = get_data(DATA, train_images=images)
    for code in codes:
        for seed in range(seeds):
            start = time.process_time()
            training = train(code, space=get_space("nb201"), recipe=recipe, data=data, seed=seed)
            seconds = time.process_time() - start
            print(code, seed, training.valid_error[-1:], f"{seconds:.2f} s", file=sys.stderr, flush=True)
            yield (training.valid_error[-1] if training.status == "ok" else np.nan), seconds


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
    print("| recipe | Spearman, seed to seed | 5th | median | 95th | range | s a training | slowest |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name in chosen.only:
        recipe, images = CANDIDATES[name]
        rows = np.array(list(train_cells(recipe, images, codes, seeds=2))).reshape(len(codes), 2, 2)
        errors, seconds = rows[..., 0], rows[..., 1]
        whole = errors[np.isfinite(errors).all(axis=1)]
        low, middle, high = np.quantile(whole, [0.05, 0.5, 0.95])
        print(
            f"| {name} | {spearmanr(whole[:, 0], whole[:, 1]).statistic:.3f} | {low:.3f} | {middle:.3f} | "
            f"{high:.3f} | {np.ptp(whole):.3f} | {np.mean(seconds):.2f} | {np.max(seconds):.2f} |"
            + (f" {np.isnan(errors).sum()} failed" if np.isnan(errors).any() else ""),
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
