"""Fixed splits: one seeded order of the images in which every stretch holds the classes in proportion."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption


def stratified_order(labels: npt.NDArray[np.int64], *, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Order images so that any stretch of the order holds the classes as the whole set does.

    Systematic sampling: the images of each class, shuffled, are spread evenly over [0, 1) from a random
    start. Of classes of one size any prefix holds the exact share of each, give or take less than two images;
    where sizes differ much it may be a little more. A smaller prefix is part of a larger one.

    Args:
        labels: (n,) class indices.
        rng: Draws the order.

    Returns:
        (n,) a permutation of 0 to n - 1.
    """
    places = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        places[members] = (rng.permutation(len(members)) + rng.random()) / len(members)
    return np.argsort(places, kind="stable")


def check_size(argument: str, images: int, *, available: int, reserved: int, classes: int) -> None:
    """Refuse a part that is too small to hold every class, or that leaves too little for the other parts.

    Args:
        argument: What the person set, for the message.
        images: Images asked for.
        available: Images there are.
        reserved: Images that other parts need.
        classes: Number of classes.

    Raises:
        BadOption: ``images`` is not in ``classes`` to ``available - reserved``.
    """
    if not classes <= images <= available - reserved:
        raise BadOption(
            f"{argument}: expected {classes:,} to {available - reserved:,} images, got {images:,}."
        )
