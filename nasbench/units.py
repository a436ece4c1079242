"""Units: the only place that multiplies by 100 or by 86,400.

Inside the package errors are fractions in [0, 1] and time is seconds. People type and read percent,
days and budgets such as ``2gpu-days``; this file is the border.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from nasbench.errors import BadOption

DeviceKind = Literal["gpu", "cpu", "none"]
"""What a source's seconds are of; ``"none"``: it recorded no time, and its seconds count epochs."""


_SECONDS_PER_DAY = 86_400.0
_SECONDS_BY_SUFFIX = {"s": 1.0, "sec": 1.0, "min": 60.0, "h": 3_600.0}
_BUDGET = re.compile(
    r"(?P<amount>\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)\s*(?P<unit>[a-z][a-z_-]*)", re.IGNORECASE
)


def percent(fraction: float) -> float:
    """Turn a fraction into percent."""
    return fraction * 100.0


def fraction(percent_value: float) -> float:
    """Turn percent into a fraction."""
    return percent_value / 100.0


def error_from_accuracy_percent(accuracy_percent: float) -> float:
    """Turn an accuracy in percent (the files of the field) into an error fraction."""
    return (100.0 - accuracy_percent) / 100.0


def days(seconds: float) -> float:
    """Turn seconds into days."""
    return seconds / _SECONDS_PER_DAY


def seconds_of_days(amount: float) -> float:
    """Turn days into seconds."""
    return amount * _SECONDS_PER_DAY


def days_label(device_kind: DeviceKind) -> str:
    """Name the time axis of a source: GPU-days or CPU-days after its device, nominal days without one."""
    return {"gpu": "GPU-days", "cpu": "CPU-days", "none": "nominal days"}[device_kind]


def format_error(error: float, *, digits: int = 2) -> str:
    """Write an error fraction as percent without the sign; a missing one as an en dash."""
    return "–" if math.isnan(error) else f"{percent(error):.{digits}f}"


def format_seconds(seconds: float) -> str:
    """Write a duration for a person: ``0.4 s``, ``12 min``, ``3.2 h``, ``5.1 d``."""
    if math.isnan(seconds):
        return "–"
    for limit, scale, suffix in ((120.0, 1.0, "s"), (7_200.0, 60.0, "min"), (172_800.0, 3_600.0, "h")):
        if seconds < limit:
            return f"{seconds / scale:.3g} {suffix}"
    return f"{days(seconds):.3g} d"


@dataclass(frozen=True, slots=True)
class Budget:
    """What one run may spend: charged seconds on the source's reference device, or evaluations.

    Exactly one of ``seconds`` and ``evaluations`` is set.

    Attributes:
        text: As it was typed; this is what suites and records carry.
        seconds: Charged seconds, summed over all workers.
        evaluations: Number of finished search trials.
        device: The device the days were typed for, or None (``3600s`` fits either).
    """

    text: str
    seconds: float | None = None
    evaluations: int | None = None
    device: DeviceKind | None = None

    def require_device(self, device_kind: DeviceKind, *, source: str) -> None:
        """Refuse GPU-days on a CPU source and the reverse: devices are never mixed on one axis.

        Raises:
            BadOption: The budget was typed for the other kind of device, or in time where the source
                recorded none.
        """
        if device_kind == "none" and self.seconds is not None:
            raise BadOption(
                f"budget: source {source} recorded no training time, got {self.text!r}. Type it in "
                "evaluations ('500evals')."
            )
        if self.device is not None and self.device != device_kind:
            raise BadOption(
                f"budget: {self.text!r} is in {self.device}-days, but source {source} measures "
                f"{device_kind}-seconds. Type it as {device_kind}-days, or as seconds ('3600s')."
            )


def parse_budget(text: str) -> Budget:
    """Read a budget: ``2gpu-days``, ``0.5cpu-days``, ``3600s``, ``90min``, ``2h``, ``500evals``.

    Raises:
        BadOption: Not of one of these forms, not positive, or a fractional number of evaluations.
    """
    wanted = "expected something like 2gpu-days, 0.5cpu-days, 3600s or 500evals"
    match = _BUDGET.fullmatch(text.strip())
    if match is None:
        raise BadOption(f"budget: {wanted}, got {text!r}.")
    amount = float(match["amount"])
    unit = match["unit"].lower().replace("_", "-")
    if not math.isfinite(amount) or amount <= 0:
        raise BadOption(f"budget: expected a positive amount, got {text!r}.")
    clean = text.strip()
    if unit in ("eval", "evals", "evaluations", "trials"):
        if amount != int(amount):
            raise BadOption(f"budget: expected a whole number of evaluations, got {text!r}.")
        return Budget(clean, evaluations=int(amount))
    for device in ("gpu", "cpu"):
        if unit in (f"{device}-days", f"{device}-day", f"{device}days"):
            return Budget(clean, seconds=_finite(seconds_of_days(amount), text), device=device)
    if unit in _SECONDS_BY_SUFFIX:
        return Budget(clean, seconds=_finite(amount * _SECONDS_BY_SUFFIX[unit], text))
    raise BadOption(f"budget: unknown unit {match['unit']!r}; {wanted}.")


def _finite(seconds: float, text: str) -> float:
    if not math.isfinite(seconds):
        raise BadOption(f"budget: expected a finite amount, got {text!r}.")
    return seconds
