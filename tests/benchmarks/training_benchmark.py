"""How fast a small network trains on one CPU thread, and whether packing several into one program pays.

Run on demand, on an idle machine; ``docs/training-speed.md`` keeps what it printed.

    python tests/benchmarks/training_benchmark.py [--recipe digits-nb201] [--packed 2,4,8]

Packed are K networks as one with K times the channels, grouped convolutions, one normalisation over all
channels and the sum of K losses. The most favourable case is K trainings of one cell that differ in their
seeds only, which keep one wide convolution a node; K different cells (``packed_networks``) must gather and
scatter.
Times are CPU seconds of one thread, the least of several interleaved rounds.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable

import torch
from packed_networks import pack
from torch import nn
from torch.nn import functional

from nasbench.seeds import generator
from nasbench.spaces import get_space
from nasbench.spaces.nb201 import EDGES, NODES, OPERATIONS
from nasbench.training.data import ImageData, get_data
from nasbench.training.epoch import measure, train_epoch
from nasbench.training.networks import build_network
from nasbench.training.networks.nb201 import KERNELS, Normalisation, average_3x3
from nasbench.training.recipe import Recipe
from nasbench.training.recipes import get_recipe
from nasbench.training.session import Session, start_session, torch_generator
from nasbench.training.stopwatch import Stopwatch

CPU = torch.device("cpu")
CELLS = {
    "six 3x3": (3, 3, 3, 3, 3, 3),
    "six 1x1": (2, 2, 2, 2, 2, 2),
    "mixed": (3, 2, 4, 1, 0, 3),
}
ROUNDS = 7


class PackedCell(nn.Module):
    """K cells of one code over packed channels (b, K c, h, w)."""

    def __init__(self, code: tuple[int, ...], packed: int, channels: int) -> None:
        super().__init__()
        self.packed, self.channels = packed, channels
        self.targets: list[dict[str, list[int]]] = [{} for _ in range(NODES)]
        for (source, target), value in zip(EDGES, code, strict=True):
            self.targets[source].setdefault(OPERATIONS[value], []).append(target)
        self.layers = nn.ModuleDict()
        for source, targets in enumerate(self.targets):
            for name, kernel in KERNELS.items():
                width = packed * channels * len(targets.get(name, []))
                if width:
                    self.layers[f"{source}_{name}"] = nn.Sequential(
                        nn.Conv2d(
                            packed * channels, width, kernel, padding=kernel // 2, groups=packed, bias=False
                        ),
                        Normalisation(width),
                    )

    def convolve(self, source: int, name: str, images: torch.Tensor) -> torch.Tensor:
        convolution, norm = self.layers[f"{source}_{name}"]
        if name == "nor_conv_3x3":
            return norm(convolution(images))
        batch, side = len(images), images.shape[2:]
        weight = convolution.weight.view(self.packed, -1, self.channels).repeat(batch, 1, 1)
        brought = torch.bmm(weight, images.reshape(batch * self.packed, self.channels, -1))
        return norm(brought.view(batch, -1, *side))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        nodes: list[torch.Tensor | None] = [images, None, None, None]

        def bring(target: int, term: torch.Tensor) -> None:
            before = nodes[target]
            nodes[target] = term if before is None else before + term

        for source, targets in enumerate(self.targets[:-1]):
            node = nodes[source]
            if node is None:
                node = nodes[source] = torch.zeros_like(images)
            positive = node.relu() if any(name in targets for name in KERNELS) else node
            for name in KERNELS:
                if name in targets:
                    wide = self.convolve(source, name, positive).unflatten(
                        1, (self.packed, len(targets[name]), self.channels)
                    )
                    for place, target in enumerate(targets[name]):
                        bring(target, wide[:, :, place].flatten(1, 2))
            for target in targets.get("avg_pool_3x3", []):
                bring(target, average_3x3(node))
            for target in targets.get("skip_connect", []):
                bring(target, node)
        output = nodes[-1]
        return torch.zeros_like(images) if output is None else output


class PackedNetwork(nn.Module):
    """K networks of one code; (b, K, h, w) grey images to (b, K, classes)."""

    def __init__(self, code: tuple[int, ...], packed: int, recipe: Recipe, classes: int) -> None:
        super().__init__()
        width = packed * recipe.channels
        self.packed = packed
        self.body = nn.Sequential(
            nn.Conv2d(packed, width, 3, padding=1, groups=packed, bias=False),
            Normalisation(width),
            *(PackedCell(code, packed, recipe.channels) for _ in range(recipe.cells_per_stage)),
            Normalisation(width),
            nn.ReLU(),
        )
        self.weight = nn.Parameter(torch.empty(packed, recipe.channels, classes))
        self.bias = nn.Parameter(torch.empty(packed, 1, classes))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.body(images).mean((2, 3)).view(len(images), self.packed, -1).transpose(0, 1)
        return torch.baddbmm(self.bias, features, self.weight).transpose(0, 1)


def packed_network(code: tuple[int, ...], packed: int, recipe: Recipe, classes: int) -> PackedNetwork:
    """Build and initialise; only the shapes matter to the clock."""
    network = PackedNetwork(code, packed, recipe, classes)
    draws = torch_generator(0, "packed")
    with torch.no_grad():
        for parameter in network.parameters():
            bound = 1.0 / math.sqrt(max(parameter[0].numel(), 1))
            if parameter.dim() > 1:
                parameter.uniform_(-bound, bound, generator=draws)
    return network


def packed_epoch(
    network: PackedNetwork,
    optimizer: torch.optim.Optimizer,
    data: ImageData,
    recipe: Recipe,
    draws: torch.Generator,
) -> None:
    """Train all K networks for an epoch, each in an order of its own."""
    network.train()
    order = torch.stack([torch.randperm(len(data.train), generator=draws) for _ in range(network.packed)], 1)
    for batch in order.split(recipe.batch_size):
        images, labels = data.train.images[batch].flatten(1, 2), data.train.labels[batch]
        loss = functional.cross_entropy(network(images).flatten(0, 1), labels.flatten()) * network.packed
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


def packed_measure(network: PackedNetwork, data: ImageData) -> None:
    """Evaluate all K networks on validation and test, in batches as large in all as one network's."""
    network.eval()
    with torch.inference_mode():
        for part in (data.valid, data.test):
            for images in part.images.split(max(200 // network.packed, 25)):
                network(images.expand(-1, network.packed, -1, -1)).argmax(dim=2)


def separate(code: tuple[int, ...], recipe: Recipe, data: ImageData) -> Session:
    network = build_network("nb201", code, recipe=recipe, image_shape=data.image_shape, classes=data.classes)
    return start_session(network, recipe=recipe, seed=0, device=CPU, clock=Stopwatch(CPU))


def interleaved(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Time each work in turn, several rounds; return the least CPU seconds of each."""
    least = dict.fromkeys(works, math.inf)
    for _ in range(ROUNDS + 1):
        for name, work in works.items():
            started = time.process_time()
            work()
            least[name] = min(least[name], time.process_time() - started)
    return least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="digits-nb201")
    parser.add_argument("--packed", default="2,4,8", help="sizes of packs")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    recipe = get_recipe(arguments.recipe)
    data = get_data("digits", split_seed=recipe.split_seed, train_images=recipe.train_images)
    sizes = [int(size) for size in arguments.packed.split(",")]
    print(
        "| cell | what | separate, ms an epoch and network | " + " | ".join(f"K = {k}" for k in sizes) + " |"
    )
    print("|---" * (3 + len(sizes)) + "|")
    space = get_space("nb201")
    different(space.sample(max(sizes), rng=generator(0, "benchmark")).tolist(), sizes, recipe, data)
    for name, code in CELLS.items():
        session = separate(space.check(code), recipe, data)
        train_works = {"1": lambda s=session: train_epoch(s, data.train, recipe)}
        eval_works = {
            "1": lambda s=session: [measure(s.network, part, recipe) for part in (data.valid, data.test)]
        }
        for k in sizes:
            network = packed_network(code, k, recipe, data.classes)
            optimizer = torch.optim.SGD(
                network.parameters(),
                lr=1e-3,
                momentum=0.9,
                nesterov=True,
                weight_decay=5e-4,
                fused=True,
            )
            draws = torch_generator(0, "order")
            train_works[str(k)] = lambda n=network, o=optimizer, d=draws: packed_epoch(n, o, data, recipe, d)
            eval_works[str(k)] = lambda n=network: packed_measure(n, data)
        for what, works in (("training", train_works), ("evaluation", eval_works)):
            least = interleaved(works)
            ratios = [f"{least['1'] * k / least[str(k)]:.2f}x" for k in sizes]
            row(f"{name}, K seeds", what, least["1"], ratios)


def different(cells: list[list[int]], sizes: list[int], recipe: Recipe, data: ImageData) -> None:
    """Compare K different cells packed with the same cells one after another."""
    ratios: dict[str, list[str]] = {"training": [], "evaluation": []}
    single = {}
    for k in sizes:
        sessions = [separate(tuple(cell), recipe, data) for cell in cells[:k]]
        network = pack([session.network for session in sessions])
        network.packed = k
        agree(sessions, network, data, recipe)
        optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, nesterov=True, fused=True)
        draws = torch_generator(0, "order")
        least = interleaved(
            {
                "training, separate": lambda s=sessions: [train_epoch(x, data.train, recipe) for x in s],
                "training": lambda n=network, o=optimizer, d=draws: packed_epoch(n, o, data, recipe, d),
                "evaluation, separate": lambda s=sessions: [
                    measure(x.network, part, recipe) for x in s for part in (data.valid, data.test)
                ],
                "evaluation": lambda n=network: packed_measure(n, data),
            }
        )
        for what, column in ratios.items():
            column.append(f"{least[what + ', separate'] / least[what]:.2f}x")
            single[what] = least[what + ", separate"] / k
    for what, column in ratios.items():
        row("K random cells", what, single[what], column)


def agree(sessions: list[Session], network: nn.Module, data: ImageData, recipe: Recipe) -> None:
    """Make sure that packed and separate networks compute the same, within rounding."""
    images = data.train.images[: recipe.batch_size]
    alone = torch.stack([session.network.train()(images) for session in sessions], dim=1)
    packed = network.train()(images.repeat(1, len(sessions), 1, 1))
    torch.testing.assert_close(packed, alone, rtol=1e-4, atol=1e-5)


def row(name: str, what: str, seconds: float, ratios: list[str]) -> None:
    print(f"| {name} | {what} | {seconds * 1e3:.1f} | " + " | ".join(ratios) + " |", flush=True)


if __name__ == "__main__":
    main()
