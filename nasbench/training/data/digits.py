"""Scikit-learn's digits: 1,797 grey 8 x 8 images of the ten digits, without a download.

They are the test part of the UCI set "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998)
and come with scikit-learn. They have no published split; ours is drawn from a seed of the recipe.
"""

from __future__ import annotations

import numpy as np

from nasbench.errors import MissingExtra
from nasbench.training import require_torch
from nasbench.training.data.images import ImageData
from nasbench.training.data.parts import split_whole
from nasbench.training.data.pixels import Pixels

TRAIN_IMAGES = 997


def load_digits(*, split_seed: int, train_images: int | None = None) -> ImageData:
    """Load the digits: some images to train on, the rest halved into validation and test, classes balanced.

    Pixels are shifted and scaled by the mean and standard deviation of the training part.

    Args:
        split_seed: Seed of the split.
        train_images: Images to train on; None takes 997, which leaves 400 for validation and 400 for test.

    Raises:
        BadOption: ``train_images`` is not in 10 to 1,777.
        MissingExtra: torch or scikit-learn is absent.
    """
    require_torch("The digits data set")
    try:
        from sklearn.datasets import load_digits as read_digits
    except ImportError as error:
        raise MissingExtra.of("torch", "scikit-learn", "The digits data set") from error

    bunch = read_digits()
    pixels = Pixels(bunch.images.astype(np.uint8)[:, np.newaxis], bunch.target.astype(np.int64))
    return split_whole(
        "digits",
        pixels,
        classes=10,
        split_seed=split_seed,
        train_images=TRAIN_IMAGES if train_images is None else train_images,
    )
