"""The recipes that come with the program, by name: a new one is an entry of ``RECIPES``."""

from __future__ import annotations

from dataclasses import replace

from nasbench.errors import UnknownName
from nasbench.training.recipe import Recipe

_H1 = Recipe(
    epochs=200,
    batch_size=256,
    learning_rate=0.1,
    momentum=0.9,
    nesterov=True,
    weight_decay=5e-4,
    schedule="cosine",
    channels=16,
    cells_per_stage=5,
    stages=3,
    augmentation="flip-crop",
    crop_padding=4,
)

# NATS-Bench, size space: 90 epochs, and 1 or 12 with a cosine of their own (AutoDL-Projects,
# configs/nas-benchmark/hyper-opts/01E, 12E and 90E). The architecture gives the channels; ``channels``
# is not read. That images are flipped and cropped as for the topology space is inferred.
_SIZE = replace(_H1, epochs=90, cells_per_stage=1, space="nats-size")
_NB101 = Recipe(
    epochs=108,
    batch_size=256,
    learning_rate=0.2,
    optimizer="rmsprop",
    momentum=0.9,
    nesterov=False,
    smoothing=0.9,
    epsilon=1.0,
    weight_decay=1e-4,
    schedule="cosine",
    channels=128,
    cells_per_stage=3,
    stages=3,
    augmentation="flip-crop",
    crop_padding=4,
    train_images=40_000,
    space="nb101",
)
_DIGITS_NB101 = Recipe(
    epochs=12,
    batch_size=50,
    learning_rate=0.05,
    momentum=0.9,
    nesterov=True,
    weight_decay=1e-4,
    schedule="cosine",
    channels=16,
    cells_per_stage=1,
    stages=2,
    augmentation="none",
    train_images=200,
    space="nb101",
)

