"""What the rooms hand each other: a proposal asked, a trial answered, the measurements behind it.

These are plain slotted records because a search makes millions of them. They are treated as read-only
once handed over. A strategy sees proposals and trials only; neither has a field for a test error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nasbench.units import DeviceKind

Code = tuple[int, ...]
"""One architecture: the index of the choice taken at each decision of its space."""

Codes = npt.NDArray[np.int8]
"""Architectures, shape (n, L)."""

Purpose = Literal["search", "report"]
Status = Literal["ok", "failed", "stopped"]


class Verdict(Enum):
    """What a strategy says of a trial that is still training."""

    CONTINUE = "continue"
    STOP = "stop"
    PAUSE = "pause"


Reported = tuple[int, float, float]
"""What a strategy was shown of a running trial: epochs trained, validation error, charged seconds so far."""

Health = Mapping[str, float | tuple[float, ...]]
"""What a watched weight-sharing search looked like at a report, by name; see ``strategies.health``."""

OnEpoch = Callable[[int, float, float], Verdict]
"""Asked after an epoch but the last with (epochs trained, validation error, seconds of training so far)."""


@dataclass(slots=True)
class Proposal:
    """What a strategy asks for.

    Attributes:
        code: The architecture.
        epochs: Training length asked for; None means the source's longest.
        replicate: Training repeat asked for; None lets the evaluator draw one.
        purpose: ``"search"`` is told back and may become the incumbent on its error; ``"report"`` marks the
            current answer of a weight-sharing search: recorded, never told back.
        continues: Number of an earlier trial whose training this one carries on, or None.
        search_seconds: For a ``"report"``: what the search itself took since its previous proposal, charged
            instead of the training that answers; None charges that training.
        health: For a ``"report"`` of a watched search: what it looked like; else None.
    """

    code: Code
    epochs: int | None = None
    replicate: int | None = None
    purpose: Purpose = "search"
    continues: int | None = None
    search_seconds: float | None = None
    health: Health | None = None


@dataclass(slots=True)
class Trial:
    """What a strategy is told.

    Attributes:
        number: Order of proposal, from 0.
        code: The architecture.
        epochs: Epochs trained.
        replicate: Which training repeat answered, from 0.
        status: ``"ok"``, ``"failed"`` (cost time, has no error) or ``"stopped"`` early.
        valid_error: Validation error, fraction in [0, 1]; None when failed.
        charged_seconds: What the run paid, seconds on the reference device.
        started_seconds: When its worker took it, run clock.
        finished_seconds: When it ended, run clock.
        purpose: As proposed.
    """

    number: int
    code: Code
    epochs: int
    replicate: int
    status: Status
    valid_error: float | None
    charged_seconds: float
    started_seconds: float = 0.0
    finished_seconds: float = 0.0
    purpose: Purpose = "search"


@dataclass(slots=True)
class Measurement:
    """One training as a source reports it, test error included: never handed to a strategy.

    Attributes:
        valid_error: Fraction in [0, 1]; None when the training failed.
        test_error: Fraction in [0, 1]; None when the source records none.
        train_seconds: Seconds of training on the reference device up to ``epochs``.
        status: ``"ok"``, ``"failed"`` or, where the strategy stopped it early, ``"stopped"``.
        reason: Why it failed, for people.
        origin: Where a source that mixes found it, ``"table"`` or ``"live"``; ``""`` from any other source.
        reported: What the strategy was shown while a live training ran, from which a resumed run can show
            it again; empty from any source that can answer twice.
        health: As the proposal had it; no source fills it in.
    """

    valid_error: float | None
    test_error: float | None
    train_seconds: float
    status: Status = "ok"
    reason: str = ""
    origin: str = ""
    reported: tuple[Reported, ...] = ()
    health: Health | None = None


@dataclass(frozen=True, slots=True)
class Measurements:
    """Many trainings in columns, each (n,); nan where nothing was measured.

    Attributes:
        valid_error: Fractions in [0, 1].
        test_error: Fractions in [0, 1]; all nan where the source records none.
        train_seconds: Seconds on the reference device.
    """

    valid_error: npt.NDArray[np.float64]
    test_error: npt.NDArray[np.float64]
    train_seconds: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a source says of itself; written into every record header.

    Attributes:
        label: Kind, name and content, e.g. ``"table:nb201-cifar10@3f2a..."``.
        kind: ``"table"``, ``"surrogate"`` or ``"trainer"``.
        name: What a person types.
        dataset: Data set that the errors are about.
        device: Reference device in words.
        device_kind: Whether its seconds are GPU or CPU seconds; ``"none"`` where it recorded no time.
        extra: Anything else worth printing (licence, citation, notes).
    """

    label: str
    kind: Literal["table", "surrogate", "trainer"]
    name: str
    dataset: str
    device: str
    device_kind: DeviceKind
    extra: dict[str, Any] = field(default_factory=dict)
