"""What an answer costs a run, as data: stated in the suite, printed on the leaderboard.

The same search can look cheap or dear by habit alone (is a repeated architecture paid again? a failed
training?). Here every such habit is a named policy.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args, get_type_hints

from nasbench.errors import BadOption


@dataclass(frozen=True, slots=True)
class Charging:
    """The charging policies of a run.

    Attributes:
        repeat: An architecture proposed again at the same epochs. ``"full"``: trained again, another
            replicate is drawn and paid. ``"cached"``: the first answer again, at no charge.
        isomorph: What counts as the same architecture for ``repeat``. ``"separate"``: the same code.
            ``"canonical"``: the same canonical code, where the space merges isomorphs or names classes.
        promotion: A trial that continues an earlier one. ``"continue"``: pays only the further epochs, unless
            each length of the source is a training of its own (``restarts``), as in NAS-Bench-101, and
            there is nothing to go on from. ``"restart"``: pays all of them.
        failed: A failed training. ``"full"``: costs the seconds it took. ``"free"``: costs nothing.
        final: The training that the final answer would need. ``"free"``: not charged; the table already
            holds the incumbent's full training.
        thinking: The strategy's own time, in ``ask`` and ``tell``. ``"free"``: recorded apart, not charged.
            ``"measured"``: charged before the proposal starts; such a run is not byte-reproducible, and its
            header says so.
    """

    repeat: Literal["full", "cached"] = "full"
    isomorph: Literal["separate", "canonical"] = "separate"
    promotion: Literal["continue", "restart"] = "continue"
    failed: Literal["full", "free"] = "full"
    final: Literal["free"] = "free"
    thinking: Literal["free", "measured"] = "free"

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for f in fields(self):
            allowed = get_args(hints[f.name])
            if getattr(self, f.name) not in allowed:
                raise BadOption(
                    f"charging.{f.name}: expected one of {', '.join(allowed)}, got {getattr(self, f.name)!r}."
                )

    @classmethod
    def of(cls, policies: dict[str, Any]) -> Charging:
        """Make the policies from a mapping, as a suite or a record header holds them.

        Raises:
            BadOption: A policy that does not exist, or a value that it does not take.
        """
        known = [f.name for f in fields(cls)]
        for name in policies:
            if name not in known:
                raise BadOption(f"charging: expected policies among {', '.join(known)}, got {name!r}.")
        return cls(**policies)

    def as_dict(self) -> dict[str, str]:
        """Return the policies by name."""
        return asdict(self)
