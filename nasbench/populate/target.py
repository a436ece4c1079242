"""The target: one table in a file, and the ledger beside it from which the file is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nasbench.errors import BadOption, FormatError
from nasbench.populate.job import Facts, Job, Outcome
from nasbench.populate.ledger import IN_MEMORY, QUARANTINED, Ledger
from nasbench.populate.plan import MOST_LISTED, Isomorphs
from nasbench.populate.rows import TRAINED_ROW, outcomes_of, table_data, with_columns_of
from nasbench.records import Code
from nasbench.spaces import get_space
from nasbench.store.data import TableData
from nasbench.store.files import kebab, table_names
from nasbench.store.info import TableInfo, canonical_json
from nasbench.store.merge import MIXED_NOTE
from nasbench.store.table import Table, open_table
from nasbench.store.verify import verify_table
from nasbench.store.writer import write_tables
from nasbench.training.recipe import Recipe
from nasbench.training.recipes import RECIPES

_DEVICE = "device"
# Tables keep float32: errors of one training differ by no more between table and ledger.
_FLOAT32 = 1e-6
_NO_LICENCE = "not stated"
_NOTE = {
    "distinct": "isomorphs: distinct. One cell of each class of equal networks was trained and is a row.",
    "once": (
        "isomorphs: once. One cell of each class of equal networks was trained and its results given to all "
        f"cells of the class; scalar {TRAINED_ROW} says which row was trained."
    ),
    "separate": "isomorphs: separate. Every row was trained on its own, equal networks too.",
}


class Target:
    """A table that is being filled.

    What the table file holds already is taken over into the ledger, so a fresh clone with only the table goes
    on where it stopped.

    Args:
        path: The table file; need not exist yet.
        job: What is trained.
        name: Name of the table; None = the file's name.
        isomorphs: As in ``plan``; None = as the table has it.
        new_isomorphs: The same for a new table where ``isomorphs`` is None.
        mixed_devices: Accept trainings on hardware other than the table's reference device.
        licence: Licence of the results; None = as the table has it.
        retry_quarantined: Forget the trainings that were given up, so that they are tried again.
        keeps: Make a ledger where there is none; otherwise nothing outlasts this object.

    Raises:
        BadOption: The table is of another space or recipe, another process fills it, or ``isomorphs`` is
            ``"once"`` on a space too large for that.
        FormatError: Table or ledger is damaged; the message names the file.
    """

    def __init__(
        self,
        path: Path,
        job: Job,
        *,
        name: str | None = None,
        isomorphs: Isomorphs | None = None,
        new_isomorphs: Isomorphs = "distinct",
        mixed_devices: bool = False,
        licence: str | None = None,
        retry_quarantined: bool = False,
        keeps: bool = True,
    ) -> None:
        if path.suffix != ".h5":
            raise BadOption(f"table: expected a name that ends in .h5, got {str(path)!r}.")
        if not path.parent.is_dir():
            raise BadOption(f"table: there is no folder {str(path.parent)!r}. Make it first.")
        self.path = path
        self.job = job
        self.name = kebab(name or path.stem)
        self._mixed = mixed_devices
        stored = _stored(path, self.name)
        self._info = None if stored is None else stored.info
        self._seen = "" if stored is None else stored.info.content_hash
        self._licence = licence
        self._retry = retry_quarantined
        had = None if stored is None else _isomorphs_of(stored)
        self.isomorphs: Isomorphs = isomorphs or had or new_isomorphs
        if self.isomorphs == "once":
            _require_listed(job.space)
        if stored is not None:
            self._require_job(_identity_of_info(stored.info), str(path))
        beside = ledger_path(path, self.name)
        self.ledger = Ledger(beside if keeps or beside.exists() else IN_MEMORY)
        try:
            identity = self.ledger.identity()
            if identity is not None:
                self._require_job(identity, str(self.ledger.path))
            if retry_quarantined:
                self.ledger.release()
            if stored is not None:
                self._take_over(outcomes_of(stored), stored.info, path)
        except BaseException:
            self.ledger.close()
            raise

    def close(self) -> None:
        """Give the ledger back."""
        self.ledger.close()

    def __enter__(self) -> Target:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def borrow(self, table: Path, codes: Iterable[Code]) -> None:
        """Take over what another table file holds of some architectures: a shard's share of the whole.

        Raises:
            BadOption: That table is of another space or recipe.
            FormatError: It is damaged, or differs from what this ledger holds.
        """
        whole = _stored(table, self.name)
        if whole is None:
            return
        self._require_job(_identity_of_info(whole.info), str(table))
        share = set(codes)
        self._take_over((o for o in outcomes_of(whole) if o.code in share), whole.info, table)

    def take(self, table: Table) -> int:
        """Take over every training of another table of the same space, data, recipe and device.

        Returns:
            How many trainings this target did not hold before.

        Raises:
            BadOption: Its space, data, recipe or device is another, or it gives the trainings of one
                architecture to others.
            FormatError: Both hold a training and their errors differ.
        """
        data = table.data()
        if TRAINED_ROW in data.scalars:
            raise BadOption(
                f"take: expected a table whose rows were each trained, got {table.name}, which gives the "
                "training of one cell to all that equal it."
            )
        self._require_job(_identity_of_info(data.info), table.name)
        about = data.info
        self.bind(Facts(about.dataset, dict(about.splits), about.reference_device, about.device_kind))
        before = len(list(self.ledger.outcomes()))
        self._take_over(outcomes_of(data), data.info, table.path)
        return len(list(self.ledger.outcomes())) - before

    def bind(self, facts: Facts) -> None:
        """Check that a worker trains what this table holds; the first one of a new table decides.

        Raises:
            BadOption: Other data, or another device than the table's.
        """
        found = {
            "space": self.job.space,
            "dataset": facts.dataset,
            "splits": dict(facts.splits),
            "recipe": self.job.recipe.to_dict(),
            _DEVICE: facts.device,
            "device_kind": facts.device_kind,
        }
        identity = self.ledger.identity()
        if identity is None:
            self.ledger.bind(found)
            return
        for key, value in found.items():
            if canonical_json(identity[key]) == canonical_json(value):
                continue
            if key == "recipe" and self._has_recipe(identity[key]):
                continue
            if key == _DEVICE:
                if self._mixed or identity.get("mixed_devices"):
                    self.ledger.bind({**identity, "mixed_devices": True})
                    continue
                raise BadOption(
                    f"device: table {self.name} counts seconds of {identity[key]}, got {value}. Take another "
                    "table, or allow seconds of both with --mixed-devices; each training says which."
                )
            raise BadOption(
                f"{key}: table {self.name} holds {canonical_json(identity[key])}, got "
                f"{canonical_json(value)}. Take another table."
            )

    def export(self) -> int:
        """Write the table file from the ledger, aside and renamed; return its number of rows.

        Other tables of the file are kept. Nothing is written where nothing is finished.
        """
        stored = _stored(self.path, self.name)
        if stored is not None and stored.info.content_hash != self._seen:  # another program added to it
            self._take_over(outcomes_of(stored), stored.info, self.path)
        identity = self.ledger.identity()
        outcomes = list(self.ledger.outcomes())
        if identity is None or not outcomes:
            return 0
        data = table_data(
            outcomes,
            name=self.name,
            info=self._new_info(identity, {outcome.code for outcome in outcomes}),
            expand=get_space(self.job.space) if self.isomorphs == "once" else None,
        )
        if stored is not None:
            data = with_columns_of(data, stored)
        others: list[TableData] = []
        if self.path.exists():
            others = [
                open_table(self.path, name).data()
                for name in table_names(self.path)
                if kebab(name) != self.name
            ]
        write_tables(self.path, [*others, data])
        self._seen = open_table(self.path, self.name).content_hash
        return len(data.codes)

    def _new_info(self, identity: Mapping[str, Any], codes: set[Code]) -> TableInfo:
        known = self._info
        recipes = [name for name, recipe in RECIPES.items() if recipe == self.job.recipe]
        recipe = f", recipe {recipes[0]}" if recipes else ""
        note = _NOTE[self.isomorphs]
        return TableInfo(
            space=identity["space"],
            dataset=identity["dataset"],
            reference_device=identity[_DEVICE],
            device_kind=identity["device_kind"],
            licence=self._licence or (known.licence if known else _NO_LICENCE),
            source=known.source if known else f"trained by nasbench populate{recipe}",
            splits=identity["splits"],
            recipe=identity["recipe"],
            source_url=known.source_url if known else "",
            citation=known.citation if known else "",
            notes=note + (f" {MIXED_NOTE}" if identity.get("mixed_devices") else ""),
            rows_answer_for="class" if self._is_one_a_class(codes) else "code",
        )

    def _is_one_a_class(self, codes: set[Code]) -> bool:
        """Say whether each row may answer for its class: asked for, and no class holds two trained codes."""
        if self.isomorphs != "distinct":
            return False
        classes = np.unique(get_space(self.job.space).canonical(np.array(sorted(codes))), axis=0)
        return len(classes) == len(codes)

    def _require_job(self, identity: Mapping[str, Any], where: str) -> None:
        if identity["space"] != self.job.space:
            raise BadOption(f"space: {where} holds {identity['space']}, got {self.job.space}.")
        if not self._has_recipe(identity["recipe"]):
            held, recipe = identity["recipe"], self.job.recipe.to_dict()
            keys = sorted(k for k in {*held, *recipe} if held.get(k) != recipe.get(k))
            shown = ", ".join(f"{k} {held.get(k)!r} against {recipe.get(k)!r}" for k in keys)
            raise BadOption(
                f"recipe: {where} was trained by another recipe ({shown}). Take that one, or another table."
            )

    def _has_recipe(self, held: Mapping[str, Any]) -> bool:
        """Say whether a recipe, perhaps of an earlier version with fewer fields, is the job's."""
        try:
            return Recipe.from_dict(held).recipe_hash == self.job.recipe.recipe_hash
        except BadOption:
            return False

    def _take_over(self, outcomes: Iterable[Outcome], info: TableInfo, origin: Path) -> None:
        """Add to the ledger what only a table file holds.

        Raises:
            FormatError: Both hold a training and their errors differ.
        """
        if self.ledger.identity() is None:
            self.ledger.bind(_identity_of_info(info))
        held = {outcome.task: outcome for outcome in self.ledger.outcomes()}
        new = []
        for outcome in outcomes:
            ours = held.get(outcome.task)
            if self._retry and outcome.reason.startswith(QUARANTINED):
                continue
            if ours is None:
                new.append(outcome)
                continue
            theirs = outcome.curves.get("valid_error", ())
            mine = ours.curves.get("valid_error", ())[: len(theirs)]
            if len(mine) < len(theirs):
                new.append(outcome)
            elif any(abs(a - b) > _FLOAT32 for a, b in zip(mine, theirs, strict=True)):
                text = get_space(self.job.space).format(outcome.code)
                raise FormatError(
                    f"{origin} and {self.ledger.path.name} differ in the errors of {text}, replicate "
                    f"{outcome.replicate}. Move one of them away: the other is gone on with."
                )
        if new:
            self.ledger.add(new)


