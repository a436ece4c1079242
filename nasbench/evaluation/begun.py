"""Trainings that stopped early and may be carried on: their checkpoints, in a folder that lives as long."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nasbench.records import Code

KEPT = 1_000
"""Most checkpoints kept; beyond it the one that was longest untouched goes, and is trained anew if asked."""


@dataclass(slots=True)
class Lent:
    """A checkpoint file lent to one training.

    Attributes:
        path: The file, or None where the training needs none.
        reached: Epochs at which the training ended, set by the borrower where it ended early; 0 where it
            ended for good and its checkpoint is of no more use.
    """

    path: Path | None
    reached: int


class BegunTrainings:
    """Hands out the checkpoint file of each training that a longer one may go on from.

    The folder is temporary and goes with the process or with this object.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._epochs: dict[tuple[Code, int], int] = {}  # least recently used first

    @contextmanager
    def checkpoint(
        self, code: Code, replicate: int, epochs: int, *, longest: int, may_pause: bool = False
    ) -> Iterator[Lent]:
        """Lend the checkpoint file to a training of so many epochs.

        A question as long as or shorter than what was begun is trained from its start: an answer is always
        a training of its own. After the longest training the file is of no more use and goes.

        Args:
            code: The architecture.
            replicate: Training seed.
            epochs: Length of the training about to begin.
            longest: Length beyond which none goes.
            may_pause: The training may end before its length and be asked to go on.
        """
        key = (code, replicate)
        done = self._epochs.pop(key, 0)
        if not may_pause and (done >= epochs or (done == 0 and epochs == longest)):
            if done:
                self._epochs[key] = done
            yield Lent(None, epochs)
            return
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="nasbench-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        path = _file(self._folder, key)
        if done >= epochs:  # a new training of that length, not what is left of a longer one
            path.unlink(missing_ok=True)
        lent = Lent(path, epochs)
        try:
            yield lent
        finally:
            if 0 < lent.reached < longest and path.exists():
                self._epochs[key] = lent.reached
            else:
                path.unlink(missing_ok=True)
        if len(self._epochs) > KEPT:
            oldest = next(iter(self._epochs))
            del self._epochs[oldest]
            _file(self._folder, oldest).unlink(missing_ok=True)


def _file(folder: Path, key: tuple[Code, int]) -> Path:
    """Name the checkpoint of (architecture, replicate)."""
    code, replicate = key
    return folder / f"{'-'.join(map(str, code))}.{replicate}.pt"
