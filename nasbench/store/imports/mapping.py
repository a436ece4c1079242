"""What a result file of somebody's own means: which column is what, said as data.

A mapping comes from a TOML file, from the command line, or from both. It names the space (or declares one),
the columns of the architecture, the repeat and the epoch, and for each curve and scalar a column with its
unit. A column may be a pattern: ``acc_e{epoch}`` or ``test_acc[{replicate}]`` stands for as many columns as
fit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from nasbench.errors import BadOption
from nasbench.spaces import SPACES, Space, get_space
from nasbench.spaces.declared import declare
from nasbench.store.imports.conversion import Unit, curve_unit, scalar_unit
from nasbench.store.info import TableInfo
from nasbench.store.schema import unit_of

ROLES = ("architecture", "replicate", "epoch", "dataset", "failed")
IN_ORDER = "in order"
_KEYS = (
    "about",
    "columns",
    "curves",
    "delimiter",
    "epochs",
    "missing",
    "name",
    "replicates",
    "scalars",
    "space",
)
_ABOUT = {
    "dataset": "dataset",
    "device": "reference_device",
    "device_kind": "device_kind",
    "licence": "licence",
    "source": "source",
    "source_url": "source_url",
    "citation": "citation",
    "notes": "notes",
    "rows_answer_for": "rows_answer_for",
    "splits": "splits",
    "recipe": "recipe",
}
_NO_DEVICE = "none: the source recorded no training time"
_PLACE = re.compile(r"\\\{(epoch|replicate)(?:\\([+-])(\d+))?\\\}")
_TABLE_NAME = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Column:
    """One curve or scalar and where it stands in the file.

    Attributes:
        target: Name of the curve or scalar in the table.
        column: Name of the column, or a pattern with ``{epoch}`` or ``{replicate}``, also ``{epoch-1}``.
        unit: How its numbers are read.
        device: The device that a scalar belongs to, or ``""``.
        is_shared: Whether a value stands for every training of its row.
    """

    target: str
    column: str
    unit: Unit
    device: str = ""
    is_shared: bool = False

    def matcher(self) -> re.Pattern[str]:
        """Return the expression that a column's name must match whole; groups ``epoch``, ``replicate``."""
        return re.compile(_PLACE.sub(lambda m: rf"(?P<{m[1]}>\d+)", re.escape(self.column)))

    def shift(self, place: str) -> int:
        """Return what is added to a number in the column's name to get the epoch or replicate."""
        for name, sign, amount in _PLACE.findall(re.escape(self.column)):
            if name == place and amount:
                return int(amount) if sign == "-" else -int(amount)
        return 0


@dataclass(frozen=True, slots=True)
class FileMapping:
    """A mapping that was read and makes sense in itself.

    Attributes:
        name: Name of the table.
        space: Space of the architectures.
        architecture: Columns of the architecture: one in the space's notation, or one a decision.
        replicate: Column of the training repeat (a number, such as a seed), or ``""``.
        epoch: Column of the training length, or ``""``.
        dataset: Column of the data set, or ``""``: each data set becomes a table.
        failed: Column that says which trainings failed, or ``""``.
        epochs: Training length where no column says one, or None.
        is_in_order: Whether repeats are counted in the order of their rows.
        curves: The curves.
        scalars: The scalars.
        missing: Texts that mean that nothing was measured, in lower case.
        delimiter: Between the cells of a CSV file.
        info: The table's attributes.
    """

    name: str
    space: Space
    architecture: tuple[str, ...]
    replicate: str
    epoch: str
    dataset: str
    failed: str
    epochs: int | None
    is_in_order: bool
    curves: tuple[Column, ...]
    scalars: tuple[Column, ...]
    missing: frozenset[str]
    delimiter: str
    info: TableInfo

    @property
    def has_time(self) -> bool:
        """Whether the file records training time."""
        return self.info.device_kind != "none"


