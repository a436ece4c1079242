"""Random changes to a batch of training images, drawn from a generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasbench.training.recipe import Recipe

if TYPE_CHECKING:
    import torch


def augment(images: torch.Tensor, *, recipe: Recipe, generator: torch.Generator) -> torch.Tensor:
    """Change (b, c, h, w) images as the recipe says.

    ``"flip-crop"`` mirrors each image with chance one half, pads it with zeros and crops it back to its size
    at a random place. The draws are made on the CPU, so every device sees the same images.

    Args:
        images: (b, c, h, w) on any device.
        recipe: Gives ``augmentation`` and ``crop_padding``.
        generator: CPU generator.
    """
    if recipe.augmentation == "none":
        return images
    import torch

    batch, _, height, width = images.shape
    padding = recipe.crop_padding
    mirrored = (torch.rand(batch, generator=generator) < 0.5).to(images.device)
    corner = torch.randint(0, 2 * padding + 1, (batch, 2), generator=generator).to(images.device)
    images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    padded = torch.nn.functional.pad(images, (padding,) * 4)
    image = torch.arange(batch, device=images.device)[:, None, None]
    rows = (corner[:, :1] + torch.arange(height, device=images.device))[:, :, None]
    columns = (corner[:, 1:] + torch.arange(width, device=images.device))[:, None, :]
    return padded[image, :, rows, columns].permute(0, 3, 1, 2).contiguous()
