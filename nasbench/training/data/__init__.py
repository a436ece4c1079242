"""Data sets that can be trained on, by name. A new one is a file here and a line in ``DATASETS``."""

from __future__ import annotations

from collections.abc import Callable

from nasbench.errors import UnknownName
from nasbench.training.data.images import ImageData, Split

__all__ = ["DATASETS", "ImageData", "Split", "get_data"]


def _digits(split_seed: int, train_images: int | None) -> ImageData:
    from nasbench.training.data.digits import load_digits

    return load_digits(split_seed=split_seed, train_images=train_images)


DATASETS: dict[str, Callable[[int, int | None], ImageData]] = {
    "digits": _digits,
}


def get_data(name: str, *, split_seed: int = 0, train_images: int | None = None) -> ImageData:
    """Load a data set, on the CPU.

    Args:
        name: Name of the data set.
        split_seed: Seed of its split, for data sets without a published one.
        train_images: Images to train on; None takes the default of the data set. For one seed, those of a
            smaller number are among those of a larger.

    Raises:
        UnknownName: No such data set; the message lists the near ones.
        BadOption: ``train_images`` is out of the range of the data set.
        MissingExtra: The package that carries it is absent.
    """
    key = name.strip().lower().replace("_", "-")
    if key not in DATASETS:
        raise UnknownName.among("data set", name, DATASETS)
    return DATASETS[key](split_seed, train_images)
