"""The official files of NAS-Bench-101 as a table: ``nasbench_full.tfrecord``, ``nasbench_only108.tfrecord``.

Of each module there are three trainings at each of 4, 12, 36 and 108 epochs, every length with a schedule of
its own. The table has a row a canonical cell, which answers for all isomorphic ones, the repeats in the order
of the file, errors 1 - accuracy, and of each training the same numbers half-way (``halfway_valid_error`` and
so on). What was measured before training is not kept.

Source: Ying et al. 2019; google-research/nasbench.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nasbench.errors import BadOption, FormatError, MissingExtra
from nasbench.spaces.nb101 import NB101Space
from nasbench.spaces.nb101_hash_table import STORED
from nasbench.store.data import Scalar, TableData
from nasbench.store.imports.half_done import half_done_path
from nasbench.store.imports.nb1shot1 import one_shot_tables
from nasbench.store.imports.nb101_records import EPOCHS, MEASURED, read_records
from nasbench.store.imports.nb101_trainings import NB101Trainings
from nasbench.store.imports.tfrecord import read_blocks
from nasbench.store.info import TableInfo
from nasbench.store.writer import write_tables

TABLE = "nb101-cifar10"
HASH_SCALARS = ("module_hash_high", "module_hash_low")
"""Scalars with the two halves of the published hash, each a signed whole number of 64 bits."""
_CHUNK = 1 << 23
_FINGERPRINTED = 1 << 20
_MOST_CELLS_BYTES = 400_000_000
"""A file as large as this names so many cells that the hashes of all are worth working out at once."""

OnProgress = Callable[[int, int, str], None]
"""Told bytes read, bytes in all, and what is going on."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made.

    Attributes:
        table: Name of the table.
        others: Names of the tables cut out of it.
        architectures: Its rows.
        trainings: Its trainings, of all lengths.
        epochs: Its training lengths.
        damaged: Byte positions of what was left out.
        rounded: Numbers of the source that the table holds rounded to single precision.
        sha256: Of the source.
    """

    table: str
    others: tuple[str, ...]
    architectures: int
    trainings: int
    epochs: tuple[int, ...]
    damaged: tuple[int, ...]
    rounded: int
    sha256: str


def import_nb101(
    source: Path,
    out: Path,
    *,
    name: str = TABLE,
    one_shot: bool = False,
    skip_damaged: bool = False,
    save_every_seconds: float = 20.0,
    progress: OnProgress = lambda _done, _total, _what: None,
) -> Imported:
    """Turn an official file into a table file.

    What was read is saved beside ``out`` from time to time, and a second start goes on from there.

    Args:
        source: The ``.tfrecord`` file.
        out: The table file to write.
        name: Name of the table.
        one_shot: Write the tables of the spaces of NAS-Bench-1Shot1 into the file too.
        skip_damaged: Leave damaged records out.
        save_every_seconds: Least time between two savings.
        progress: Told how far it is.

    Raises:
        MissingExtra: There is no such source.
        BadOption: ``out`` is there already.
        FormatError: A damaged record, with its byte position; no record at all; or the half-done import
            beside ``out`` is of another file.
    """
    if not source.is_file():
        raise MissingExtra(
            f"path: expected nasbench_full.tfrecord or nasbench_only108.tfrecord, got {str(source)!r}, which "
            "does not exist. The authors' page, github.com/google-research/nasbench, says where they are."
        )
    if out.exists():
        raise BadOption(f"table: {out} is there already and would be lost. Take another name, or remove it.")
    size = source.stat().st_size
    if size >= _MOST_CELLS_BYTES:
        progress(0, size, "hashes of all cells")
        STORED.make()
    reading = _Reading(source, half_done_path(out))
    trainings = reading.read(
        skip_damaged=skip_damaged, save_every_seconds=save_every_seconds, progress=progress
    )
    if not len(trainings):
        raise FormatError(f"{source}: expected records of trainings, got none. Fetch the file again.")
    progress(size, size, "writing the table")
    data = table_of(
        trainings, name=name, file=source.name, sha256=reading.sha256, damaged=len(reading.damaged)
    )
    others = one_shot_tables(data) if one_shot else []
    write_tables(out, [data, *others])
    reading.half_done.unlink(missing_ok=True)
    return Imported(
        name,
        tuple(other.name for other in others),
        len(trainings),
        int(trainings.counts.sum()),
        data.epochs,
        tuple(reading.damaged),
        trainings.rounded,
        reading.sha256,
    )


class _Reading:
    """One pass over a source, from its start or from where an earlier one was killed."""

    def __init__(self, source: Path, half_done: Path) -> None:
        self.source = source
        self.half_done = half_done
        self.damaged: list[int] = []
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of all bytes read so far."""
        return self._hash.hexdigest()

    def read(self, *, skip_damaged: bool, save_every_seconds: float, progress: OnProgress) -> NB101Trainings:
        """Read what is left.

        Raises:
            FormatError: As ``import_nb101``.
        """
        trainings, start = self._begun()
        size = self.source.stat().st_size
        saved = time.monotonic()
        for block in read_blocks(
            self.source, start=start, skip_damaged=skip_damaged, on_bytes=self._hash.update
        ):
            records = read_records(block.payloads)
            refused = sorted([*records.refused, *trainings.add(records)], key=lambda one: one.at)
            if refused and not skip_damaged:
                position = block.positions[refused[0].at]
                raise FormatError(
                    f"{self.source}: record at byte {position:,}: {refused[0].why}. Fetch the file again, or "
                    "leave damaged records out with --skip-damaged."
                )
            self.damaged += sorted([*block.damaged, *(block.positions[one.at] for one in refused)])
            progress(block.end, size, f"{len(trainings):,} modules")
            if time.monotonic() - saved >= save_every_seconds:
                self._save(trainings, block.end)
                saved = time.monotonic()
        return trainings

    def _save(self, trainings: NB101Trainings, position: int) -> None:
        trainings.save(
            self.half_done,
            position=np.array(position),
            damaged=np.array(self.damaged, dtype=np.int64),
            fingerprint=np.array(_fingerprint(self.source, position)),
        )

    def _begun(self) -> tuple[NB101Trainings, int]:
        """Take up an earlier start, if there was one.

        Raises:
            FormatError: It was of another file.
        """
        if not self.half_done.exists():
            return NB101Trainings(), 0
        trainings, values = NB101Trainings.load(self.half_done)
        position = int(values["position"])
        if _fingerprint(self.source, position) != str(values["fingerprint"]):
            raise FormatError(
                f"{self.half_done}: expected the half-done import of {self.source}, got that of another "
                "file. Remove it and start again."
            )
        self.damaged = values["damaged"].tolist()
        with self.source.open("rb") as stream:
            for size in [_CHUNK] * (position // _CHUNK) + [position % _CHUNK]:
                self._hash.update(stream.read(size))
        return trainings, position


def _fingerprint(path: Path, position: int) -> str:
    """Tell a file from others by its size, its first megabyte and the one before a position."""
    with path.open("rb") as stream:
        first = stream.read(min(position, _FINGERPRINTED))
        stream.seek(max(0, position - _FINGERPRINTED))
        last = stream.read(min(position, _FINGERPRINTED))
    return hashlib.sha256(b"%d:%s:%s" % (path.stat().st_size, first, last)).hexdigest()


def table_of(trainings: NB101Trainings, *, name: str, file: str, sha256: str, damaged: int) -> TableData:
    """Make the table of what was gathered.

    Args:
        trainings: At least one.
        name: Name of the table.
        file: Name of the source.
        sha256: Of the source.
        damaged: How many of its records were left out.
    """
    present = np.flatnonzero(trainings.counts.any(axis=0))
    epochs = tuple(EPOCHS[e] for e in present)
    halves = trainings.hashes.copy().view(">i8").astype(np.int64)
    left_out = f" {damaged} damaged records were left out." if damaged else ""
    return TableData(
        name=name,
        info=TableInfo(
            space="nb101",
            dataset="CIFAR-10",
            splits={
                "train": "40,000 of the 50,000 CIFAR-10 training images",
                "valid": "the other 10,000",
                "test": "the 10,000 CIFAR-10 test images",
            },
            recipe={
                "epochs": list(epochs),
                "batch_size": 256,
                "optimizer": "RMSProp, momentum 0.9, epsilon 1.0",
                "learning_rate": 0.2,
                "schedule": "cosine to 0, for each length its own",
                "weight_decay": 0.0001,
                "augmentation": "random crop, padding 4, and random horizontal flip",
                "network": "stem of 128 channels, three stages of 3 cells with 128, 256 and 512 channels",
            },
            reference_device="accelerator (TPU) of the NAS-Bench-101 authors",
            device_kind="gpu",
            licence="Apache-2.0 (google-research/nasbench)",
            source=f"{file}, SHA-256 {sha256}",
            source_url="https://github.com/google-research/nasbench",
            citation=(
                "Ying, Klein, Christiansen, Real, Murphy and Hutter, NAS-Bench-101: Towards Reproducible "
                "Neural Architecture Search, ICML 2019"
            ),
            notes=(
                "Errors are 1 - accuracy of the source and, like seconds, kept in single precision; "
                f"{trainings.rounded:,} numbers of the source are not exact in it. Repeats are in the order "
                "of the source. halfway_*: the same training after half of its epochs. Each training length "
                "is a training of its own. module_hash_high and module_hash_low are the two halves of the "
                f"published hash. The authors' device counts as a GPU here.{left_out}"
            ),
            rows_answer_for="class",
            lengths="own-trainings",
        ),
        codes=NB101Space().of_keys(trainings.keys),
        epochs=epochs,
        curves={
            metric: np.ascontiguousarray(trainings.curves[:, :, present, c])
            for c, metric in enumerate(MEASURED)
        },
        scalars={
            "parameters": Scalar(trainings.parameters.astype(np.int32), "parameters"),
            **{
                scalar: Scalar(np.ascontiguousarray(halves[:, half]), "half of the published module hash")
                for half, scalar in enumerate(HASH_SCALARS)
            },
        },
    )
