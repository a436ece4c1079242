"""Data sets that can be trained on, by name. A new one is a file here and a line in ``DATASETS``."""

from __future__ import annotations

from collections.abc import Callable

from nasbench.errors import UnknownName
from nasbench.training.data.images import ImageData, Split

__all__ = ["DATASETS", "ImageData", "Split", "get_data"]


def _digits(split_seed: int) -> ImageData:
    from nasbench.training.data.digits import load_digits

    return load_digits(split_seed=split_seed)


DATASETS: dict[str, Callable[[int], ImageData]] = {
    "digits": _digits,
}


def get_data(name: str, *, split_seed: int = 0) -> ImageData:
    """Load a data set, on the CPU.

    Args:
        name: Name of the data set.
        split_seed: Seed of its split, for data sets without a published one.

    Raises:
        UnknownName: No such data set; the message lists the near ones.
        MissingExtra: The package that carries it is absent.
    """
    key = name.strip().lower().replace("_", "-")
    if key not in DATASETS:
        raise UnknownName.among("data set", name, DATASETS)
    return DATASETS[key](split_seed)
