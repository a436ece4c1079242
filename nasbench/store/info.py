"""What a table says of itself: the attributes of its group, as a record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nasbench.units import DeviceKind

RowsAnswerFor = Literal["code", "class"]
Lengths = Literal["one-training", "own-trainings"]


@dataclass(frozen=True, slots=True)
class TableInfo:
    """The attributes of one table.

    Attributes:
        space: Name of its space.
        dataset: Data set that the errors are about.
        splits: What each split holds, by split name.
        recipe: How every network was trained; anything JSON can hold.
        reference_device: Device whose seconds ``train_seconds`` counts, in words.
        device_kind: Whether those are GPU or CPU seconds; ``"none"`` where no time was recorded.
        licence: Licence of the data.
        source: Where the numbers come from, in words.
        source_url: Where to get the original.
        citation: Whom to cite for the data.
        notes: Anything a reader must know.
        rows_answer_for: ``"code"``: a row is its own architecture only. ``"class"``: it was trained for its
            whole canonical class and answers for every member.
        lengths: ``"one-training"``: a shorter length is a point on the way to a longer one.
            ``"own-trainings"``: each length was trained from the start on a schedule of its own, so that
            there is no curve to watch and a promotion begins anew.
        created_by: Program and version that wrote the file; not part of the content.
        content_hash: SHA-256 of the content; the writer fills it in.
        recipe_hash: SHA-256 of the recipe's canonical JSON; the writer fills it in.
        space_definition: Declaration of the space, where the table brings its own; else ``""``.
    """

    space: str
    dataset: str
    reference_device: str
    device_kind: DeviceKind
    licence: str
    source: str
    splits: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    source_url: str = ""
    citation: str = ""
    notes: str = ""
    rows_answer_for: RowsAnswerFor = "code"
    lengths: Lengths = "one-training"
    created_by: str = ""
    content_hash: str = ""
    recipe_hash: str = ""
    space_definition: str = ""


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: object) -> str:
    """Write JSON with sorted keys and no spaces: equal values give equal text."""
    return _CANONICAL.encode(value)


def recipe_hash(recipe: Mapping[str, Any]) -> str:
    """Hash a recipe: SHA-256 of its canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(dict(recipe)).encode()).hexdigest()
