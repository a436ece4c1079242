"""Labelled images in three parts, whole in memory: what a training reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Split:
    """One part of a data set.

    Attributes:
        images: (n, channels, height, width) float32, normalised.
        labels: (n,) int64 class indices.
    """

    images: torch.Tensor
    labels: torch.Tensor

    def to(self, device: torch.device) -> Split:
        """Copy to a device; the same tensors where they are there already."""
        return Split(self.images.to(device), self.labels.to(device))

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class ImageData:
    """A data set for image classification.

    Attributes:
        name: As in ``DATASETS``.
        classes: Number of classes.
        train: What weights are trained on.
        valid: What strategies are told about.
        test: What only the report reads.
        splits: What the three parts hold, how they were drawn and the checksum of the images: plain values,
            for the ``splits`` of a table.
    """

    name: str
    classes: int
    train: Split
    valid: Split
    test: Split
    splits: Mapping[str, Any] = field(default_factory=dict)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of one image."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    def to(self, device: torch.device) -> ImageData:
        """Copy all parts to a device."""
        return replace(
            self, train=self.train.to(device), valid=self.valid.to(device), test=self.test.to(device)
        )