def parse_mapping(about: Mapping[str, Any]) -> FileMapping:
    """Read a mapping.

    Args:
        about: As the TOML file has it; see docs/imports.md.

    Raises:
        BadOption: A key is missing, unknown or not what it should be; the message names it.
        UnknownName: No such space.
        FormatError: A declared space is not one.
    """
    _known("mapping", about, _KEYS)
    space, definition = _space(about.get("space"))
    columns = _table(about, "columns")
    _known("columns", columns, ROLES)
    curves = tuple(_curve(name, given) for name, given in sorted(_table(about, "curves").items()))
    scalars = tuple(_scalar(name, given) for name, given in sorted(_table(about, "scalars").items()))
    mapping = FileMapping(
        name=_name(about.get("name", "")),
        space=space,
        architecture=_architecture(columns.get("architecture")),
        **{role: _text(f"columns.{role}", columns.get(role, "")) for role in ROLES[1:]},
        epochs=_epochs(about.get("epochs")),
        is_in_order=_replicates(about.get("replicates")),
        curves=curves,
        scalars=scalars,
        missing=_missing(about.get("missing", [])),
        delimiter=_delimiter(about.get("delimiter", ",")),
        info=_info(_table(about, "about"), space.name, definition, has_dataset="dataset" in columns),
    )
    _agree(mapping)
    return mapping


def _agree(mapping: FileMapping) -> None:
    """Check what a mapping says in several places against each other."""
    names = [curve.target for curve in mapping.curves]
    if "valid_error" not in names:
        raise BadOption(
            "curves.valid_error: expected the column of the validation error or accuracy, got none. A table "
            "is searched by it: --map valid_error=COLUMN --unit valid_error='accuracy percent'."
        )
    if mapping.has_time != ("train_seconds" in names):
        got = "none" if mapping.has_time else "both a column of it and device_kind = 'none'"
        raise BadOption(
            f"curves.train_seconds: expected the column of the training time, or device_kind = 'none' where "
            f"none was recorded, got {got}. Say one: --map train_seconds=COLUMN, or --about device_kind=none."
        )
    if mapping.is_in_order and (mapping.replicate or any("{replicate" in c.column for c in mapping.curves)):
        raise BadOption("replicates: expected a column of the repeat or 'in order', got both. Leave one out.")
    for curve in mapping.curves:
        has_epoch = mapping.epoch or mapping.epochs is not None or "{epoch" in curve.column
        if not has_epoch and not curve.is_shared:
            raise BadOption(
                f"epochs: expected to know how long the trainings of {curve.column!r} were, got "
                "nothing. Give --epochs N, --map epoch=COLUMN, or a column pattern with {epoch}."
            )


def _known(what: str, given: Mapping[str, Any], known: tuple[str, ...] | dict[str, str]) -> None:
    for key in given:
        if key not in known:
            raise BadOption(f"{what}: expected {', '.join(known)}, got {key!r}. See docs/imports.md.")


