"""From the units that result files use to ours: errors as fractions, time in seconds, counts in ones.

Every conversion happens here, once, when a file is imported; an accuracy becomes an error on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nasbench.errors import BadOption
from nasbench.units import error_from_accuracy_percent, fraction, seconds_of_days

_AN_EPOCH = " an epoch"
_ERRORS: dict[str, Callable[[float], float]] = {
    "accuracy": lambda value: 1.0 - value,
    "accuracy percent": error_from_accuracy_percent,
    "error": lambda value: value,
    "error percent": fraction,
}
_SECONDS = {
    "microseconds": 1e-6,
    "milliseconds": 1e-3,
    "seconds": 1.0,
    "minutes": 60.0,
    "hours": 3_600.0,
    "days": seconds_of_days(1.0),
}
_COUNTS = {"thousand": 1e3, "million": 1e6, "billion": 1e9}


@dataclass(frozen=True, slots=True)
class Unit:
    """How one column's numbers are read.

    Attributes:
        text: The unit as it was given.
        stored: The unit that is stored.
        convert: From the file's number to ours.
        is_an_epoch: Whether the number is what each epoch takes, to be multiplied by the number of epochs.
    """

    text: str
    stored: str
    convert: Callable[[float], float]
    is_an_epoch: bool = False


def curve_unit(target: str, text: str) -> Unit:
    """Read the unit of a curve, whose name says what it must be convertible to.

    Args:
        target: Name of the curve; ends in ``_error``, ``_seconds`` or ``_loss``.
        text: ``error``, ``error percent``, ``accuracy`` or ``accuracy percent``; a unit of time, with
            `` an epoch`` behind it where the file has the seconds of each epoch; or ``nats``.

    Raises:
        BadOption: No such unit, or none where there must be one.
    """
    words = " ".join(text.lower().replace("_", " ").replace("-", " ").split())
    if target.endswith("_error") and words in _ERRORS:
        return Unit(words, "fraction", _ERRORS[words])
    if target.endswith("_seconds") and words.removesuffix(_AN_EPOCH) in _SECONDS:
        return Unit(
            words, "seconds", _times(_SECONDS[words.removesuffix(_AN_EPOCH)]), words.endswith(_AN_EPOCH)
        )
    if target.endswith("_loss") and words in ("", "nats"):
        return Unit("nats", "nats", _times(1.0))
    known = {
        "_error": ", ".join(_ERRORS),
        "_seconds": f"{', '.join(_SECONDS)}, or one of these followed by 'an epoch'",
    }
    wanted = next((names for ending, names in known.items() if target.endswith(ending)), "nats")
    raise BadOption(
        f"unit: {target} is given in one of {wanted}, got {text or 'nothing'!r}. Say which: "
        f"--unit {target}='...', or unit = '...' in the mapping file."
    )


def scalar_unit(target: str, text: str) -> Unit:
    """Read the unit of a scalar: time becomes seconds, thousands and millions become ones.

    Args:
        target: Name of the scalar.
        text: Any words; ``milliseconds`` and ``million parameters`` are converted.

    Raises:
        BadOption: No unit.
    """
    words = " ".join(text.split())
    if not words:
        raise BadOption(
            f"unit: expected the unit of scalar {target}, got nothing. Say it in words: "
            f"--unit {target}='million parameters'."
        )
    if words.lower() in _SECONDS:
        return Unit(words, "seconds", _times(_SECONDS[words.lower()]))
    scale, _, rest = words.partition(" ")
    if rest and scale.lower() in _COUNTS:
        return Unit(words, rest, _times(_COUNTS[scale.lower()]))
    return Unit(words, words, _times(1.0))


def _times(factor: float) -> Callable[[float], float]:
    return lambda value: value * factor
