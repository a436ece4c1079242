"""Every error this package raises on purpose.

Each class carries ``exit_code``, the status with which the command line ends when the error reaches
it: 1 failure, 2 usage, 3 verification mismatch, 4 missing extra or data, 5 some runs failed.
Wording: ``<argument>: expected <what> , got <value>. <next step>.``
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NasbenchError(Exception):
    """Root of all errors of this package; never raised itself."""

    exit_code = 1


class UnknownName(NasbenchError, LookupError):
    """No space, table, strategy, recipe or column has this name."""

    exit_code = 2

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str], *, hint: str = "") -> UnknownName:
        """Build the message: what was asked for, the near names, and how to see them all.

        Args:
            kind: What the name should have named, e.g. ``"strategy"``.
            name: What was given.
            known: Every name that would have been accepted.
            hint: A command or sentence that lists them; added at the end.
        """
        names = sorted(known)
        near = difflib.get_close_matches(name.lower().replace("_", "-"), names, n=3, cutoff=0.5)
        if near:
            guess = f" Did you mean {' or '.join(repr(n) for n in near)}?"
        elif len(names) <= 12:
            guess = f" Known: {', '.join(names) or 'none'}."
        else:
            guess = ""
        return cls(f"{kind}: no {kind} is named {name!r}.{guess}{' ' + hint if hint else ''}")


class BadOption(NasbenchError, ValueError):
    """An option or argument is of the wrong type or out of its range."""

    exit_code = 2


class NotInSpace(NasbenchError, ValueError):
    """An architecture does not belong to the space; the message names the rule it breaks."""

    exit_code = 2


class NotMeasured(NasbenchError, LookupError):
    """The source holds no such (architecture, epochs, replicate, metric); the message says what it has."""


class FormatError(NasbenchError, ValueError):
    """A file is not what it should be; the message names the file and the field."""


class Mismatch(NasbenchError, ValueError):
    """A recomputed number differs from the recorded one; the message names the first difference."""

    exit_code = 3


class MissingExtra(NasbenchError, ImportError):
    """An optional dependency or a data file is absent; the message is the command that brings it."""

    exit_code = 4

    @classmethod
    def of(cls, extra: str, package: str, purpose: str) -> MissingExtra:
        """Name the exact install command for ``extra``."""
        return cls(f"{purpose} needs {package}. Install it with: pip install 'nasbench[{extra}]'")


class CallOrder(NasbenchError, RuntimeError):
    """A method was called at the wrong moment (tell before ask, write after close)."""


class StrategyFault(NasbenchError, RuntimeError):
    """A strategy broke its contract or raised; the run is recorded as failed and the message says why."""


class SomeRunsFailed(NasbenchError, RuntimeError):
    """A suite finished, but some of its runs failed; the report shows which."""

    exit_code = 5
