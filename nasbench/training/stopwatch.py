"""Seconds of training on a device, without what happens between the measured stretches."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class Stopwatch:
    """Adds up the wall-clock seconds of every ``with`` block, also of one that ends in an error.

    A GPU works behind the program's back; the watch waits for it at both ends of a block.

    Args:
        device: The device whose work is measured.

    Attributes:
        seconds: Total so far.
    """

    def __init__(self, device: torch.device) -> None:
        self.seconds = 0.0
        self._device = device
        self._started = 0.0

    def _wait(self) -> None:
        if self._device.type == "cuda":
            import torch

            torch.cuda.synchronize(self._device)

    def __enter__(self) -> Stopwatch:
        self._wait()
        self._started = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._wait()
        finally:
            self.seconds += time.perf_counter() - self._started
