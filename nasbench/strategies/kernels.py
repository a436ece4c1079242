"""Kernels on architectures: how alike two of them are, 1 for equal ones.

* ``hamming``: exp(-share of decisions that differ / length), on every space.
* ``path``: exp(-paths that only one of the two has / length), on spaces that encode paths.
* ``wl``: the Weisfeiler-Lehman subtree kernel on layer graphs: a layer's label is refined h times by the
  labels of the layers that feed it, labels of all rounds are counted, and the counts of two networks compared
  by their cosine. The shape chosen is h.

Source: White, Neiswanger and Savani 2021 (path encoding); Shervashidze et al. 2011 (Weisfeiler-Lehman);
Ru et al. 2021, NAS-BOWL (on cells, with the marginal likelihood choosing h).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.records import Code
from nasbench.spaces import Space
from nasbench.strategies.gaussian_process import Kernel
from nasbench.strategies.layer_graph import LayerGraphs, has_graph

_Array = npt.NDArray[np.float64]

LENGTHS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Lengths to choose from, as a share of the largest distance possible; our choice."""
ROUNDS = (0, 1, 2, 3)
"""Rounds of refinement to choose from."""


def make_kernel(space: Space, name: str) -> Kernel:
    """Make a kernel by its name; ``"auto"`` is ``"wl"`` where the space has a graph, else ``"hamming"``.

    Raises:
        BadOption: No such kernel, or not on this space.
    """
    works = ["hamming"] + ["path"] * ("path" in space.encodings) + ["wl"] * has_graph(space)
    if name == "auto":
        name = "wl" if "wl" in works else "hamming"
    if name not in works:
        raise BadOption(
            f"kernel: space {space.name} has 'auto', {', '.join(map(repr, works))}, got {name!r}."
        )
    if name == "wl":
        return WeisfeilerLehmanKernel(space)
    return EncodingKernel(space, "onehot" if name == "hamming" else "path")


class EncodingKernel:
    """exp(-distance / length), with the distance between encodings of zeros and ones.

    Args:
        space: The space.
        encoding: Which of its encodings.
    """

    shapes = LENGTHS

    def __init__(self, space: Space, encoding: str) -> None:
        self._space = space
        self._encoding = encoding

    def compare(self, a: Sequence[Code], b: Sequence[Code]) -> _Array:
        """Count where the encodings differ, as a share of the ones that a code has at most; (n, m)."""
        first, second = (
            self._space.encode(np.array(codes), self._encoding).astype(np.float64) for codes in (a, b)
        )
        ones_a, ones_b = first.sum(axis=1), second.sum(axis=1)
        most = 2 * len(self._space.decisions)  # ones in two one-hot codes without a common choice
        distance: _Array = (ones_a[:, None] + ones_b - 2.0 * first @ second.T) / most
        return distance

    def similarity(self, compared: _Array, shape: float) -> _Array:
        """Let the distance decay."""
        kernel: _Array = np.exp(-compared / shape)
        return kernel


class WeisfeilerLehmanKernel:
    """Cosine of the counts of refined layer labels.

    Args:
        space: A space with a graph.
    """

    shapes = ROUNDS

    def __init__(self, space: Space) -> None:
        self._graph = LayerGraphs(space)
        self._number: dict[tuple[object, ...], int] = {}  # refined label -> column
        self._counts: dict[Code, list[Counter[int]]] = {}  # by round

    def _count(self, code: Code) -> list[Counter[int]]:
        """Count the labels of each round, once an architecture."""
        if code not in self._counts:
            graph = self._graph(code)
            labels = [self._column(0, label) for label in graph.labels]
            rounds = [Counter(labels)]
            for r in ROUNDS[1:]:
                labels = [
                    self._column(r, own, *sorted(labels[source] for source in sources))
                    for own, sources in zip(labels, graph.inputs, strict=True)
                ]
                rounds.append(Counter(labels))
            self._counts[code] = rounds
        return self._counts[code]

    def _column(self, *label: object) -> int:
        return self._number.setdefault(label, len(self._number))

    def compare(self, a: Sequence[Code], b: Sequence[Code]) -> _Array:
        """Take the cosines of the counts up to each round, (rounds, n, m)."""
        counted_a, counted_b = ([self._count(code) for code in codes] for codes in (a, b))
        cosines = np.zeros((len(ROUNDS), len(a), len(b)))
        product, norms_a, norms_b = np.zeros((len(a), len(b))), np.zeros(len(a)), np.zeros(len(b))
        for r in range(len(ROUNDS)):
            in_a, in_b = [rounds[r] for rounds in counted_a], [rounds[r] for rounds in counted_b]
            column = {label: i for i, label in enumerate(dict.fromkeys(chain.from_iterable(in_b)))}
            product += _dense(in_a, column) @ _dense(in_b, column).T
            norms_a += [sum(n * n for n in counts.values()) for counts in in_a]
            norms_b += [sum(n * n for n in counts.values()) for counts in in_b]
            cosines[r] = product / np.sqrt(norms_a[:, None] * norms_b)
        return cosines

    def similarity(self, compared: _Array, shape: int) -> _Array:
        """Take the cosine after ``shape`` rounds."""
        kernel: _Array = compared[..., shape, :, :]
        return kernel


def _dense(counted: list[Counter[int]], column: Mapping[int, int]) -> _Array:
    """Write counts as rows, (n, columns); labels without a column are left out."""
    out = np.zeros((len(counted), len(column)))
    for row, counts in zip(out, counted, strict=True):
        for label, n in counts.items():
            if label in column:
                row[column[label]] = n
    return out
