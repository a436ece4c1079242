"""What a surrogate says of itself: what it was fitted on, how, and how good it was found on held-out data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from nasbench.errors import FormatError
from nasbench.units import DeviceKind


@dataclass(frozen=True, slots=True)
class SurrogateCard:
    """The attributes of a surrogate file.

    Attributes:
        name: What a person types; the file's name without its ending.
        model: Name of ``members.MODELS``.
        members: Kinds of its members.
        space, dataset, device, device_kind, licence, citation, recipe_hash: Those of the table.
        answers_for: As the table's ``rows_answer_for``.
        table: Label of the table: name and content hash.
        architectures: How many it was made from, held-out ones included.
        held_out: How many of them no member was fitted on: they calibrate the spread.
        left_out: Architectures of the table without a whole training.
        seed: Of the draw of rows and of the members.
        replicates: Most recorded trainings of one architecture.
        quality: On the held-out architectures at the full length, by metric: ``r2``, ``mae``,
            ``kendall_tau``, ``sparse_kendall_tau``, and ``unknown_of_best``: the typical standard deviation
            of what is not
                known
            of those predicted best, fraction: the surrogate's own error where a search ends.
        source: Where the numbers came from, in words.
        recipe: How every network of the table was trained, as plain values.
        space_definition: Declaration of the space, where the table brings its own; else ``""``.
        created_by: Program and version; not part of the content.
    """

    name: str
    model: str
    members: tuple[str, ...]
    space: str
    dataset: str
    device: str
    device_kind: DeviceKind
    licence: str
    citation: str
    recipe_hash: str
    answers_for: str
    table: str
    architectures: int
    held_out: int
    left_out: int
    seed: int
    replicates: int
    quality: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    source: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    created_by: str = ""
    space_definition: str = ""

    def to_json(self) -> str:
        """Write the card as canonical JSON."""
        values = asdict(self)
        if not self.space_definition:
            del values["space_definition"]
        return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, *, where: str) -> SurrogateCard:
        """Read a card.

        Raises:
            FormatError: A field is missing or unknown.
        """
        values: dict[str, Any] = json.loads(text)
        known = {part.name for part in fields(cls)}
        for name in sorted((known ^ values.keys()) - {"space_definition"}):
            raise FormatError(
                f"{where}: card: expected the fields {', '.join(sorted(known))}; {name!r} is off."
            )
        values["members"] = tuple(values["members"])
        return cls(**values)
