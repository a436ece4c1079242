"""The gradient of the validation loss after one virtual step of the weights: DARTS' second order.

With weights w, mixture a, learning rate xi and the weights after one step w' = w - xi (m b + g + d w), where
g is the gradient of the training loss, b the momentum buffer, m the momentum and d the weight decay:

    dL_valid(w', a)/da = d_a L_valid(w', a) - xi d_a d_w L_train(w, a) . d_w' L_valid(w', a)      Eq. 7

The product with the second derivatives is a difference of two gradients at w +- e d_w' L_valid, with
e = 0.01 / ||d_w' L_valid|| (Eq. 8), or exact by automatic differentiation through the step. Weights that the
training loss does not depend on take no step. No weight is changed in place.

Source: Liu et al. 2019, section 2.3; the momentum in the step is that of the authors' code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

Parameters = Mapping[str, torch.Tensor]
Loss = Callable[[Parameters, torch.Tensor], torch.Tensor]
"""From the weights of the network and the mixture's weights to a loss."""

_RADIUS = 0.01  # Liu et al. 2019, footnote to Eq. 8


def unrolled_gradient(
    training_loss: Loss,
    validation_loss: Loss,
    parameters: Parameters,
    mixture: torch.Tensor,
    *,
    buffers: Parameters,
    learning_rate: float,
    momentum: float,
    weight_decay: float,
    is_exact: bool = False,
) -> torch.Tensor:
    """Differentiate the validation loss after one virtual step with respect to the mixture.

    Args:
        training_loss: What the virtual step descends.
        validation_loss: What is differentiated.
        parameters: Weights of the network, by name.
        mixture: (E, O) weights of the operations.
        buffers: Momentum buffers of those parameters that have one.
        learning_rate: xi.
        momentum: m.
        weight_decay: d.
        is_exact: By automatic differentiation through the step instead of Eq. 8.

    Returns:
        (E, O).
    """
    at = mixture.detach().requires_grad_()
    w = {name: value.detach().requires_grad_() for name, value in parameters.items()}
    gradients = torch.autograd.grad(
        training_loss(w, at), list(w.values()), create_graph=is_exact, allow_unused=True
    )
    stepped = {}
    for (name, value), gradient in zip(w.items(), gradients, strict=True):
        step = torch.zeros_like(value)
        if gradient is not None:
            step = gradient + weight_decay * value
            if name in buffers:
                step = step + momentum * buffers[name]
        stepped[name] = value - learning_rate * step
    if is_exact:
        return _gradient(validation_loss(stepped, at), at)
    stepped = {name: value.detach().requires_grad_() for name, value in stepped.items()}
    first_order, *towards = torch.autograd.grad(
        validation_loss(stepped, at), [at, *stepped.values()], allow_unused=True
    )
    if first_order is None:
        first_order = torch.zeros_like(at)
    moved = {name: direction for name, direction in zip(w, towards, strict=True) if direction is not None}
    norm = torch.stack([direction.square().sum() for direction in moved.values()]).sum().sqrt()
    if not float(norm) > 0.0:
        return first_order
    radius = _RADIUS / float(norm)

    def beside(sign: float) -> torch.Tensor:
        there = {
            name: value.detach() + sign * radius * moved[name] if name in moved else value.detach()
            for name, value in w.items()
        }
        return _gradient(training_loss(there, at), at)

    return first_order - learning_rate * (beside(1.0) - beside(-1.0)) / (2.0 * radius)


def _gradient(loss: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """Differentiate a loss by the mixture; zero where it does not depend on it."""
    if not loss.requires_grad:
        return torch.zeros_like(at)
    found = torch.autograd.grad(loss, at, allow_unused=True)[0]
    return torch.zeros_like(at) if found is None else found.detach()
