"""The schema of a table file as data: one list that the writer, the verifier and the manual all read.

``python -m nasbench.store.schema`` prints the page ``docs/table-schema.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nasbench.errors import FormatError

FORMAT = "nasbench-table"
SCHEMA_VERSION = "1.1"
FIRST_VERSION = "1.0"
"""What a file states that holds nothing newer, so that older readers still open it."""

Direction = Literal["minimize", "maximize", "none"]


@dataclass(frozen=True, slots=True)
class Field:
    """One attribute or dataset.

    Attributes:
        name: Name, or path below the table's group.
        type: ``"text"``, ``"json"`` or a numpy dtype.
        shape: Shape in symbols; ``""`` for attributes.
        unit: Unit; ``""`` where there is none.
        required: Whether a table without it is refused.
        meaning: What it holds.
    """

    name: str
    type: str
    shape: str
    unit: str
    required: bool
    meaning: str


FILE_ATTRIBUTES = (
    Field("format", "text", "", "", True, f"always `{FORMAT}`"),
    Field("schema_version", "text", "", "", True, "major.minor; a reader refuses another major number"),
    Field("content_hash", "text", "", "", True, "SHA-256 over the names and content hashes of all tables"),
)

TABLE_ATTRIBUTES = (
    Field("space", "text", "", "", True, "name of the space, as `nasbench list spaces` prints it"),
    Field("dataset", "text", "", "", True, "data set that the errors are about"),
    Field("splits", "json", "", "", True, "what each split holds"),
    Field("recipe", "json", "", "", True, "how every network was trained"),
    Field("recipe_hash", "text", "", "", True, "SHA-256 of the recipe's canonical JSON"),
    Field("reference_device", "text", "", "", True, "device whose seconds `train_seconds` counts, in words"),
    Field(
        "device_kind",
        "text",
        "",
        "",
        True,
        "`gpu` or `cpu`; `none` where no time was recorded: `train_seconds` then counts one for each epoch",
    ),
    Field("licence", "text", "", "", True, "licence of the data"),
    Field("source", "text", "", "", True, "where the numbers come from"),
    Field("source_url", "text", "", "", True, "where to get the original; may be empty"),
    Field("citation", "text", "", "", True, "whom to cite for the data; may be empty"),
    Field("notes", "text", "", "", True, "anything a reader must know; may be empty"),
    Field(
        "rows_answer_for",
        "text",
        "",
        "",
        False,
        "`code` (default): a row answers for its own architecture; `class`: for its whole canonical class",
    ),
    Field(
        "space_definition",
        "text",
        "",
        "",
        False,
        "JSON of a space that the table declares for itself: name, decisions with their choices, separator",
    ),
    Field(
        "lengths",
        "text",
        "",
        "",
        False,
        "`one-training` (default): a shorter length is a point on the way to a longer one; `own-trainings`: "
        "each was trained from the start on a schedule of its own",
    ),
    Field("created_by", "text", "", "", True, "program and version; not part of the content hash"),
    Field("content_hash", "text", "", "", True, "SHA-256 of attributes and datasets, see below"),
)

DATASETS = (
    Field("codes", "int8", "(n, L)", "", True, "architectures, sorted lexicographically, each once"),
    Field("epochs", "int32", "(e,)", "epochs", True, "training lengths recorded, increasing"),
    Field("curves/valid_error", "float32", "(n, r, e)", "fraction", True, "validation error in [0, 1]"),
    Field("curves/test_error", "float32", "(n, r, e)", "fraction", False, "test error in [0, 1]"),
    Field("curves/train_error", "float32", "(n, r, e)", "fraction", False, "training error in [0, 1]"),
    Field("curves/train_loss", "float32", "(n, r, e)", "nats", False, "training loss"),
    Field("curves/valid_loss", "float32", "(n, r, e)", "nats", False, "validation loss"),
    Field("curves/test_loss", "float32", "(n, r, e)", "nats", False, "test loss"),
    Field(
        "curves/train_seconds",
        "float32",
        "(n, r, e)",
        "seconds",
        True,
        "seconds of training from its start to that epoch, on the reference device",
    ),
    Field(
        "failed",
        "int8",
        "(n, r)",
        "",
        False,
        "1 where that training diverged or crashed: what is nan in it is lost, its seconds were still spent",
    ),
    Field(
        "scalars/<name>", "int or float", "(n,)", "its `unit` attribute", False, "one value an architecture"
    ),
    Field("provenance/rows", "bytes", "(p,)", "", False, "one JSON text for each way a training came about"),
    Field(
        "provenance/of", "int32", "(n, r)", "", False, "row of `provenance/rows` for each training; -1 = none"
    ),
)

_UNIT_BY_SUFFIX: dict[str, tuple[str, Direction]] = {
    "_error": ("fraction", "minimize"),
    "_loss": ("nats", "minimize"),
    "_seconds": ("seconds", "minimize"),
    "_accuracy_percent": ("percent", "maximize"),
}


def unit_of(metric: str) -> tuple[str, Direction]:
    """Name the unit and the better direction of a curve metric, told by the end of its name.

    Raises:
        FormatError: The name ends in none of ``_error``, ``_loss``, ``_seconds`` and
            ``_accuracy_percent``.
    """
    for suffix, unit in _UNIT_BY_SUFFIX.items():
        if metric.endswith(suffix):
            return unit
    raise FormatError(
        f"curves/{metric}: expected a name ending in {', '.join(_UNIT_BY_SUFFIX)}, got {metric!r}. "
        "Rename it, or store one value an architecture as a scalar with a unit of its own."
    )


def may_be_wide(metric: str) -> bool:
    """Say whether a curve may be float64; errors never are."""
    return not metric.endswith("_error")


def check_version(text: str, *, where: str) -> None:
    """Refuse a schema version that this program cannot read.

    Raises:
        FormatError: Another major version, or not a version at all.
    """
    if text.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise FormatError(
            f"{where}: schema_version: expected {SCHEMA_VERSION.split('.')[0]}.x, got {text!r}. "
            "Open it with the version of nasbench that wrote it, or update nasbench."
        )


def _rows(fields: tuple[Field, ...], *, with_shape: bool) -> list[str]:
    head = ["name", "type", *(["shape", "unit"] if with_shape else []), "required", "meaning"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for f in fields:
        middle = [f.shape, f.unit] if with_shape else []
        cells = [f"`{f.name}`", f.type, *middle, "yes" if f.required else "no", f.meaning]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def page() -> str:
    """Write the manual page of the table format, Markdown."""
    return _PAGE.format(
        format=FORMAT,
        version=SCHEMA_VERSION,
        file="\n".join(_rows(FILE_ATTRIBUTES, with_shape=False)),
        table="\n".join(_rows(TABLE_ATTRIBUTES, with_shape=False)),
        datasets="\n".join(_rows(DATASETS, with_shape=True)),
    )


_PAGE = """\
# Table files

