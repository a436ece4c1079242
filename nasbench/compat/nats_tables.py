"""The imported tables of one NATS-Bench space, asked as the authors' package asks: by index, data set and hp.

``hp`` is the training length as text. Values are the release's own: accuracies in percent, seconds, millions.
"""

from __future__ import annotations

import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, FormatError, NotInSpace, NotMeasured, UnknownName
from nasbench.records import Code
from nasbench.spaces import ProductSpace, get_space
from nasbench.store.bundled import find_table
from nasbench.store.files import table_names
from nasbench.store.imports.nats_tables import METRIC_OF_SPLIT, trusted
from nasbench.store.table import Table, open_table

DATA_SETS = tuple(METRIC_OF_SPLIT)
_NAME = re.compile(r".+?-(?P<data_set>cifar10-valid|cifar10|cifar100|imagenet16-120)-(?P<epochs>\d+)")
_KEY = {1: "01", 12: "12", 90: "90", 200: "200"}


class Point(NamedTuple):
    """What one training had reached on one split.

    Attributes:
        loss: Loss, nats.
        accuracy: Accuracy, percent.
        seconds: Seconds summed to that epoch; None where the release has none.
    """

    loss: float
    accuracy: float
    seconds: float | None


class Trained:
    """All trainings on one data set with one training length.

    Args:
        table: The table.
        data_set: As the release names it.
        size: Architectures of the space.
    """

    def __init__(self, table: Table, data_set: str, size: int) -> None:
        self.table = table
        self.data_set = data_set
        self.epochs = int(table.epochs[-1])
        self.index: npt.NDArray[np.int64] = np.asarray(table.scalar("nats_index"), dtype=np.int64)
        self._row = np.full(size, -1, dtype=np.int64)
        self._row[self.index] = np.arange(len(self.index))
        self.metric_of_split = {
            split: metric
            for split, metric in METRIC_OF_SPLIT[data_set].items()
            if table.has(f"{metric}_accuracy_percent")
        }
        if table.provenance is None:
            raise FormatError(
                f"{table.path}: {table.name}/provenance: expected training seeds, got none. Import the "
                "release again with: nasbench import nats"
            )
        self._rows, self._of = table.provenance
        self._counts: dict[str, npt.NDArray[np.float64]] = {}

    def row(self, index: int) -> int:
        """Return the row of an architecture.

        Raises:
            NotMeasured: The table does not hold it.
        """
        row = int(self._row[index])
        if row < 0:
            raise NotMeasured(
                f"index: table {self.table.name} holds {len(self.table):,} architectures, and {index} is not "
                "one of them. Import a release that has it."
            )
        return row

    def accounts(self, index: int) -> list[dict[str, Any]]:
        """Return what is known of each training of an architecture besides its curves, by repeat."""
        places = self._of[self.row(index)].tolist()
        return [json.loads(self._rows[place]) for place in places if place >= 0]

    def seeds(self, index: int) -> list[int]:
        """Return the training seeds of an architecture, in order of repeats."""
        return [int(account["seed"]) for account in self.accounts(index)]

    def epoch(self, iepoch: int | None) -> int:
        """Return the epoch asked for, counted from 0; None = the last.

        Raises:
            BadOption: The training has no such epoch.
        """
        if iepoch is None:
            return self.epochs - 1
        if not 0 <= iepoch < self.epochs:
            raise BadOption(f"iepoch: expected 0 to {self.epochs - 1} (counted from 0), got {iepoch}.")
        return int(iepoch)

    def point(self, index: int, split: str, repeat: int, epoch: int) -> Point | None:
        """Return what a training had reached on a split; None where the release has nothing of it there."""
        metric = self.metric_of_split.get(split)
        if metric is None:
            return None
        row, column = self.row(index), self.table.column
        accuracy = float(column(f"{metric}_accuracy_percent")[row, repeat, epoch])
        if accuracy != accuracy:
            return None
        seconds = self.seconds(index, split, repeat, epoch)
        return Point(float(column(f"{metric}_loss")[row, repeat, epoch]), accuracy, seconds)

    def seconds(self, index: int, split: str, repeat: int, epoch: int) -> float | None:
        """Return the seconds spent on a split up to an epoch; None where the release has none."""
        metric = f"{self.metric_of_split[split]}_seconds"
        if not self.table.has(metric):
            return None
        seconds = float(self.table.column(metric)[self.row(index), repeat, epoch])
        return None if seconds != seconds else seconds

    def counts(self, name: str) -> npt.NDArray[np.float64]:
        """Return the parameters or multiply-accumulates of every architecture, millions, (rows,)."""
        if name not in self._counts:
            values = [trusted(self.accounts(index), name)[0] for index in self.index.tolist()]
            self._counts[name] = np.array(values)
        return self._counts[name]

    def accuracies(self, split: str) -> npt.NDArray[np.float64]:
        """Return the mean accuracy over the repeats of every architecture after the last epoch, (rows,).

        An architecture of which one repeat lacks the split has nan.

        Raises:
            UnknownName: The data set has no such split.
        """
        if split not in self.metric_of_split:
            raise UnknownName.among("set", split, self.metric_of_split)
        values = self.table.column(f"{self.metric_of_split[split]}_accuracy_percent")[:, :, -1]
        there = self._of >= 0
        total = np.zeros(len(values))
        for repeat in range(values.shape[1]):  # one after the other, as the release's reader adds them
            total = total + np.where(there[:, repeat], values[:, repeat], 0.0)
        return np.asarray(total / there.sum(axis=1), dtype=np.float64)


