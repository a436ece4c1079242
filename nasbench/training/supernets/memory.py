"""What a supernet takes: its weights, and what one step keeps for its gradients."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from nasbench.spaces.mixture import Mixture
from nasbench.training.supernets.supernet import Supernet


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a supernet.

    Attributes:
        parameters: Trainable parameters.
        weight_bytes: Their bytes; momentum takes as much again.
        activation_bytes: Bytes of the tensors that one loss of a mixture keeps for its gradients.
        peak_bytes: The most that tensors of this process took on the GPU; None on a CPU, which does not tell.
    """

    parameters: int
    weight_bytes: int
    activation_bytes: int
    peak_bytes: int | None


def measure_memory(supernet: Supernet, mixture: Mixture) -> Memory:
    """Measure what a supernet takes, by one loss on the next training minibatch and its gradients.

    The activations are counted as torch keeps them: each piece of memory once, however many tensors view it,
    the weights left out. Nothing that a later step depends on is changed.
    """
    kept: dict[int, int] = {}
    weights = list(supernet.network.parameters())
    mine = {weight.untyped_storage().data_ptr() for weight in weights}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in mine:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    there = replace(mixture, weights=mixture.weights.detach().requires_grad_())
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        supernet.evaluated("training", there)
    return Memory(
        parameters=supernet.parameters,
        weight_bytes=sum(weight.nbytes for weight in weights),
        activation_bytes=sum(kept.values()),
        peak_bytes=supernet.peak_memory_bytes,
    )
