"""The macro space of TransNAS-Bench-101 (Duan et al. 2021): where a ResNet halves and widens.

A network is four to six modules of two residual blocks. The first block of a module keeps its shape (1),
doubles the channels (2), halves the image (3), or does both (4); a network halves one to four times and
doubles one to three times. It is written as the authors write it, ``64-1234-basic``: channels of the stem,
the modules, and the kind of block. A code has one value a module, padded by 0 (``absent``).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np

from nasbench.errors import NotInSpace
from nasbench.records import Code
from nasbench.spaces.drawing import Graph, chain
from nasbench.spaces.listed import ListedSpace
from nasbench.spaces.space import Decision

MODULES = ("absent", "normal", "channels_x2", "resolution_half", "channels_x2_resolution_half")
DOUBLES, HALVES = frozenset({2, 4}), frozenset({3, 4})
"""The modules that double the channels, and those that halve the image."""
_SHORTEST, _LONGEST = 4, 6
_MOST_DOUBLINGS, _MOST_HALVINGS = 3, 4
_TEXT = re.compile(r"(?:64-)?(?P<modules>[0-9]+)(?:-basic)?")


class TransNASMacroSpace(ListedSpace):
    """All 3,256 networks; no two of them are the same."""

    def __init__(self) -> None:
        codes = np.array(list(itertools.product(range(len(MODULES)), repeat=_LONGEST)))
        is_there = codes > 0
        doubled, halved = (np.isin(codes, list(kind)).sum(axis=1) for kind in (DOUBLES, HALVES))
        inside = (
            is_there[:, :_SHORTEST].all(axis=1)
            & (is_there[:, :-1] >= is_there[:, 1:]).all(axis=1)
            & (doubled >= 1)
            & (doubled <= _MOST_DOUBLINGS)
            & (halved >= 1)
            & (halved <= _MOST_HALVINGS)
        )
        super().__init__(
            "transnas-macro",
            [Decision(f"module {i + 1}", MODULES) for i in range(_LONGEST)],
            codes[inside],
            rule=f"{_SHORTEST} to {_LONGEST} modules that double the channels 1 to {_MOST_DOUBLINGS} "
            f"times and halve the image 1 to {_MOST_HALVINGS} times",
        )

    def drawing(self, code: Sequence[int]) -> tuple[Graph, ...]:
        """Draw the modules in a row.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        modules = [MODULES[value] for value in self.check(code) if value]
        return (chain("network", ["image", *modules, "classifier"]),)

    def parse(self, text: str) -> Code:
        """Read ``64-1234-basic``, or the digits alone.

        Raises:
            NotInSpace: Not of that form; the message names the rule.
        """
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise NotInSpace(
                "architecture: expected 64-MODULES-basic with a digit of 1 to 4 for each module, such as "
                f"64-1234-basic, got {text!r}."
            )
        digits = match["modules"]
        if not _SHORTEST <= len(digits) <= _LONGEST or "0" in digits:
            raise NotInSpace(
                f"architecture: expected {_SHORTEST} to {_LONGEST} modules, each a digit of 1 to 4, "
                f"got {digits!r}."
            )
        return self.check([int(digit) for digit in digits.ljust(_LONGEST, "0")])

    def format(self, code: Sequence[int]) -> str:
        """Write ``64-1234-basic``."""
        return f"64-{''.join(str(value) for value in self.check(code) if value)}-basic"
