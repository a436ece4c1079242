"""NATS-Bench and NAS-Bench-201 from the authors' files: every curve, every split, every training seed.

The release is read one architecture at a time into blocks beside the table, then the tables are made of the
blocks one at a time; memory holds two blocks or one table. A second start goes on after the last whole block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from nasbench.errors import FormatError, NotInSpace
from nasbench.spaces import get_space
from nasbench.store.data import TableData
from nasbench.store.files import new_file
from nasbench.store.imports.nats_blocks import SIZE, Aside, Block, check_order
from nasbench.store.imports.nats_files import Release, open_release
from nasbench.store.imports.nats_record import read_record
from nasbench.store.imports.nats_tables import make_table, table_name
from nasbench.store.writer import write_tables

Progress = Callable[[int, int, str], None]
"""Is told how many architectures of how many were read, and what was done last."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made.

    Attributes:
        path: The file.
        tables: Names of its tables.
        space: Name of the space.
        architectures: Architectures that were read.
        sha256: Checksum of the source.
        damage: What was wrong with the architectures left out; empty where none was.
    """

    path: Path
    tables: tuple[str, ...]
    space: str
    architectures: int
    sha256: str
    damage: tuple[str, ...]


def import_nats(
    path: str | Path,
    table: str | Path,
    *,
    prefix: str | None = None,
    skip_damaged: bool = False,
    progress: Progress = lambda _done, _total, _label: None,
) -> Imported:
    """Turn a release into one table file.

    Args:
        path: The release: a folder ``NATS-*-simple``, a file ``*.pickle.pbz2`` or a file ``*.pth``.
        table: The file to write.
        prefix: How the tables' names begin; None = ``nats-topology`` or ``nats-size``.
        skip_damaged: Leave out architectures whose file or record is damaged instead of stopping there.
        progress: Is told after every architecture.

    Raises:
        MissingExtra: No such release.
        FormatError: Not a release, or something in it is damaged; the message names file and field.
        BadOption: The table is there already, or the half-done import beside it is of another source.
    """
    target, release = new_file(table), open_release(path)
    aside = Aside(target, release.fingerprint())
    done, digests, damage = aside.read_so_far()
    if damage and not skip_damaged:
        raise FormatError(damage[0])
    with ThreadPoolExecutor(1) as writer:  # the disk is waited for while the next block is read
        writing: Future[None] | None = None
        for block in _blocks(release, done, skip_damaged=skip_damaged, progress=progress):
            if writing is not None:
                writing.result()
            writing = writer.submit(aside.add, block)
            digests += block.digests
            damage += block.damage
        if writing is not None:
            writing.result()
    index, texts = aside.architectures()
    if not index:
        raise FormatError(f"{path}: expected at least one whole architecture, got none. Fetch it again.")
    assert release.architectures is not None  # all was read
    check_order(index, texts, release.architectures, where=str(path))
    space = space_by_notation(texts[0])
    sha256 = release.checksum(digests)
    begins = prefix or ("nats-size" if space == "nats-size" else "nats-topology")
    keys = sorted(aside.keys(), key=lambda key: table_name(begins, key[1], key[0]))

    def tables() -> Iterator[TableData]:
        for number, (epochs, data_set) in enumerate(keys):
            progress(number, len(keys), f"table {table_name(begins, data_set, epochs)}")
            yield make_table(
                aside.gather((epochs, data_set), get_space(space)),
                prefix=begins,
                space=space,
                data_set=data_set,
                epochs=epochs,
                source=f"{release.path.name}, SHA-256 {sha256}",
            )

    write_tables(target, tables())
    aside.remove()
    names = tuple(table_name(begins, data_set, epochs) for epochs, data_set in keys)
    return Imported(target, names, space, len(index), sha256, tuple(damage))


def space_by_notation(text: str) -> str:
    """Tell the space by how an architecture is written."""
    return "nb201" if "|" in text else "nats-size"


def _blocks(release: Release, done: int, *, skip_damaged: bool, progress: Progress) -> Iterator[Block]:
    """Read what is not read yet, block by block.

    Raises:
        FormatError: Something is damaged and ``skip_damaged`` is off.
    """
    block, read, total = Block(), done, release.count
    for found in release.records(done):
        read += 1
        block.digests.append(found.sha256)
        try:
            if found.damage is not None:
                raise found.damage
            text, record = read_record(found.record, index=found.index, where=found.where)
            space = get_space(space_by_notation(text))
            try:
                space.parse(text)
            except NotInSpace as error:
                raise FormatError(f"{found.where}: arch_str: {error}") from error
            total = total or space.size
            block.texts.append(text)
            block.index.append(found.index)
            block.records.append(record)
        except FormatError as error:
            if not skip_damaged:
                raise FormatError(f"{error} To leave damaged architectures out: --skip-damaged.") from error
            block.damage.append(str(error))
        progress(read, total or 0, f"architecture {found.index}")
        if len(block.digests) == SIZE:
            yield block
            block = Block()
    if block.digests:
        yield block
