"""Measured latency: how long a trained network takes for one image."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from nasbench.errors import BadOption
from nasbench.training.stopwatch import Stopwatch

if TYPE_CHECKING:
    import torch

WARM_UP_PASSES = 10


def measure_latency(
    network: torch.nn.Module, image_shape: tuple[int, int, int], *, device: torch.device, passes: int = 100
) -> float:
    """Measure the median seconds of one forward pass of one image, in float32.

    Batch size 1, evaluation mode, without gradients, after ten passes that do not count; one CPU thread if
    the caller has set one (``device.repeatable``). A pass on a GPU ends when the device has finished it.

    Args:
        network: On ``device``; its mode is restored.
        image_shape: (channels, height, width).
        device: Where the network is.
        passes: Passes that count, >= 1.

    Raises:
        BadOption: ``passes`` < 1.
    """
    if passes < 1:
        raise BadOption(f"passes: expected a whole number >= 1, got {passes}.")
    import torch

    image = torch.zeros(1, *image_shape, device=device)
    was_training = network.training
    network.eval()
    seconds = []
    try:
        with torch.inference_mode():
            for _ in range(WARM_UP_PASSES + passes):
                clock = Stopwatch(device)
                with clock:
                    network(image)
                seconds.append(clock.seconds)
    finally:
        network.train(was_training)
    return statistics.median(seconds[WARM_UP_PASSES:])
