"""Endless minibatches of one part of the images, and how the training images are halved for a search."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from nasbench.errors import BadOption
from nasbench.seeds import generator
from nasbench.training.data import ImageData, Split
from nasbench.training.data.stratified import stratified_order


def halved(data: ImageData, *, split_seed: int) -> tuple[Split, Split]:
    """Halve the training images: one half trains the weights, the other judges architectures.

    The halves are stratified by class and belong to the data set and its split seed, not to a run. Neither
    the validation nor the test images of the data are touched.

    Raises:
        BadOption: There are fewer than two training images.
    """
    train = data.train
    if len(train) < 2:
        raise BadOption(f"data: expected at least 2 training images to halve, got {len(train)}.")
    labels = train.labels.cpu().numpy().astype(np.int64)
    order = stratified_order(labels, rng=generator(split_seed, data.name, "supernet"))
    middle = (len(order) + 1) // 2
    first, second = (torch.from_numpy(half).to(train.labels.device) for half in np.split(order, [middle]))
    return (
        Split(train.images[first], train.labels[first]),
        Split(train.images[second], train.labels[second]),
    )


class Minibatches:
    """Goes through a split in random order, over and over; a pass leaves out what fills no minibatch.

    Args:
        split: The images.
        size: Images a minibatch; of a smaller split, all of it.
        order: CPU generator of the order.

    Attributes:
        a_pass: Minibatches of one pass.
    """

    def __init__(self, split: Split, *, size: int, order: torch.Generator) -> None:
        self._split = split
        self._size = min(size, len(split))
        self._order = order
        self._waiting: list[torch.Tensor] = []
        self.a_pass = len(split) // self._size

    def take(self) -> Split:
        """Return the next minibatch."""
        if not self._waiting:
            order = torch.randperm(len(self._split), generator=self._order)
            batches = order[: self.a_pass * self._size].split(self._size)
            self._waiting = list(reversed(batches))
        index = self._waiting.pop().to(self._split.labels.device)
        return Split(self._split.images[index], self._split.labels[index])

    def state(self) -> dict[str, Any]:
        """Return what ``restore`` needs to go on from here."""
        return {"order": self._order.get_state(), "waiting": list(self._waiting)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where ``state`` was taken."""
        self._order.set_state(state["order"])
        self._waiting = list(state["waiting"])
