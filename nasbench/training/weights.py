"""First weights of a network, drawn from a generator of their own.

The distributions are torch's defaults; only the source of randomness differs: ``torch.nn`` draws from the
global state, which nothing here touches.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def initialise(network: torch.nn.Module, *, generator: torch.Generator) -> torch.nn.Module:
    """Give a network built on the meta device its memory and its first weights, on the CPU.

    Convolutions and linear layers draw uniformly from +-1/sqrt(fan in), weights and biases alike (which is
    what ``kaiming_uniform_`` with a = sqrt(5) comes to); normalisation starts as the identity. The draws are
    made on the CPU, so every device starts from the same weights.

    Args:
        network: Network on torch's meta device; changed in place.
        generator: CPU generator.
    """
    import torch
    from torch import nn

    network.to_empty(device="cpu")
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                bound = 1.0 / math.sqrt(module.weight[0].numel())
                module.weight.uniform_(-bound, bound, generator=generator)
                if module.bias is not None:
                    module.bias.uniform_(-bound, bound, generator=generator)
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()
            else:
                own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
                assert not own, f"no rule for the first weights of {type(module).__name__}"
    return network
