"""Data sets that can be trained on, by name or path. A new one is a reader here and a line in ``DATASETS``.

Nothing is ever downloaded: files are looked for in the folders that ``NASBENCH_DATASETS`` names and in two
well-known ones.
"""

from __future__ import annotations

from pathlib import Path

from nasbench.errors import BadOption, UnknownName
from nasbench.training.data.catalogue import DATASETS
from nasbench.training.data.images import ImageData, Split

__all__ = ["DATASETS", "ImageData", "Split", "get_data"]


def get_data(name: str, *, split_seed: int = 0, train_images: int | None = None) -> ImageData:
    """Load a data set, on the CPU.

    Args:
        name: Name of the data set, or ``NAME:PATH`` to say where its files are: ``cifar10:~/archives``,
            ``npz:images.npz``, ``idx:folder``.
        split_seed: Seed of its split, for data sets without a published one.
        train_images: Images to train on; None takes the default of the data set. For one seed, those of a
            smaller number are among those of a larger.

    Raises:
        UnknownName: No such data set; the message lists the near ones.
        BadOption: ``train_images`` is out of the range of the data set; or a path is given for a set that has
            none, or none for one that needs it.
        MissingExtra: The package or the files that carry it are absent; the message says what to put where.
        FormatError: A file is broken, foreign, or not the published one.
    """
    kind, colon, path = name.strip().partition(":")
    key = kind.lower().replace("_", "-")
    if key not in DATASETS:
        raise UnknownName.among("data set", kind, DATASETS)
    data_set = DATASETS[key]
    if data_set.needs_path and not path:
        raise BadOption(f"data: expected {key}:PATH, got {name!r}.")
    if colon and not data_set.takes_path:
        raise BadOption(f"data: {key} has no files to look for, got {name!r}. Leave the path out.")
    return data_set.load(split_seed, train_images, Path(path) if path else None)