def _table(about: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = about.get(key, {})
    if not isinstance(found, Mapping):
        raise BadOption(f"{key}: expected names with values, got {found!r}. See docs/imports.md.")
    return found


def _text(what: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadOption(f"{what}: expected text, got {value!r}. Put it in quotation marks.")
    return value


def _name(value: Any) -> str:
    name = _text("name", value)
    if not _TABLE_NAME.fullmatch(name):
        raise BadOption(
            f"name: expected a table name of lower-case words joined by hyphens, got {name!r}. Give --name."
        )
    return name


def _space(value: Any) -> tuple[Space, str]:
    """Find or declare the space; returns its definition too, ``""`` where it is registered."""
    if isinstance(value, Mapping):
        space = declare(value)
        if space.name in SPACES:
            raise BadOption(
                f"space.name: expected a name that no registered space has, got {space.name!r}. Declare it "
                f"under another name, or name the registered one: space = {space.name!r}."
            )
        return space, space.definition
    if not value:
        raise BadOption(
            "space: expected the name of a space or a declaration, got nothing. Give --space NAME "
            "(nasbench list spaces), or a table [space] in the mapping file."
        )
    return get_space(_text("space", value)), ""


def _architecture(value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(n, str) and n for n in names):
        raise BadOption(
            f"columns.architecture: expected a column, or a list of one a decision, got {value!r}. Give "
            "--map architecture=COLUMN."
        )
    return tuple(names)


def _epochs(value: Any) -> int | None:
    if value is not None and (type(value) is not int or value < 1):
        raise BadOption(f"epochs: expected a whole number >= 1, got {value!r}.")
    return value


def _replicates(value: Any) -> bool:
    if value not in (None, IN_ORDER):
        raise BadOption(
            f"replicates: expected {IN_ORDER!r} (the k-th row of an architecture is its k-th repeat), got "
            f"{value!r}. Leave it out to have each training once, or map a column: columns.replicate."
        )
    return bool(value == IN_ORDER)


def _missing(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise BadOption(f"missing: expected a list of texts, got {value!r}. For example missing = ['-1'].")
    return frozenset({"", "nan", "null", "none", "na", "n/a", *(text.strip().lower() for text in value)})


def _delimiter(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 1:
        raise BadOption(f"delimiter: expected one character, got {value!r}.")
    return value


def _curve(target: str, given: Any) -> Column:
    unit_of(target)
    about = _column(f"curves.{target}", given, ("column", "unit", "shared"))
    unit = curve_unit(target, about.get("unit", ""))
    shared = about.get("shared", False)
    if not isinstance(shared, bool):
        raise BadOption(f"curves.{target}.shared: expected true or false, got {shared!r}.")
    return Column(target, about["column"], unit, is_shared=shared or unit.is_an_epoch)


def _scalar(target: str, given: Any) -> Column:
    if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", target):
        raise BadOption(f"scalars: expected names of lower-case words joined by '_', got {target!r}.")
    about = _column(f"scalars.{target}", given, ("column", "unit", "device"))
    if _PLACE.search(re.escape(about["column"])):
        raise BadOption(
            f"scalars.{target}: expected one column, got the pattern {about['column']!r}. A scalar has one "
            "value an architecture."
        )
    return Column(
        target, about["column"], scalar_unit(target, about.get("unit", "")), about.get("device", "")
    )


def _column(what: str, given: Any, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(given, Mapping) or not isinstance(given.get("column"), str) or not given["column"]:
        raise BadOption(f"{what}: expected a column with its unit, got {given!r}. Give --map and --unit.")
    _known(what, given, known)
    for key in ("unit", "device"):
        _text(f"{what}.{key}", given.get(key, ""))
    return given


def _info(given: Mapping[str, Any], space: str, definition: str, *, has_dataset: bool) -> TableInfo:
    _known("about", given, _ABOUT)
    values: dict[str, Any] = {_ABOUT[key]: value for key, value in given.items()}
    if values.get("device_kind") == "none":
        values.setdefault("reference_device", _NO_DEVICE)
    if has_dataset:
        values["dataset"] = "told by a column"
    needed = {part.name for part in fields(TableInfo)} & {
        "dataset",
        "reference_device",
        "device_kind",
        "licence",
        "source",
    }
    absent = sorted(key for key, field in _ABOUT.items() if field in needed and not values.get(field))
    if absent:
        raise BadOption(
            f"about: expected {', '.join(absent)} too, got none. A table says where its numbers come from: "
            + " ".join(f"--about {key}='...'" for key in absent)
        )
    for key, value in given.items():
        if key in ("splits", "recipe"):
            _table(given, key)
        else:
            _text(f"about.{key}", value)
    return TableInfo(space=space, space_definition=definition, **values)


__all__ = ["IN_ORDER", "ROLES", "Column", "FileMapping", "parse_mapping"]
