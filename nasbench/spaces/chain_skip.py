"""Chains of convolutions with skip connections, the space of NAS-RL (Zoph and Le 2017, section 3.3).

A network has a fixed number of layers, each a convolution with a height, a width and a number of filters
(with strides if asked for), and an anchor for each earlier layer that says whether this one is fed by it.
What the anchors leave open is mended as in the paper: a layer that nothing feeds takes the image, and all
layers that feed nothing are put side by side for the classifier. So every combination is a network.

A code lists layer by layer its anchors, first to last, then its convolution. The paper prints no notation;
ours is ``3x5-24,3x3-36@1,7x7-48@1+2``: height x width - filters @ the layers that feed it, counted from 1
(``3x5-s2x1-24`` with strides).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, NotInSpace
from nasbench.records import Code, Codes
from nasbench.spaces.drawing import Edge, Graph
from nasbench.spaces.product import ProductSpace
from nasbench.spaces.space import Decision

SIDES = (1, 3, 5, 7)
STRIDES = (1, 2, 3)
FILTERS = (24, 36, 48, 64)
_DEEPEST = 20  # layers; canonical forms of deeper chains could take for ever
_LAYER = re.compile(
    r"(?P<height>\d+)x(?P<width>\d+)(?:-s(?P<down>\d+)x(?P<right>\d+))?-(?P<filters>\d+)"
    r"(?:@(?P<sources>\d+(?:\+\d+)*))?"
)


@dataclass(frozen=True, slots=True)
class Layer:
    """One convolution of a chain.

    Attributes:
        sources: The layers that feed it, counted from 0, increasing; none for the image.
        kernel: Height and width of its filters, pixels.
        stride: Steps down and to the right, pixels.
        filters: Their number.
    """

    sources: tuple[int, ...]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    filters: int


class ChainSkipSpace(ProductSpace):
    """All chains of one depth: 64^n 2^(n (n - 1) / 2) codes for n layers, 576^n of them with strides.

    ``canonical`` maps a code to the lexicographically first code of its class, in which the layers stand in
    another order that feeds the same layers.

    Args:
        depth: Layers, 1 to 20.
        strides: Whether strides are decided too; else they are 1.

    Raises:
        BadOption: No such depth.
    """

    encodings: tuple[str, ...] = ("onehot", "adjacency")

    def __init__(self, depth: int, *, strides: bool = False) -> None:
        if type(depth) is not int or not 1 <= depth <= _DEEPEST:
            raise BadOption(f"depth: expected a whole number of layers, 1 to {_DEEPEST}, got {depth!r}.")
        self.depth = depth
        self._choices: dict[str, tuple[int, ...]] = {"height": SIDES, "width": SIDES}
        if strides:
            self._choices |= {"stride down": STRIDES, "stride right": STRIDES}
        self._choices["filters"] = FILTERS
        decisions: list[Decision] = []
        self.anchors: dict[int, tuple[int, int]] = {}
        """Index of each anchor decision -> (source layer, target layer), counted from 0."""
        self._starts: list[int] = []
        for layer in range(depth):
            self._starts.append(len(decisions))
            for source in range(layer):
                self.anchors[len(decisions)] = (source, layer)
                decisions.append(Decision(f"layer {layer + 1} from {source + 1}", ("no", "yes")))
            decisions += [
                Decision(f"layer {layer + 1} {name}", tuple(map(str, values)))
                for name, values in self._choices.items()
            ]
        super().__init__(f"chain-skip-{depth}" + "-strides" * strides, decisions)

    def layers(self, code: Sequence[int]) -> tuple[Layer, ...]:
        """List the layers of an architecture, the first one first.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        values = self.check(code)
        found = []
        for layer, start in enumerate(self._starts):
            anchors = values[start : start + layer]
            chosen = values[start + layer : start + layer + len(self._choices)]
            size = {name: self._choices[name][v] for name, v in zip(self._choices, chosen, strict=True)}
            found.append(
                Layer(
                    tuple(source for source, feeds in enumerate(anchors) if feeds),
                    (size["height"], size["width"]),
                    (size.get("stride down", 1), size.get("stride right", 1)),
                    size["filters"],
                )
            )
        return tuple(found)

    def canonical(self, codes: npt.ArrayLike) -> Codes:
        """Map (n, L) codes to the first code of their class, one after another."""
        array = self._array(codes)
        firsts = [self._first(tuple(row)) for row in array.tolist()]
        return np.array(firsts, dtype=np.int8).reshape(array.shape)

    def _first(self, code: Code) -> Code:
        """Place layer after layer so that the code so far is the least possible.

        A layer can be placed when all that feed it are. Where several give the same code so far, each is
        followed up, except for one of two that feed and are fed by the same layers.
        """
        sources, own = [], []
        for layer, start in enumerate(self._starts):
            sources.append({s for s in range(layer) if code[start + s]})
            own.append(code[start + layer : start + layer + len(self._choices)])
        targets = [{t for t in range(self.depth) if s in sources[t]} for s in range(self.depth)]
        orders: list[tuple[int, ...]] = [()]
        first: Code = ()
        for _ in range(self.depth):
            best: Code | None = None
            followed: list[tuple[int, ...]] = []
            for order in orders:
                kept: list[int] = []
                for layer in range(self.depth):
                    if layer in order or not sources[layer] <= set(order):
                        continue
                    part = (*(int(s in sources[layer]) for s in order), *own[layer])
                    if best is None or part < best:
                        best, followed, kept = part, [], []
                    if part == best and all(targets[layer] != targets[other] for other in kept):
                        kept.append(layer)
                        followed.append((*order, layer))
            assert best is not None
            first, orders = (*first, *best), followed
        return first

    def encode(self, codes: npt.ArrayLike, kind: str) -> npt.NDArray[np.float32]:
        """Encode (n, L) codes.

        Args:
            codes: (n, L) codes.
            kind: ``"onehot"``: indicators of the choice a decision. ``"adjacency"`` (n, d^2 + 3 d) for d
                layers, 5 d in place of 3 d with strides: the matrix of anchors, row = layer fed, column =
                layer that feeds it, flattened; then of each layer the index of its height, width, strides and
                filters.

        Raises:
            BadOption: No such encoding.
        """
        array = self._array(codes)
        if kind != "adjacency":
            return super().encode(array, kind)
        matrix = np.zeros((len(array), self.depth, self.depth), dtype=np.float32)
        for i, (source, target) in self.anchors.items():
            matrix[:, target, source] = array[:, i]
        own = [i for i in range(len(self.decisions)) if i not in self.anchors]
        return np.concatenate(
            [matrix.reshape(len(array), -1), array[:, own].astype(np.float32)], axis=1, dtype=np.float32
        )

    def drawing(self, code: Sequence[int]) -> tuple[Graph, ...]:
        """Draw the layers with all that feeds them, what the anchors leave open mended.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        layers = self.layers(code)
        names = []
        for number, layer in enumerate(layers, start=1):
            stride = f", stride {layer.stride[0]}x{layer.stride[1]}" if layer.stride != (1, 1) else ""
            size = f"{layer.kernel[0]}x{layer.kernel[1]}"
            names.append(f"layer {number}: {layer.filters} filters {size}{stride}")
        edges = [
            Edge(source, target)
            for target, layer in enumerate(layers, start=1)
            for source in ([s + 1 for s in layer.sources] or [0])
        ]
        fed = {edge.source for edge in edges}
        last = self.depth + 1
        edges += [Edge(layer, last) for layer in range(1, last) if layer not in fed]
        return (Graph("network", ("image", *names, "classifier"), tuple(edges)),)

    def parse(self, text: str) -> Code:
        """Read ``3x5-24,3x3-36@1,...``, or the choices separated by ``:``.

        Raises:
            NotInSpace: Not of that form; the message names the layer and the rule.
        """
        text = text.strip()
        if ":" in text:
            return super().parse(text)
        parts = text.split(",")
        if len(parts) != self.depth:
            raise NotInSpace(
                f"architecture: expected {self.depth} layers joined by ',' such as 3x5-24 or 3x3-36@1, "
                f"got {len(parts)} in {text!r}."
            )
        values: list[int] = []
        for layer, part in enumerate(parts):
            values += self._read_layer(layer, part.strip())
        return tuple(values)

    def _read_layer(self, layer: int, text: str) -> list[int]:
        """Read the anchors and the convolution of one layer."""
        match = _LAYER.fullmatch(text)
        has_strides = "stride down" in self._choices
        if match is None or (match["down"] is not None) != has_strides:
            form = "3x5-s2x1-24" if has_strides else "3x5-24"
            raise NotInSpace(
                f"architecture: layer {layer + 1}: expected HEIGHTxWIDTH-FILTERS such as {form}, with @1+2 "
                f"behind it where layers 1 and 2 feed it, got {text!r}."
            )
        sources = [int(number) for number in (match["sources"] or "").split("+") if number]
        if len(set(sources)) < len(sources) or any(not 1 <= source <= layer for source in sources):
            raise NotInSpace(
                f"architecture: layer {layer + 1}: expected different earlier layers behind @, got {text!r}."
            )
        sizes = [int(value) for value in match.group("height", "width", "down", "right", "filters") if value]
        values = [int(source + 1 in sources) for source in range(layer)]
        for size, (name, choices) in zip(sizes, self._choices.items(), strict=True):
            if size not in choices:
                raise NotInSpace(
                    f"architecture: layer {layer + 1}: {name} is one of {', '.join(map(str, choices))}, "
                    f"got {size}."
                )
            values.append(choices.index(size))
        return values

    def format(self, code: Sequence[int]) -> str:
        """Write ``3x5-24,3x3-36@1,...``."""
        has_strides = "stride down" in self._choices
        parts = []
        for layer in self.layers(code):
            stride = f"-s{layer.stride[0]}x{layer.stride[1]}" if has_strides else ""
            sources = "+".join(str(source + 1) for source in layer.sources)
            text = f"{layer.kernel[0]}x{layer.kernel[1]}{stride}-{layer.filters}"
            parts.append(f"{text}@{sources}" if sources else text)
        return ",".join(parts)
