"""The NAS-Bench-Macro space (Su et al. 2021): which block stands in each of eight layers.

A layer is one of three blocks: identity, or an inverted residual that widens three times around a 3x3
convolution, or six times around a 5x5 one. Layers form stages of two, three and three; the first of a stage
halves the image and doubles the channels, so that ``identity`` is a 1x1 convolution there. A code lists the
blocks from the image to the head, and is written as the authors write it: eight digits.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotInSpace
from nasbench.records import Code, Codes
from nasbench.spaces.drawing import Graph, chain
from nasbench.spaces.product import ProductSpace
from nasbench.spaces.space import Decision

BLOCKS = ("identity", "mb3_k3", "mb6_k5")
STAGES = (2, 3, 3)
"""Layers of each stage."""
LAYERS = sum(STAGES)
_IDENTITY = 0


class NBMacroSpace(ProductSpace):
    """All 6,561 networks; the published table keeps one row a code, though fewer networks differ.

    ``canonical`` maps a code to the lexicographically first code of its class, of which there are 3,969: an
    identity behind the first layer of its stage does nothing, so it may stand anywhere behind it.
    """

    def __init__(self) -> None:
        super().__init__("nb-macro", [Decision(f"layer {i}", BLOCKS) for i in range(LAYERS)])

    def canonical(self, codes: npt.ArrayLike) -> Codes:
        """Map (n, 8) codes to the first code of their class: identities come first behind a first layer."""
        return self.unrank(_first_of_class()[self.rank(codes)])

    def drawing(self, code: Sequence[int]) -> tuple[Graph, ...]:
        """Draw the layers in a row; an arrow down marks those that halve the image.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        firsts = {sum(STAGES[:stage]) for stage in range(len(STAGES))}
        layers = [BLOCKS[v] + " ↓2" * (i in firsts) for i, v in enumerate(self.check(code))]
        return (chain("network", ["image", *layers, "classifier"]),)

    def parse(self, text: str) -> Code:
        """Read eight digits such as ``22212220``, or the blocks' names separated by ``:``.

        Raises:
            NotInSpace: Not of that form.
        """
        text = text.strip()
        if ":" in text:
            return super().parse(text)
        if re.fullmatch(r"[0-9]+", text) is None:
            raise NotInSpace(
                f"architecture: expected {LAYERS} digits of 0 to {len(BLOCKS) - 1}, such as 22212220, "
                f"got {text!r}."
            )
        return self.check([int(digit) for digit in text])

    def format(self, code: Sequence[int]) -> str:
        """Write eight digits, one a layer."""
        return "".join(map(str, self.check(code)))


@functools.cache
def _first_of_class() -> npt.NDArray[np.int64]:
    """Number for each code, in lexicographic order, the first code of its class; (6561,)."""
    codes = np.array(list(itertools.product(range(len(BLOCKS)), repeat=LAYERS)), dtype=np.int64)
    start = 0
    for layers in STAGES:
        behind = codes[:, start + 1 : start + layers]
        order = np.argsort(behind != _IDENTITY, axis=1, kind="stable")
        codes[:, start + 1 : start + layers] = np.take_along_axis(behind, order, axis=1)
        start += layers
    first: npt.NDArray[np.int64] = codes @ len(BLOCKS) ** np.arange(LAYERS - 1, -1, -1)
    first.setflags(write=False)
    return first
