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
from collections.abc import Sequence
from itertools import accumulate, chain

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
        self._graphs = LayerGraphs(space)
        self._number: dict[tuple[object, ...], int] = {}  # refined label -> its number
        self._labels: dict[Code, list[list[int]]] = {}  # by round, one a layer
        self._squares: dict[Code, list[int]] = {}  # squared length of the counts up to each round

    def _refine(self, codes: Sequence[Code]) -> None:
        """Refine the labels of architectures, each once."""
        new = [code for code in dict.fromkeys(codes) if code not in self._labels]
        for code, graph in zip(new, self._graphs(new), strict=True):
            labels = [self._numbered(0, label) for label in graph.labels]
            rounds = [labels]
            for r in ROUNDS[1:]:
                labels = [
                    self._numbered(r, own, *sorted([labels[source] for source in sources]))
                    for own, sources in zip(labels, graph.inputs, strict=True)
                ]
                rounds.append(labels)
            self._labels[code] = rounds
            squares = [sum([n * n for n in Counter(labels).values()]) for labels in rounds]
            self._squares[code] = list(accumulate(squares))

    def _numbered(self, *label: object) -> int:
        return self._number.setdefault(label, len(self._number))

    def compare(self, a: Sequence[Code], b: Sequence[Code]) -> _Array:
        """Take the cosines of the counts up to each round, (rounds, n, m)."""
        self._refine([*a, *b])
        squares_a, squares_b = (np.array([self._squares[code] for code in codes]).T for codes in (a, b))
        cosines = np.zeros((len(ROUNDS), len(a), len(b)))
        product = np.zeros((len(a), len(b)))
        for r in range(len(ROUNDS)):
            in_a, in_b = ([self._labels[code][r] for code in codes] for codes in (a, b))
            in_both = sorted(set(chain.from_iterable(in_a)) & set(chain.from_iterable(in_b)))
            column = np.full(len(self._number), -1)
            column[in_both] = np.arange(len(in_both))
            product += _counts(in_a, column) @ _counts(in_b, column).T
            cosines[r] = product / np.sqrt(squares_a[r][:, None] * squares_b[r])
        return cosines

    def similarity(self, compared: _Array, shape: int) -> _Array:
        """Take the cosine after ``shape`` rounds."""
        kernel: _Array = compared[..., shape, :, :]
        return kernel


def _counts(labels: Sequence[Sequence[int]], column: npt.NDArray[np.int64]) -> _Array:
    """Count labels in their columns, (n, columns); those without a column, -1, are left out."""
    found = column[list(chain.from_iterable(labels))]
    row = np.repeat(np.arange(len(labels)), [len(one) for one in labels])
    n_columns = int(column.max()) + 1
    cells = (row * n_columns + found)[found >= 0]
    counts: _Array = np.bincount(cells, minlength=len(labels) * n_columns).astype(np.float64)
    return counts.reshape(len(labels), n_columns)
