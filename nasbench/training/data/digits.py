"""Scikit-learn's digits: 1,797 grey 8 x 8 images of the ten digits, without a download.

They are the test part of the UCI set "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998)
and come with scikit-learn. They have no published split; ours is drawn from a seed of the recipe.
"""

from __future__ import annotations

from nasbench.errors import MissingExtra
from nasbench.seeds import generator
from nasbench.training import require_torch
from nasbench.training.data.images import ImageData, Split

VALID_IMAGES = 400
TEST_IMAGES = 400


def load_digits(*, split_seed: int) -> ImageData:
    """Load the digits: 997 images to train on, 400 for validation, 400 for test.

    Pixels are shifted and scaled by the mean and standard deviation of the training part.

    Args:
        split_seed: Seed of the permutation that is cut into the three parts.

    Raises:
        MissingExtra: torch or scikit-learn is absent.
    """
    require_torch("The digits data set")
    import torch

    try:
        from sklearn.datasets import load_digits as read_digits
    except ImportError as error:
        raise MissingExtra.of("torch", "scikit-learn", "The digits data set") from error

    bunch = read_digits()
    images = torch.tensor(bunch.images, dtype=torch.float32).unsqueeze(1)  # (1797, 1, 8, 8)
    labels = torch.tensor(bunch.target, dtype=torch.int64)
    order = torch.from_numpy(generator(split_seed, "digits", "split").permutation(len(labels)))
    valid, test, train = order.split([VALID_IMAGES, TEST_IMAGES, len(labels) - VALID_IMAGES - TEST_IMAGES])
    images = (images - images[train].mean()) / images[train].std()
    return ImageData(
        "digits",
        10,
        train=Split(images[train], labels[train]),
        valid=Split(images[valid], labels[valid]),
        test=Split(images[test], labels[test]),
    )
