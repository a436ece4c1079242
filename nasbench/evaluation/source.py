"""What can answer a proposal: a table, a surrogate or live training behind one face.

A strategy never learns which of them answers. A source knows results and seconds; it knows no clock,
no budget and no charging policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from nasbench.records import Code, Measurement, Measurements, SourceInfo
from nasbench.spaces import Space


@runtime_checkable
class Source(Protocol):
    """Something that measures architectures.

    A source may also have ``costs``: what is known of an architecture without training it, as a mapping from
    ``"parameters"``, ``"macs"`` or ``"latency_seconds"`` to a function of the code. A live source whose
    trainings can be watched has ``follow``, as ``LiveSource`` has. One whose training lengths are each a
    training of its own says so by ``restarts = True``: a promotion then pays for the whole longer training.

    Attributes:
        info: What it is: label, kind, data set, reference device.
        space: The space of its architectures.
        epochs: Training lengths it can answer for, increasing.
        replicates: Largest number of training repeats of one architecture.
        is_live: Whether an answer costs real time now. Live sources may ignore ``replicate`` beyond using
            it as the training seed.
    """

    info: SourceInfo
    space: Space
    epochs: tuple[int, ...]
    replicates: int
    is_live: bool

    def replicates_of(self, code: Code) -> int:
        """Count the training repeats this architecture has.

        Raises:
            NotMeasured: The source does not know the architecture.
        """
        ...

    def answer(self, code: Code, *, epochs: int, replicate: int) -> Measurement:
        """Measure one architecture: one training, so validation, test and seconds belong together.

        Raises:
            NotMeasured: Nothing was recorded for (architecture, epochs, replicate).
        """
        ...

    def measure(self, codes: npt.ArrayLike, *, epochs: int, replicate: int) -> Measurements:
        """Measure (n, L) codes at once; equal to ``answer`` one by one, in the same order.

        Raises:
            NotMeasured: As ``answer``, for any of them.
        """
        ...

    def score(self, codes: npt.ArrayLike, *, epochs: int) -> npt.NDArray[np.float64]:
        """Score architectures for reports, (n,): what an incumbent is worth once found.

        The mean test error over all recorded repeats, or, where no test error is recorded, the mean
        validation error over all recorded repeats; nan where a source cannot say (live training). Only
        the report calls this.
        """
        ...

    @property
    def scored_by(self) -> str:
        """Say what ``score`` returns: ``"mean test error"``, ``"mean validation error"`` or ``"trial"``.

        ``"trial"`` means that the report uses the sealed test error of the incumbent's own trial.
        """
        ...


def label_of(kind: str, name: str, content_hash: str) -> str:
    """Write a source label: kind, name and the first 12 characters of its content hash."""
    return f"{kind}:{name}@{content_hash[:12]}"


def as_codes(codes: Sequence[Code]) -> npt.NDArray[np.int8]:
    """Stack codes into an (n, L) array."""
    return np.array(codes, dtype=np.int8)
