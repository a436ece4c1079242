"""The supernet of a live run: its checkpoint beside the record, and its last state should it diverge.

A record ``runs/.../000003.jsonl`` of a weight-sharing search has ``000003.supernet.pt`` beside it while the
run is under way: after every epoch the journal and the state of the supernet, so that a run that was killed
goes on without training again (``training.supernets.resuming``). It goes when the record gets its end mark.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from nasbench.evaluation.source import Source
from nasbench.runs.record import header_line
from nasbench.strategies.relaxation import Relaxation, RelaxationFactory

if TYPE_CHECKING:
    from nasbench.training.supernets.resuming import ResumableSupernet

DIVERGED = "diverged"
"""Folder, beside ``runs``, of the last states of supernets that diverged."""


class KeptSupernets:
    """Makes what a live run's search acts on, and keeps its checkpoint.

    Args:
        source: What answers; its relaxation is taken as it is where it is no supernet.
        path: The record of the run.
        header: That of the record: its supernet is that of no other run.
        last_state: Where the last state goes should the training diverge, and what the reason calls that
            place; None keeps none.
    """

    def __init__(
        self, source: Source, path: Path, header: dict[str, Any], last_state: tuple[Path, str] | None
    ) -> None:
        self._factory: RelaxationFactory | None = getattr(source, "relaxation", None)
        self._path = path.with_suffix(".supernet.pt")
        self._identity = {"run": hashlib.sha256(header_line(header)).hexdigest()[:16]}
        self._last_state = last_state
        self._made: ResumableSupernet | None = None

    @property
    def relaxation(self) -> RelaxationFactory | None:
        """Makes the relaxation of the run; None where the source has none."""
        return None if self._factory is None else self._make

    def _make(self, rng: np.random.Generator) -> Relaxation:
        factory = cast(Callable[[np.random.Generator], Any], self._factory)
        relaxation = factory(rng)
        if relaxation.is_analogue:
            return cast(Relaxation, relaxation)
        from nasbench.training.supernets.resuming import ResumableSupernet

        if self._last_state is not None:
            relaxation.keep_last_state(self._last_state[0], called=self._last_state[1])
        self._made = ResumableSupernet(relaxation, self._path, self._identity)
        return self._made

    def keep(self) -> None:
        """Bring the supernet, if there is one, to its checkpoint."""
        if self._made is not None:
            self._made.keep()

    def forget(self) -> None:
        """Remove the checkpoint: the run has ended."""
        self._path.unlink(missing_ok=True)
