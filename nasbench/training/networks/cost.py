"""What a network costs before it is trained: parameters and multiply-accumulates."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def count_parameters(network: torch.nn.Module) -> int:
    """Count trainable parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def count_macs(network: torch.nn.Module, image_shape: tuple[int, int, int]) -> int:
    """Count multiply-accumulates of one image: convolutions and linear layers without their biases.

    Normalisation, activation, pooling and sums are not counted. NAS-Bench-201's own counter does the same,
    but adds one for each bias of the last linear layer, that is for each class.

    Args:
        network: On any device; on torch's meta device nothing is computed.
        image_shape: (channels, height, width).
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    try:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(torch.zeros(1, *image_shape, device=device))
    finally:
        network.train(was_training)
    operations: int = counter.get_total_flops()
    return operations // 2  # torch counts a multiplication and an addition