def _stored(path: Path, name: str) -> TableData | None:
    """Read a table from its file, if it is there and whole.

    Raises:
        FormatError: The file is damaged.
    """
    if not path.exists():
        return None
    try:
        names = {kebab(inner): inner for inner in table_names(path)}
        if name not in names:
            return None
        found = verify_table(path, names[name])
        if found:
            raise FormatError(f"{path}: {found[0]}")
        return open_table(path, names[name]).data()
    except FormatError as error:
        raise FormatError(
            f"{error} Move {path.name} away: what a ledger beside it holds is written again, the rest is "
            "trained again."
        ) from error


def _require_listed(name: str) -> None:
    """Refuse a space whose classes have too many members to give each a row."""
    size = get_space(name).size
    if size is None or size > MOST_LISTED:
        raise BadOption(
            f"isomorphs: 'once' gives every code of a class a row, and {name} is too large for that. Take "
            "'distinct' or 'separate'."
        )


def _isomorphs_of(stored: TableData) -> Isomorphs:
    """Tell how a table was filled."""
    if TRAINED_ROW in stored.scalars:
        return "once"
    if stored.info.rows_answer_for == "class" or _NOTE["distinct"] in stored.info.notes:
        return "distinct"
    return "separate"


def ledger_path(table: Path, name: str) -> Path:
    """Name the ledger of a table: ``FILE.ledger.sqlite``, with the table's name where it is another."""
    inner = "" if kebab(table.stem) == name else f".{name}"
    return table.with_name(f"{table.stem}{inner}.ledger.sqlite")


def part_path(table: Path, number: int, count: int) -> Path:
    """Name the part file of a shard: ``FILE.part-2-of-8.h5``."""
    return table.with_name(f"{table.stem}.part-{number}-of-{count}{table.suffix}")


def _identity_of_info(info: TableInfo) -> dict[str, Any]:
    identity = {
        "space": info.space,
        "dataset": info.dataset,
        "splits": json.loads(canonical_json(dict(info.splits))),
        "recipe": json.loads(canonical_json(dict(info.recipe))),
        _DEVICE: info.reference_device,
        "device_kind": info.device_kind,
    }
    if MIXED_NOTE in info.notes:
        identity["mixed_devices"] = True
    return identity
