"""Networks that can be trained, by the name of their space: a new one is a file here and a line below."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nasbench.errors import BadOption, UnknownName
from nasbench.records import Code
from nasbench.spaces import get_space
from nasbench.spaces.nb1shot1 import NB1Shot1Space
from nasbench.training.recipe import Recipe

if TYPE_CHECKING:
    import torch

__all__ = ["NETWORKS", "build_network"]


def _nats_size(code: Code, recipe: Recipe, image_channels: int, classes: int) -> torch.nn.Module:
    from nasbench.training.networks.nats_size import nats_size_network

    _require(recipe, "nats-size", stages=3, cells_per_stage=1)
    return nats_size_network(code, image_channels=image_channels, classes=classes)


def _nb201(code: Code, recipe: Recipe, image_channels: int, classes: int) -> torch.nn.Module:
    from nasbench.training.networks.nb201 import nb201_network

    return nb201_network(
        code,
        channels=recipe.channels,
        cells_per_stage=recipe.cells_per_stage,
        stages=recipe.stages,
        image_channels=image_channels,
        classes=classes,
    )


def _nb101(code: Code, recipe: Recipe, image_channels: int, classes: int) -> torch.nn.Module:
    from nasbench.training.networks.nb101 import nb101_network

    return nb101_network(
        code,
        channels=recipe.channels,
        cells_per_stage=recipe.cells_per_stage,
        stages=recipe.stages,
        image_channels=image_channels,
        classes=classes,
    )


def _nb1shot1(code: Code, recipe: Recipe, image_channels: int, classes: int) -> torch.nn.Module:
    space = get_space(recipe.space)
    assert isinstance(space, NB1Shot1Space)
    return _nb101(tuple(space.to_nb101([code])[0].tolist()), recipe, image_channels, classes)


def _darts(code: Code, recipe: Recipe, image_channels: int, classes: int) -> torch.nn.Module:
    from nasbench.training.networks.darts import darts_network

    return darts_network(
        code,
        channels=recipe.channels,
        cells_per_stage=recipe.cells_per_stage,
        stages=recipe.stages,
        image_channels=image_channels,
        classes=classes,
    )


def _nasnet(code: Code, recipe: Recipe, image_channels: int, classes: int) -> torch.nn.Module:
    from nasbench.spaces.nasnet import NASNetSpace
    from nasbench.training.networks.nasnet import nasnet_network

    return nasnet_network(
        NASNetSpace().cells(code),
        channels=recipe.channels,
        cells_per_stage=recipe.cells_per_stage,
        stages=recipe.stages,
        image_channels=image_channels,
        classes=classes,
    )


def _nb_macro(code: Code, recipe: Recipe, image_channels: int, classes: int) -> torch.nn.Module:
    from nasbench.training.networks.nb_macro import nb_macro_network

    _require(recipe, "nb-macro", stages=4, cells_per_stage=1)
    return nb_macro_network(code, channels=recipe.channels, image_channels=image_channels, classes=classes)


def _transnas_macro(code: Code, recipe: Recipe, image_channels: int, classes: int) -> torch.nn.Module:
    from nasbench.training.networks.transnas import transnas_macro_network

    _require(recipe, "transnas-macro", stages=1)  # the architecture says where the image is halved
    return transnas_macro_network(
        code,
        channels=recipe.channels,
        blocks=recipe.cells_per_stage,
        image_channels=image_channels,
        classes=classes,
    )


def _transnas_micro(code: Code, recipe: Recipe, image_channels: int, classes: int) -> torch.nn.Module:
    from nasbench.training.networks.transnas import transnas_micro_network

    _require(recipe, "transnas-micro", stages=4)
    return transnas_micro_network(
        code,
        channels=recipe.channels,
        cells=recipe.cells_per_stage,
        image_channels=image_channels,
        classes=classes,
    )


def _require(recipe: Recipe, space: str, **fixed: int) -> None:
    """Require the numbers of a skeleton that a space itself fixes."""
    for name, wanted in fixed.items():
        if getattr(recipe, name) != wanted:
            raise BadOption(
                f"{name}: the networks of space {space} have {wanted}, got {getattr(recipe, name)}. "
                f"Take a recipe with {name}={wanted}."
            )


def _hierarchical(code: Code, recipe: Recipe, image_channels: int, classes: int) -> torch.nn.Module:
    from nasbench.spaces.hierarchical import HierarchicalSpace
    from nasbench.training.networks.hierarchical import hierarchical_network

    motifs, cell = HierarchicalSpace().motifs(code)
    return hierarchical_network(
        motifs,
        cell,
        channels=recipe.channels,
        cells_per_stage=recipe.cells_per_stage,
        stages=recipe.stages,
        image_channels=image_channels,
        classes=classes,
    )


def _chain_skip_6(code: Code, recipe: Recipe, image_channels: int, classes: int) -> torch.nn.Module:
    from nasbench.spaces.chain_skip import ChainSkipSpace
    from nasbench.training.networks.chain_skip import chain_skip_network

    _require(recipe, "chain-skip-6", stages=1, cells_per_stage=1)
    return chain_skip_network(
        ChainSkipSpace(6).layers(code),
        channels=recipe.channels,
        image_channels=image_channels,
        classes=classes,
    )


NETWORKS: dict[str, Callable[[Code, Recipe, int, int], torch.nn.Module]] = {
    "chain-skip-6": _chain_skip_6,
    "darts": _darts,
    "hierarchical": _hierarchical,
    "nasnet": _nasnet,
    "nb-macro": _nb_macro,
    "nats-size": _nats_size,
    "nb101": _nb101,
    "nb1shot1-1": _nb1shot1,
    "nb1shot1-2": _nb1shot1,
    "nb1shot1-3": _nb1shot1,
    "nb201": _nb201,
    "transnas-macro": _transnas_macro,
    "transnas-micro": _transnas_micro,
}


def build_network(
    space: str, code: Code, *, recipe: Recipe, image_shape: tuple[int, int, int], classes: int
) -> torch.nn.Module:
    """Build the network of an architecture on torch's meta device: shapes without numbers.

    ``weights.initialise`` gives it numbers. Building draws nothing and allocates nothing.

    Args:
        space: Name of the space.
        code: An architecture of that space.
        recipe: Gives channels, cells and stages.
        image_shape: (channels, height, width) of one image.
        classes: Number of classes.

    Raises:
        UnknownName: No network is known for the space.
        BadOption: The image is too small or cannot be halved between the stages, or the recipe has another
            skeleton than the space.
    """
    import torch

    if space not in NETWORKS:
        raise UnknownName.among("trainable space", space, NETWORKS)
    step = 2 ** (recipe.stages - 1)
    if any(side % step for side in image_shape[1:]):
        raise BadOption(
            f"stages: {recipe.stages} stages halve the image {recipe.stages - 1} times: expected sides that "
            f"are multiples of {step}, got {image_shape[1]}x{image_shape[2]}. Take a recipe of fewer stages."
        )
    with torch.device("meta"):
        return NETWORKS[space](code, recipe, image_shape[0], classes)