Generated by `python -m nasbench.store.schema`; a test keeps it current. Do not edit.

Format `{format}`, schema version {version}. One HDF5 file holds one or more tables; each group at the top is
one table, named as people type it. n = architectures, L = decisions of the space, r = training repeats
(replicates), e = recorded training lengths, p = provenance rows.

## Attributes of the file

{file}

## Attributes of a table

{table}

## Datasets of a table

{datasets}

Every dataset carries its own `content_hash`; every curve also `unit` and `direction` (`minimize`, `maximize`
or `none`); every scalar `unit`, and `device` where its value belongs to a device. Curves of other names are
allowed where the name ends in `_error`, `_loss`, `_seconds` or `_accuracy_percent`; the last holds the digits
of a source that counts in percent, beside the error that everything here computes with. A curve other than
an error may be float64.

A scalar that no training of the table made says in `provenance` how it came about, as JSON. `oneshot_error`
and `oneshot_error_seed_<s>` are errors by the shared weights of one supernet, written by `nasbench populate
--oneshot`: `recipe_hash`, `epochs`, `seed`, `sampling`, `train_seconds` of the supernet, `score_seconds` an
architecture, and what made them.

## Rules

* Errors are fractions, seconds are seconds. nan = not measured; nothing is imputed.
* Where the source recorded no time (`device_kind` is `none`), `train_seconds` is the number of epochs: a
  clock for simulations that says which training is longer and nothing else. Budgets in time are refused on
  such a table.
* Where an architecture has fewer repeats than others at some training length, the recorded ones fill the
  first places.
* `train_seconds` is recorded wherever `valid_error` is, is positive, and never falls along a training (where
  each length is a training of its own, it may fall from one to the next).
* Numbers are little-endian, contiguous and uncompressed, so that a reader maps them into memory. A curve of
  which nothing was measured takes no room (its fill value is nan).
* A table whose `splits` name no `valid` records no validation error: it can be read, and not be searched.
* Files are deterministic byte for byte: the same content written twice is the same file.
* Version 1.1 added `space_definition`, `lengths`, the `device_kind` `none`, `provenance` of scalars and
  curves of float64; a file without them states version 1.0.

## Content hash

Independent of how HDF5 lays the bytes out. A dataset's hash is the SHA-256 of its path, numpy type, shape
(numbers joined by commas), attributes in the order of their names (name, then value, without
`content_hash`) and bytes in C order. A table's hash is the SHA-256 of its attributes in the order of their
names (without `content_hash` and `created_by`) and, in the order of their paths, of each dataset's path and
hash. In both, each text is preceded by its length in bytes and a colon. The file's hash is the SHA-256 of
one line `<table name> <table hash>` a table, in the order of names. A table's own name is not part of its
hash.
"""


if __name__ == "__main__":
    print(page(), end="")
