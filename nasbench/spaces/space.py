"""The view that every strategy has of every space: an ordered list of categorical decisions.

A code is the index of the choice taken at each decision. Moves exist twice: over arrays of codes
(n, L), and one code at a time as a tuple for the loops that make millions of scalar moves; both
follow the same law. A space knows the shapes of networks and never a result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from nasbench.records import Code, Codes

Draw = Callable[[], float]
"""Draws one uniform in [0, 1); see ``nasbench.seeds.uniforms``."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One categorical choice.

    Attributes:
        name: What is decided, e.g. ``"0->1"``.
        choices: The names of the choices; a code holds an index into them.
    """

    name: str
    choices: tuple[str, ...]


@runtime_checkable
class Space(Protocol):
    """A set of architectures with its moves.

    A space whose published mutation changes several decisions at once says so by
    ``mutates_by_neighbours = False``; all others mutate to one of their ``neighbours``. A space whose
    encoding ``"graph"`` has other operations than its first decision names them in ``graph_operations``. One
    that knows how many networks its codes come to has ``networks``.
    """

    name: str
    decisions: tuple[Decision, ...]
    size: int | None
    merges_isomorphs: bool
    encodings: tuple[str, ...]

    def contains(self, codes: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Say for each of (n, L) codes whether it is an architecture of this space; (n,)."""
        ...

    def check(self, code: Sequence[int]) -> Code:
        """Return the code as a tuple of ints, or raise NotInSpace naming the rule it breaks."""
        ...

    def canonical(self, codes: npt.ArrayLike) -> Codes:
        """Map (n, L) codes to one representative code a class of equal networks."""
        ...

    def sample(self, n: int, *, rng: np.random.Generator) -> Codes:
        """Draw n codes, (n, L)."""
        ...

    def mutate(self, codes: npt.ArrayLike, *, rng: np.random.Generator) -> Codes:
        """Change each of (n, L) codes, by one elementary move unless said; never returns the same code."""
        ...

    def crossover(self, a: npt.ArrayLike, b: npt.ArrayLike, *, rng: np.random.Generator) -> Codes:
        """Mix two (n, L) arrays of codes decision by decision."""
        ...

    def neighbours(self, code: Sequence[int]) -> Codes:
        """List every code one elementary move away, (m, L)."""
        ...

    def allowed(self, prefix: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Say which values the next decision may take after ``prefix``; (choices,)."""
        ...

    def encode(self, codes: npt.ArrayLike, kind: str) -> npt.NDArray[np.float32]:
        """Turn (n, L) codes into numbers for a model, (n, ...)."""
        ...

    def parse(self, text: str) -> Code:
        """Read the field's own notation."""
        ...

    def format(self, code: Sequence[int]) -> str:
        """Write the field's own notation."""
        ...

    def rank(self, codes: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Number (n, L) codes in lexicographic order, (n,)."""
        ...

    def enumerate(self, block: int = ...) -> Iterator[Codes]:
        """Yield every code once, in lexicographic order, in blocks."""
        ...

    def sample_one(self, draw: Draw) -> Code:
        """Draw one code."""
        ...

    def mutate_one(self, code: Code, draw: Draw) -> Code:
        """Change one code, as ``mutate``."""
        ...

    def crossover_one(self, a: Code, b: Code, draw: Draw) -> Code:
        """Mix two codes."""
        ...

    def rank_one(self, code: Code) -> int:
        """Number one code in lexicographic order."""
        ...
