"""TFRecord files: whole records come out as they went in, damaged ones stop the reading or are left out."""

from __future__ import annotations

import re
import struct

import pytest
from nb101_file import framed, masked, write_file

from nasbench.errors import FormatError
from nasbench.store.imports import tfrecord
from nasbench.store.imports.tfrecord import read_blocks

PAYLOADS = [b"one", b"", b"three" * 40, bytes(range(256)), b"five"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.tfrecord"


@pytest.fixture
def small_chunks(monkeypatch):
    """Read so few bytes at a time that records lie across the borders."""
    monkeypatch.setattr(tfrecord, "_CHUNK", 37)


def read(path, **options):
    blocks = list(read_blocks(path, **options))
    return (
        [payload for block in blocks for payload in block.payloads],
        [position for block in blocks for position in block.positions],
        [position for block in blocks for position in block.damaged],
    )


def test_records_come_out_as_they_went_in(path):
    positions = write_file(path, PAYLOADS)
    assert read(path) == (PAYLOADS, positions, [])


def test_records_lie_across_chunks(path, small_chunks):
    positions = write_file(path, PAYLOADS)
    assert read(path) == (PAYLOADS, positions, [])


def test_reading_begins_anywhere(path, small_chunks):
    positions = write_file(path, PAYLOADS)
    assert read(path, start=positions[2]) == (PAYLOADS[2:], positions[2:], [])
    ends = [block.end for block in read_blocks(path)]
    assert ends[-1] == path.stat().st_size


def test_every_byte_is_handed_on(path, small_chunks):
    write_file(path, PAYLOADS)
    seen = []
    list(read_blocks(path, on_bytes=seen.append))
    assert b"".join(seen) == path.read_bytes()


def test_an_empty_file_has_no_records(path):
    path.write_bytes(b"")
    assert read(path) == ([], [], [])


@pytest.mark.parametrize("chunk", [37, 1 << 20])
@pytest.mark.parametrize("damaged", [0, 2, 4])
def test_a_changed_payload_stops_with_its_position_or_is_left_out(path, monkeypatch, chunk, damaged):
    monkeypatch.setattr(tfrecord, "_CHUNK", chunk)
    positions = write_file(path, PAYLOADS)
    data = bytearray(path.read_bytes())
    data[positions[damaged] + 13] ^= 1
    path.write_bytes(data)
    message = (
        f"record at byte {positions[damaged]:,}: expected a whole record, but the check sum of its payload"
    )
    with pytest.raises(FormatError, match=re.escape(message)):
        read(path)
    left = [i for i in range(5) if i != damaged]
    expected = ([PAYLOADS[i] for i in left], [positions[i] for i in left], [positions[damaged]])
    assert read(path, skip_damaged=True) == expected


@pytest.mark.parametrize("chunk", [37, 1 << 20])
@pytest.mark.parametrize("byte", [0, 5, 9])
@pytest.mark.parametrize("damaged", [0, 3])
def test_a_changed_length_is_left_out_up_to_the_next_record(path, monkeypatch, chunk, byte, damaged):
    monkeypatch.setattr(tfrecord, "_CHUNK", chunk)
    positions = write_file(path, PAYLOADS)
    data = bytearray(path.read_bytes())
    data[positions[damaged] + byte] ^= 0x41
    path.write_bytes(data)
    with pytest.raises(FormatError, match=f"record at byte {positions[damaged]}: .* its length or the check"):
        read(path)
    payloads, found, lost = read(path, skip_damaged=True)
    left = [i for i in range(5) if i != damaged]
    assert payloads == [PAYLOADS[i] for i in left]
    assert found == [positions[i] for i in left]
    assert lost[0] == positions[damaged]


def test_a_file_that_breaks_off_says_where(path):
    positions = write_file(path, PAYLOADS)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FormatError, match=f"byte {positions[-1]}: .* the file breaks off inside it"):
        read(path)
    assert read(path, skip_damaged=True) == (PAYLOADS[:-1], positions[:-1], [positions[-1]])


def test_a_monstrous_length_with_a_sound_check_sum_is_not_believed(path):
    head = struct.pack("<Q", 1 << 40)
    path.write_bytes(framed(b"one") + head + masked(head) + b"x" * 100 + framed(b"two"))
    with pytest.raises(FormatError, match=r"byte 19: .* its length or the check sum of it is wrong"):
        read(path)
    assert read(path, skip_damaged=True)[0] == [b"one", b"two"]


def test_bytes_that_are_no_records_at_all_are_refused(path):
    path.write_bytes(b"certainly no TFRecord file, but long enough to look like one")
    with pytest.raises(FormatError, match="byte 0: "):
        read(path)
    assert read(path, skip_damaged=True)[0] == []