class NATSTables:
    """All tables of one space in one file.

    Args:
        path: The file.
        space: Name of the space.

    Raises:
        BadOption: The file holds no table of that space that was imported from a release.
    """

    def __init__(self, path: Path, space: str) -> None:
        self.path = path
        made = get_space(space)
        if not isinstance(made, ProductSpace) or made.size is None:
            raise BadOption(f"space: expected nb201 or nats-size, got {space}.")
        self.space: ProductSpace = made
        self.size: int = made.size
        self._names: dict[tuple[str, str], str] = {}
        self._trained: dict[tuple[str, str], Trained] = {}
        for name in table_names(path):
            if (match := _NAME.fullmatch(name)) is not None:
                data_set = next(one for one in DATA_SETS if one.lower() == match["data_set"])
                self._names[data_set, _KEY.get(int(match["epochs"]), match["epochs"])] = name
        first = open_table(path, next(iter(self._names.values()))) if self._names else None
        if first is None or first.info.space != space or "nats_index" not in first.scalars:
            got = "others" if first is None else f"tables of space {first.info.space}"
            raise BadOption(
                f"path: expected tables of space {space} that nasbench import made of a release, got {path} "
                f"with {got}. Give the other search space, or import the release with: nasbench import nats"
            )

    @property
    def data_sets(self) -> list[str]:
        """The data sets, as the release names them."""
        return [name for name in DATA_SETS if any(key[0] == name for key in self._names)]

    @property
    def hps(self) -> list[str]:
        """The training lengths, as the release names them."""
        return sorted({key for _, key in self._names}, key=int)

    def trained(self, data_set: str, hp: str | int) -> Trained:
        """Return the trainings on a data set with a training length.

        Raises:
            UnknownName: No such data set.
            NotMeasured: No such training length.
        """
        key = data_set, str(hp)
        if key not in self._trained:
            if data_set not in self.data_sets:
                raise UnknownName.among("data set", str(data_set), self.data_sets)
            if key not in self._names:
                raise NotMeasured(
                    f"hp: {self.path} holds {', '.join(map(repr, self.hps))}, got {hp!r}. Use one of these."
                )
            self._trained[key] = Trained(open_table(self.path, self._names[key]), data_set, self.size)
        return self._trained[key]

    # Indices ------------------------------------------------------------------------------------

    @cached_property
    def _index_of_rank(self) -> npt.NDArray[np.int64]:
        """The release's index of every architecture of the space, by rank."""
        if self.space.name == "nats-size":
            return np.arange(self.size)
        table = self.trained(*next(iter(self._names))).table
        if len(table) < self.size:  # a part of the release does not tell the order of the whole
            part, table = table, find_table("nb201-cifar10")
        else:
            part = table
        out = np.empty(self.size, dtype=np.int64)
        out[self.space.rank(table.codes)] = np.asarray(table.scalar("nats_index"))
        if not np.array_equal(out[self.space.rank(part.codes)], np.asarray(part.scalar("nats_index"))):
            raise FormatError(
                f"{self.path}: {part.name}/scalars/nats_index: expected the order of the official release, "
                "got another. Import the whole release, which tells its order."
            )
        return out

    @cached_property
    def _rank_of_index(self) -> npt.NDArray[np.int64]:
        return np.argsort(self._index_of_rank)

    def index_of(self, text: str) -> int:
        """Return the index of an architecture in the space's notation, or -1."""
        try:
            code = self.space.parse(text)
        except NotInSpace:
            return -1
        return int(self._index_of_rank[self.space.rank_one(code)])

    def code_of(self, index: int) -> Code:
        """Return the code of an index."""
        return tuple(self.space.unrank([self._rank_of_index[index]])[0].tolist())

    def text_of(self, index: int) -> str:
        """Return an architecture in the authors' notation."""
        return self.space.format(self.code_of(index))

    def indices(self) -> list[int]:
        """List the indices of the architectures that any table holds, in order."""
        return sorted({i for key in self._names for i in self.trained(*key).index.tolist()})