RECIPES: dict[str, Recipe] = {
    # One stage, so that the cell and not the skeleton decides: on the digits 1 % to 90 % error, in 0.2 s to
    # 2 s a training on one core of a 2023 server CPU.
    "digits-small": Recipe(
        epochs=12,
        batch_size=64,
        learning_rate=0.1,
        momentum=0.9,
        nesterov=True,
        weight_decay=5e-4,
        schedule="cosine",
        channels=8,
        cells_per_stage=2,
        stages=1,
        augmentation="none",
    ),
    # The recipe of the table digits-nb201, chosen by a pilot over random cells (docs/pilot-digits.md).
    "digits-nb201": Recipe(
        epochs=20,
        batch_size=50,
        learning_rate=0.2,
        momentum=0.9,
        nesterov=True,
        weight_decay=5e-4,
        schedule="cosine",
        channels=8,
        cells_per_stage=1,
        stages=1,
        augmentation="none",
        train_images=200,
    ),
    # The recipe of the table fashion-nb201, on fashion-mnist-14, chosen by a pilot (docs/pilot-fashion.md).
    "fashion-nb201": Recipe(
        epochs=12,
        batch_size=64,
        learning_rate=0.2,
        momentum=0.9,
        nesterov=True,
        weight_decay=5e-4,
        schedule="cosine",
        channels=8,
        cells_per_stage=1,
        stages=1,
        augmentation="none",
        train_images=2000,
    ),
    # Five cells: normal, reduction, normal, reduction, normal. The low learning rate leaves trainings short
    # of their end, so that cells differ by how fast they learn. Pilot on the digits, 12 random pairs of
    # cells with two seeds each: errors 0.15 to 0.38, 0.03 apart between seeds, rank correlation of the
    # seeds 0.87; at rate 0.1 it was 0.31, the median error being 0.10. 4.3 CPU seconds a training (3.3 to
    # 6.3) on one core of a busy server.
    "digits-darts": Recipe(
        epochs=12,
        batch_size=50,
        learning_rate=0.02,
        momentum=0.9,
        nesterov=True,
        weight_decay=5e-4,
        schedule="cosine",
        channels=8,
        cells_per_stage=1,
        stages=3,
        augmentation="none",
        train_images=200,
        space="darts",
    ),
    # Skeletons of their spaces made small enough that a training on the digits takes 0.3 to 3 CPU seconds on
    # one core of a busy server (5 to 12 random architectures each, two seeds); chosen for that, not for how
    # well they tell architectures apart.
    "digits-chain-skip-6": Recipe(
        epochs=12,
        batch_size=50,
        learning_rate=0.02,
        channels=6,
        cells_per_stage=1,
        stages=1,
        train_images=200,
        space="chain-skip-6",
    ),
    "digits-hierarchical": Recipe(
        epochs=12,
        batch_size=50,
        learning_rate=0.1,
        channels=4,
        cells_per_stage=1,
        stages=1,
        train_images=200,
        space="hierarchical",
    ),
    "digits-nasnet": Recipe(
        epochs=12,
        batch_size=50,
        learning_rate=0.1,
        channels=4,
        cells_per_stage=1,
        stages=2,
        train_images=200,
        space="nasnet",
    ),
    "digits-nb-macro": Recipe(
        epochs=12,
        batch_size=50,
        learning_rate=0.05,
        channels=4,
        cells_per_stage=1,
        stages=4,
        train_images=200,
        space="nb-macro",
    ),
    "digits-transnas-macro": Recipe(
        epochs=12,
        batch_size=50,
        learning_rate=0.05,
        channels=8,
        cells_per_stage=1,
        stages=1,
        train_images=200,
        space="transnas-macro",
    ),
    "digits-transnas-micro": Recipe(
        epochs=12,
        batch_size=50,
        learning_rate=0.05,
        channels=4,
        cells_per_stage=1,
        stages=4,
        train_images=200,
        space="transnas-micro",
    ),
    # As digits-darts, a low learning rate keeps the widths apart. Pilot on the digits, 8 random architectures
    # with two seeds each: errors 0.05 to 0.19, 0.012 apart between seeds, rank correlation of the seeds 0.92;
    # at rate 0.1 it was 0.33. 9 CPU seconds a training on one core of a busy server.
    "digits-nats-size": Recipe(
        epochs=12,
        batch_size=50,
        learning_rate=0.02,
        momentum=0.9,
        nesterov=True,
        weight_decay=5e-4,
        schedule="cosine",
        channels=8,
        cells_per_stage=1,
        stages=3,
        augmentation="none",
        train_images=200,
        space="nats-size",
    ),
    "nats-size-1": replace(_SIZE, epochs=1),
    "nats-size-12": replace(_SIZE, epochs=12),
    "nats-size-90": _SIZE,
    "nats-size-1-imagenet16": replace(_SIZE, epochs=1, crop_padding=2),
    "nats-size-12-imagenet16": replace(_SIZE, epochs=12, crop_padding=2),
    "nats-size-90-imagenet16": replace(_SIZE, crop_padding=2),
    # Two cells on 8 x 8 and 4 x 4 pixels, narrow enough to train in a second.
    "digits-nb101": _DIGITS_NB101,
    "digits-nb1shot1-1": replace(_DIGITS_NB101, space="nb1shot1-1"),
    "digits-nb1shot1-2": replace(_DIGITS_NB101, space="nb1shot1-2"),
    "digits-nb1shot1-3": replace(_DIGITS_NB101, space="nb1shot1-3"),
    # Ying et al. 2019, one schedule for each training length. torch's RMSprop adds epsilon to the root, the
    # authors' under it, and the cosine here moves once an epoch.
    "nb101-published": _NB101,
    "nb101-published-36": replace(_NB101, epochs=36),
    "nb101-published-12": replace(_NB101, epochs=12),
    "nb101-published-4": replace(_NB101, epochs=4),
    # Dong and Yang 2020, hyperparameter set H (NATS-Bench's "200"); ImageNet16-120 is cropped with padding 2.
    "nb201-h1": _H1,
    "nb201-h1-imagenet16": replace(_H1, crop_padding=2),
    # The same with a cosine of its own over 12 epochs (NATS-Bench's "12").
    "nb201-h0": replace(_H1, epochs=12),
    "nb201-h0-imagenet16": replace(_H1, epochs=12, crop_padding=2),
}


def get_recipe(name: str) -> Recipe:
    """Return the recipe of this name.

    Raises:
        UnknownName: No such recipe; the message lists the near ones.
    """
    key = name.strip().lower().replace("_", "-")
    if key not in RECIPES:
        raise UnknownName.among("recipe", name, RECIPES, hint="List them with: nasbench list recipes")
    return RECIPES[key]
