"""The stored table of hashes: the same answers, made when it pays, never believed when it is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nb101_few_hashes
import numpy as np
import pytest

from nasbench.cache import CACHE_VARIABLE
from nasbench.spaces import get_space
from nasbench.spaces import nb101_hash as hashing
from nasbench.spaces import nb101_hash_table as stored
from nasbench.spaces.nb101_cells import distinct_cells

SPACE = get_space("nb101")
CONTENT = nb101_few_hashes.right_content()
SHA256 = nb101_few_hashes.sha256_of(CONTENT)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache" / "nb101"


@pytest.fixture
def few(cache, monkeypatch):
    """The file of a table of small cells, which is not there yet."""
    nb101_few_hashes.take_few(SHA256, monkeypatch.setattr)
    yield stored.table_path()
    hashing.class_hash.cache_clear()


def digests(found):
    return [digest.tobytes().hex() for digest in found]


# The file -----------------------------------------------------------------------------------------


def test_the_table_is_made_once_and_read_by_the_next_process(few, monkeypatch, capfd):
    assert stored.read_table() is None
    made = stored.StoredHashes().make()
    assert few.read_bytes() == CONTENT
    assert [path.name for path in few.parent.iterdir()] == [few.name]
    monkeypatch.setattr(stored, "make_table", None)
    read = stored.StoredHashes().make()
    keys = nb101_few_hashes.keys().tolist()
    assert [read.find(key) for key in keys] == [made.find(key) for key in keys]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: content[:30_000] + bytes([content[30_000] ^ 1]) + content[30_001:],
    ],
    ids=["empty", "cut", "longer", "one bit"],
)
def test_a_wrong_file_is_removed_and_made_again(few, damage):
    few.parent.mkdir(parents=True)
    few.write_bytes(damage(CONTENT))
    assert stored.read_table() is None
    assert not few.exists()
    few.write_bytes(damage(CONTENT))
    stored.StoredHashes().make()
    assert few.read_bytes() == CONTENT


def test_a_wrong_file_that_cannot_be_removed_is_not_believed_either(few, monkeypatch):
    few.parent.mkdir(parents=True)
    few.write_bytes(CONTENT[:-1])

    def refuse(path):
        raise PermissionError(path)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert stored.read_table() is None


def test_without_a_cache_the_hashes_are_kept_in_memory(few, tmp_path, monkeypatch):
    nowhere = tmp_path / "a file"
    nowhere.write_text("where the folder should be")
    monkeypatch.setenv(CACHE_VARIABLE, str(nowhere))
    keeping = stored.StoredHashes()
    keys = nb101_few_hashes.keys().tolist()
    assert keeping.make().find(keys[9]) == hashing.worked_out(keys[9])
    assert nowhere.read_text() == "where the folder should be"
    assert keeping.before(1) is keeping.table is not None


def test_a_full_disk_leaves_no_half_file(few, monkeypatch):
    def fill(path, content):
        path.open("wb").close()
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    assert stored.make_table().find(nb101_few_hashes.keys().tolist()[0])
    assert list(few.parent.iterdir()) == []


WRITER = """
import sys
import nb101_few_hashes
from nasbench.spaces import nb101_hash_table as stored
nb101_few_hashes.take_few(sys.argv[1])
for _ in range(3):
    stored.make_table()
"""


def test_two_processes_may_write_at_once(few):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, SHA256], env=env) for _ in range(2)]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        if few.exists():
            seen.add(nb101_few_hashes.sha256_of(few.read_bytes()))
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen == {SHA256}
    assert [path.name for path in few.parent.iterdir()] == [few.name]


# The same answers ---------------------------------------------------------------------------------


def test_hashes_are_the_same_with_the_table(few, rng):
    keys = SPACE.keys(SPACE.sample(300, rng=rng))
    small = distinct_cells(5)[::40]
    keys = np.concatenate([keys, small, keys[::-1]])
    without = digests(hashing.key_hashes(keys))
    hashing.STORED.make()
    hashing.class_hash.cache_clear()
    assert digests(hashing.key_hashes(keys)) == without
    assert [hashing.class_hash(key) for key in keys.tolist()] == without
    assert len(hashing.key_hashes(keys[:0])) == 0


def test_any_key_of_a_cell_has_the_hash_of_its_class(few):
    """One conv3x3 behind another: vertices 4 and 5 of seven, far from the canonical places."""
    matrix = np.zeros((7, 7), dtype=int)
    matrix[0, 4] = matrix[4, 5] = matrix[5, 6] = 1
    code = SPACE.of_cell(matrix, ["input", *["conv3x3-bn-relu"] * 5, "output"])
    key = 0
    for bit in code[:21]:
        key = key << 1 | bit
    key = key << 10 | 0b1111111111
    wanted = hashing.worked_out(SPACE.key(code))
    assert key != SPACE.key(code)
    hashing.STORED.make()
    assert digests(hashing.key_hashes(np.array([key], dtype=np.int32))) == [wanted]
    assert hashing.key_hash(key) == wanted


def test_a_key_that_is_in_no_table_is_not_found(few):
    table = stored.make_table()
    assert table.find(0) is None
    assert table.find(2**31 - 1) is None
    assert table.find_many(np.array([0, 2**31 - 1], dtype=np.int32))[1].tolist() == [False, False]


@pytest.mark.slow
def test_the_table_of_all_cells_is_that_of_the_steps_one_by_one(cache):
    made = stored.make_table()
    assert nb101_few_hashes.sha256_of(stored.table_path().read_bytes()) == stored.SHA256
    keys = np.concatenate([distinct_cells(vertices) for vertices in range(2, 8)]).tolist()
    assert len(keys) == 423_624
    assert all(made.find(key) == hashing.worked_out(key) for key in keys)


# When it pays -------------------------------------------------------------------------------------


def test_few_hashes_do_not_even_look_for_the_table(few):
    few.parent.mkdir(parents=True)
    few.write_bytes(CONTENT)
    keeping = stored.StoredHashes()
    assert keeping.before(stored.READ_AFTER) is None
    assert keeping.before(1) is not None


def test_a_table_that_is_not_there_is_looked_for_once(few):
    keeping = stored.StoredHashes()
    assert keeping.before(stored.READ_AFTER + 1) is None
    few.parent.mkdir(parents=True)
    few.write_bytes(CONTENT)
    assert keeping.before(1) is None


def test_it_is_made_when_as_many_were_worked_out_as_making_costs(few):
    keeping = stored.StoredHashes()
    assert keeping.before(stored.MAKE_AFTER) is None
    assert not few.exists()
    assert keeping.before(1) is not None
    assert few.read_bytes() == CONTENT


def test_hashes_one_by_one_and_many_at_once_count(few, monkeypatch):
    monkeypatch.setattr(stored, "MAKE_AFTER", 2_100)
    cells = distinct_cells(5)
    hashing.key_hashes(cells[100:2_100])
    for key in cells[:100].tolist():
        hashing.class_hash(key)
    assert hashing.STORED.table is None
    hashing.class_hash(int(cells[-1]))
    assert hashing.STORED.table is not None


def test_few_classes_at_once_count_too(few, monkeypatch):
    monkeypatch.setattr(stored, "MAKE_AFTER", 80)
    hashing.key_hashes(distinct_cells(4))
    assert hashing.STORED.table is not None
