"""Seconds of training on a device, without what happens between the measured stretches."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class Stopwatch:
    """Adds up the seconds of every ``with`` block, also of one that ends in an error.

    A GPU works behind the program's back; the watch waits for it at both ends of a block and reads the wall
    clock. On a CPU it reads the process's CPU time instead: training runs in one thread there, so that is
    what the training costs on an idle core, whatever else the machine is doing.

    Args:
        device: The device whose work is measured.

    Attributes:
        seconds: Total so far.
    """

    def __init__(self, device: torch.device) -> None:
        self.seconds = 0.0
        self._device = device
        self._started = 0.0

    def _now(self) -> float:
        return time.process_time() if self._device.type == "cpu" else time.perf_counter()

    def _wait(self) -> None:
        if self._device.type == "cuda":
            import torch

            torch.cuda.synchronize(self._device)

    def __enter__(self) -> Stopwatch:
        self._wait()
        self._started = self._now()
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
            self.seconds += self._now() - self._started
