"""From raw images to the three parts of a training: seeded, class-balanced, scaled, described in words."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from nasbench.seeds import generator
from nasbench.training import require_torch
from nasbench.training.data.images import ImageData, Split
from nasbench.training.data.pixels import Pixels, checksum
from nasbench.training.data.stratified import check_size, stratified_order

ValidFrom = Literal["train", "test"]


def split_whole(name: str, pixels: Pixels, *, classes: int, split_seed: int, train_images: int) -> ImageData:
    """Split a set without a published split: a training part, the rest halved into validation and test.

    Args:
        name: Of the data set.
        pixels: All its images.
        classes: Number of classes.
        split_seed: Seed of the split.
        train_images: Images to train on. For one seed, those of a smaller number are among those of a larger.

    Raises:
        BadOption: ``train_images`` leaves one of the parts fewer images than classes.
        MissingExtra: torch is absent.
    """
    check_size("train_images", train_images, available=len(pixels), reserved=2 * classes, classes=classes)
    order = stratified_order(pixels.labels, rng=generator(split_seed, name, "split"))
    middle = train_images + (len(pixels) - train_images + 1) // 2
    train, valid, test = np.split(order, [train_images, middle])
    origin = (len(pixels), f"images of {name}")
    return assemble(
        name,
        classes,
        train=pixels.take(train),
        valid=pixels.take(valid),
        test=pixels.take(test),
        origins={"train": origin, "valid": origin, "test": origin},
        split_seed=split_seed,
        sha256=checksum(pixels),
    )


def split_published(
    name: str,
    train: Pixels,
    test: Pixels,
    *,
    classes: int,
    split_seed: int,
    train_images: int | None = None,
    valid_images: int,
    test_images: int | None = None,
    valid_from: ValidFrom = "train",
    pool: int = 1,
) -> ImageData:
    """Split a set with a published training and test part; the validation part is cut from one of them.

    Args:
        name: Of the data set.
        train: The published training part.
        test: The published test part.
        classes: Number of classes.
        split_seed: Seed of the draws.
        train_images: Images to train on; None takes all that validation leaves.
        valid_images: Images of the validation part.
        test_images: Images of the test part; None takes all that validation leaves.
        valid_from: Which published part the validation images are cut from.
        pool: Average squares of so many pixels a side into one.

    Raises:
        BadOption: A part is smaller than the number of classes or larger than what there is.
        MissingExtra: torch is absent.
    """
    from_train, from_test = (valid_images, 0) if valid_from == "train" else (0, valid_images)
    n_train = len(train) - from_train if train_images is None else train_images
    n_test = len(test) - from_test if test_images is None else test_images
    check_size("train_images", n_train, available=len(train), reserved=from_train, classes=classes)
    check_size("test_images", n_test, available=len(test), reserved=from_test, classes=classes)
    source = train if valid_from == "train" else test
    check_size("valid_images", valid_images, available=len(source), reserved=classes, classes=classes)
    in_train = stratified_order(train.labels, rng=generator(split_seed, name, "split"))
    in_test = stratified_order(test.labels, rng=generator(split_seed, name, "split of test"))
    # Validation first: its images do not depend on how many are trained on.
    valid_index = (in_train if valid_from == "train" else in_test)[:valid_images]
    train_origin = (len(train), f"training images of {name}")
    test_origin = (len(test), f"test images of {name}")
    return assemble(
        name,
        classes,
        train=train.take(in_train[from_train : from_train + n_train]),
        valid=source.take(valid_index),
        test=test.take(in_test[from_test : from_test + n_test]),
        origins={
            "train": train_origin,
            "valid": train_origin if valid_from == "train" else test_origin,
            "test": test_origin,
        },
        split_seed=split_seed,
        sha256=checksum(train, test),
        pool=pool,
    )


def split_given(
    name: str,
    train: Pixels,
    valid: Pixels,
    test: Pixels,
    *,
    classes: int,
    split_seed: int,
    train_images: int | None = None,
) -> ImageData:
    """Take a set that comes in three parts as it is, but for the number of images that are trained on.

    Args:
        name: Of the data set.
        train: Images to train on, or to draw some of.
        valid: Images for validation.
        test: Images for test.
        classes: Number of classes.
        split_seed: Seed of the draw.
        train_images: Images to train on; None takes all.

    Raises:
        BadOption: ``train_images`` is smaller than the number of classes or larger than what there is.
        MissingExtra: torch is absent.
    """
    n_train = len(train) if train_images is None else train_images
    check_size("train_images", n_train, available=len(train), reserved=0, classes=classes)
    order = stratified_order(train.labels, rng=generator(split_seed, name, "split"))
    raw = {"train": train, "valid": valid, "test": test}
    return assemble(
        name,
        classes,
        train=train.take(order[:n_train]),
        valid=valid,
        test=test,
        origins={part: (len(pixels), f"{part} images of {name}") for part, pixels in raw.items()},
        split_seed=split_seed,
        sha256=checksum(train, valid, test),
    )


def assemble(
    name: str,
    classes: int,
    *,
    train: Pixels,
    valid: Pixels,
    test: Pixels,
    origins: dict[str, tuple[int, str]],
    split_seed: int,
    sha256: str,
    pool: int = 1,
) -> ImageData:
    """Scale three parts by the mean and standard deviation of each channel of the training part.

    Args:
        name: Of the data set.
        classes: Number of classes.
        train: Images to train on.
        valid: Images for validation.
        test: Images for test.
        origins: What the images of each part were drawn from, by part: how many, and what they are.
        split_seed: Seed of the split.
        sha256: Checksum of the raw images.
        pool: Average squares of so many pixels a side into one, before anything else.

    Raises:
        MissingExtra: torch is absent.
    """
    require_torch(f"The {name} data set")
    import torch

    raw = {"train": train, "valid": valid, "test": test}
    pixels = {part: pooled(images.images, pool) for part, images in raw.items()}
    # Sums in float64, one rounding to float32: the same numbers in whatever order a processor adds.
    channels = [pixels["train"][:, channel] for channel in range(pixels["train"].shape[1])]
    mean = np.array([channel.mean(dtype=np.float64) for channel in channels], np.float32)
    deviation = np.array([channel.std(dtype=np.float64) for channel in channels], np.float32)
    deviation[deviation == 0] = 1.0  # a channel of one value carries nothing

    def split(part: str) -> Split:
        scaled = (pixels[part] - mean[:, None, None]) / deviation[:, None, None]
        return Split(torch.from_numpy(scaled), torch.from_numpy(raw[part].labels.astype(np.int64)))

    described = {part: _in_words(len(images), *origins[part]) for part, images in raw.items()}
    height, width = pixels["train"].shape[2:]
    size = f"{height} x {width} pixels" + (f", averages of {pool} x {pool}" if pool > 1 else "")
    return ImageData(
        name,
        classes,
        train=split("train"),
        valid=split("valid"),
        test=split("test"),
        splits={
            **described,
            "images": f"{size}, scaled by mean and standard deviation of each channel of the training part",
            "split_seed": split_seed,
            "sha256": sha256,
        },
    )


def _in_words(drawn: int, available: int, what: str) -> str:
    if drawn == available:
        return f"all {available:,} {what}"
    return f"{drawn:,} of the {available:,} {what}, drawn at random in proportion to the classes"


def pooled(images: npt.NDArray[np.generic], pool: int) -> npt.NDArray[np.float32]:
    """Average squares of ``pool`` x ``pool`` pixels.

    Args:
        images: (n, channels, height, width); pixels past the last whole square are left out.
        pool: Side of a square; 1 changes nothing.

    Returns:
        (n, channels, height // pool, width // pool).
    """
    n, channels, height, width = images.shape
    rows, columns = height // pool, width // pool
    whole = images[:, :, : rows * pool, : columns * pool].astype(np.float32)
    if pool == 1:
        return whole
    squares: npt.NDArray[np.float32] = whole.reshape(n, channels, rows, pool, columns, pool).mean(
        axis=(3, 5), dtype=np.float32
    )
    return squares
