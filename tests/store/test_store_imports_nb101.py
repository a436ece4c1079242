"""Official-looking NAS-Bench-101 files become tables whose values equal the file's."""

from __future__ import annotations

import hashlib
import json
import struct
import time

import nb101_few_hashes
import numpy as np
import pytest
from nb101_file import (
    EPOCHS,
    SPACE,
    cells,
    double,
    evaluation,
    made_up,
    metrics,
    parameters_of,
    record,
    records_of,
    tag,
    varint,
    write_file,
)

from nasbench.cache import CACHE_VARIABLE
from nasbench.errors import BadOption, FormatError, MissingExtra
from nasbench.evaluation.table_source import TableSource
from nasbench.spaces.nb101_hash import key_hash
from nasbench.spaces.nb101_hash_table import table_path
from nasbench.store.imports import nb101 as importing
from nasbench.store.imports import tfrecord
from nasbench.store.imports.half_done import half_done_path
from nasbench.store.imports.nb101 import HASH_SCALARS, import_nb101
from nasbench.store.imports.nb101_metrics import read_metrics
from nasbench.store.imports.nb101_records import MEASURED, read_records
from nasbench.store.imports.nb101_trainings import NB101Trainings
from nasbench.store.table import open_table
from nasbench.store.verify import verify_table


@pytest.fixture(scope="module")
def drawn():
    return cells(12)


@pytest.fixture(scope="module")
def payloads(drawn):
    return list(records_of(drawn))


@pytest.fixture
def source(tmp_path, payloads):
    path = tmp_path / "nasbench_full.tfrecord"
    write_file(path, payloads)
    return path


@pytest.fixture
def out(tmp_path):
    return tmp_path / "nb101.h5"


# Tables -------------------------------------------------------------------------------------------


def test_every_value_equals_the_source(source, out, drawn):
    made = import_nb101(source, out)
    assert (made.architectures, made.trainings, made.epochs) == (12, 144, EPOCHS)
    assert (made.damaged, made.rounded) == ((), 0)
    table = open_table(out)
    for key, matrix, operations in drawn:
        row = table.row(SPACE.of_cell(matrix, operations))
        assert table.scalar("parameters")[row] == parameters_of(key)
        for e, epochs in enumerate(EPOCHS):
            for repeat in range(3):
                _, half, last = made_up(key, epochs, repeat)
                for prefix, values in (("halfway_", half), ("", last)):
                    _, seconds, train, valid, test = values
                    at = row, repeat, e
                    assert float(table.column(f"{prefix}train_seconds")[at]) == seconds
                    assert 1.0 - float(table.column(f"{prefix}train_error")[at]) == train
                    assert 1.0 - float(table.column(f"{prefix}valid_error")[at]) == valid
                    assert 1.0 - float(table.column(f"{prefix}test_error")[at]) == test


def test_the_table_verifies_and_says_where_it_comes_from(source, out):
    made = import_nb101(source, out)
    assert verify_table(out) == []
    info = open_table(out).info
    assert made.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert info.source == f"nasbench_full.tfrecord, SHA-256 {made.sha256}"
    assert (info.rows_answer_for, info.lengths, info.dataset) == ("class", "own-trainings", "CIFAR-10")
    assert not half_done_path(out).exists()


def test_rows_answer_for_isomorphic_cells(source, out, drawn):
    import_nb101(source, out)
    source_of = TableSource(open_table(out))
    key, matrix, operations = max(drawn, key=lambda cell: len(cell[2]))
    twin = SPACE.canonical([SPACE.of_cell(matrix, operations)])[0]
    answers = [
        source_of.answer(tuple(code), epochs=36, replicate=2)
        for code in (SPACE.of_cell(matrix, operations), twin.tolist())
    ]
    assert answers[0] == answers[1]
    assert 1.0 - answers[0].valid_error == made_up(key, 36, 2)[2][3]


def test_hashes_are_kept_in_two_halves(source, out, drawn):
    import_nb101(source, out)
    table = open_table(out)
    for key, matrix, operations in drawn:
        row = table.row(SPACE.of_cell(matrix, operations))
        halves = b"".join(struct.pack(">q", int(table.scalar(name)[row])) for name in HASH_SCALARS)
        assert halves.hex() == key_hash(key)


def test_the_small_file_makes_a_table_of_one_length(tmp_path, out, drawn):
    path = tmp_path / "nasbench_only108.tfrecord"
    write_file(path, records_of(drawn, epochs=(108,)))
    assert import_nb101(path, out, name="mine").epochs == (108,)
    table = open_table(out)
    assert (table.name, table.epochs, table.column("valid_error").shape) == ("mine", (108,), (12, 3, 1))


def test_missing_repeats_stay_missing(tmp_path, out, drawn, payloads):
    path = tmp_path / "a.tfrecord"
    write_file(path, payloads[:-1])
    import_nb101(path, out)
    table = open_table(out)
    row = table.row(SPACE.of_cell(*drawn[-1][1:]))
    assert table.replicates_of(row) == 2
    assert np.isnan(table.column("valid_error")[row, 2, 3])


def test_numbers_beyond_single_precision_are_counted(tmp_path, out, drawn):
    key, matrix, operations = drawn[0]
    evaluations = made_up(key, 4, 0)
    evaluations[2][1] += 1e-9
    message = metrics(evaluations, parameters_of(key))
    path = tmp_path / "a.tfrecord"
    write_file(path, [record(key_hash(key), 4, matrix, operations, message)])
    assert import_nb101(path, out).rounded == 1
    assert "1 numbers of the source are not exact" in open_table(out).info.notes


def test_more_modules_than_the_first_arrays_hold(tmp_path, out, monkeypatch, drawn, payloads):
    monkeypatch.setattr("nasbench.store.imports.nb101_trainings._FIRST_CAPACITY", 5)
    path = tmp_path / "a.tfrecord"
    write_file(path, payloads)
    import_nb101(path, out)
    assert not np.isnan(open_table(out).column("valid_error")).any()


def test_progress_is_told_in_bytes(source, out, monkeypatch):
    monkeypatch.setattr(tfrecord, "_CHUNK", 20_000)
    told = []
    import_nb101(source, out, progress=lambda done, total, what: told.append((done, total, what)))
    size = source.stat().st_size
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert {total for _, total, _ in told} == {size}
    assert told[-1] == (size, size, "writing the table")
    assert len(told) > 2


def test_a_file_of_most_cells_has_the_hashes_of_all_worked_out(source, out, tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    import_nb101(source, out)
    content = nb101_few_hashes.right_content()
    nb101_few_hashes.take_few(nb101_few_hashes.sha256_of(content), monkeypatch.setattr)
    assert not table_path().exists()
    import_nb101(source, tmp_path / "small.h5")
    assert not table_path().exists()
    monkeypatch.setattr(importing, "_MOST_CELLS_BYTES", source.stat().st_size)
    told = []
    import_nb101(source, tmp_path / "large.h5", progress=lambda *what: told.append(what))
    assert table_path().read_bytes() == content
    assert told[0] == (0, source.stat().st_size, "hashes of all cells")
    assert out.read_bytes() == (tmp_path / "large.h5").read_bytes()


# Refusals -----------------------------------------------------------------------------------------


def test_a_source_that_is_not_there_names_where_it_is(tmp_path, out):
    with pytest.raises(
        MissingExtra, match=r"path: expected nasbench_full.tfrecord .* does not exist. The auth"
    ):
        import_nb101(tmp_path / "none.tfrecord", out)


def test_a_table_that_is_there_is_not_overwritten(source, out):
    out.write_bytes(b"precious")
    with pytest.raises(BadOption, match=r"table: .* is there already and would be lost"):
        import_nb101(source, out)
    assert out.read_bytes() == b"precious"


def test_a_file_without_records_is_refused(tmp_path, out):
    path = tmp_path / "empty.tfrecord"
    path.write_bytes(b"")
    with pytest.raises(FormatError, match="expected records of trainings, got none"):
        import_nb101(path, out)


def test_a_damaged_record_stops_with_its_position(source, out):
    data = bytearray(source.read_bytes())
    data[-10] ^= 1
    source.write_bytes(data)
    with pytest.raises(FormatError, match=r"record at byte [\d,]+: .* --skip-damaged"):
        import_nb101(source, out)
    assert not out.exists()
    made = import_nb101(source, out, skip_damaged=True)
    assert (len(made.damaged), made.trainings) == (1, 143)
    assert "1 damaged records were left out" in open_table(out).info.notes


def sound(drawn):
    key, matrix, operations = drawn[0]
    return {
        "digest": key_hash(key),
        "epochs": 4,
        "matrix": matrix,
        "operations": operations,
        "message": metrics(made_up(key, 4, 0), parameters_of(key)),
    }


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"epochs": 5}, "expected 4, 12, 36, 108 epochs of a module with a hash of 32 digits, got 5"),
        ({"digest": "abcd"}, "hash of 32 digits, got 4 of 'abcd'"),
        ({"digest": "0" * 32}, "expected the hash of its own cell"),
        ({"digest": "xyz"}, "expected a list of module hash, epochs, matrix, operations and metrics"),
        ({"matrix": [[0, 1], [1, 0]]}, "expected the matrix of a valid cell, upper triangular, got '0110'"),
        ({"matrix": [[0, 0], [0, 0]]}, "expected the matrix of a valid cell"),
        (
            {"operations": ["input", "conv5x5", "output"]},
            "expected input, operations and output, got 'input,con",
        ),
        (
            {"operations": ["input", "output"], "matrix": [[0, 1, 0], [0, 0, 1], [0, 0, 0]]},
            "as many operations",
        ),
        ({"message": b"\x08\x01"}, "expected metrics of three evaluations, got others"),
    ],
)
def test_records_that_do_not_say_what_they_should_are_refused(tmp_path, out, drawn, payloads, change, why):
    path = tmp_path / "a.tfrecord"
    positions = write_file(path, [payloads[20], record(**{**sound(drawn), **change}), payloads[21]])
    with pytest.raises(FormatError, match=f"record at byte {positions[1]}: .*{why}"):
        import_nb101(path, out)
    made = import_nb101(path, out, skip_damaged=True)
    assert (made.damaged, made.trainings) == ((positions[1],), 2)


def test_records_that_are_no_json_are_refused(tmp_path, out, payloads):
    path = tmp_path / "a.tfrecord"
    positions = write_file(path, [payloads[0], b'["half', b"1, 2", b"{}", payloads[1]])
    with pytest.raises(FormatError, match=f"record at byte {positions[1]}: expected a list of module hash"):
        import_nb101(path, out)
    assert import_nb101(path, out, skip_damaged=True).damaged == tuple(positions[1:4])


@pytest.mark.parametrize(
    ("place", "value"), [(3, 1.01), (4, -0.1), (2, float("nan")), (1, 0.0), (1, float("inf"))]
)
def test_numbers_out_of_range_are_refused(tmp_path, out, drawn, place, value):
    key = drawn[0][0]
    evaluations = made_up(key, 4, 0)
    evaluations[2][place] = value
    path = tmp_path / "a.tfrecord"
    write_file(path, [record(**{**sound(drawn), "message": metrics(evaluations, parameters_of(key))})])
    with pytest.raises(FormatError, match=r"expected errors in \[0, 1\] and seconds > 0, got"):
        import_nb101(path, out)


def test_a_fourth_repeat_and_other_parameters_are_refused(tmp_path, out, drawn, payloads):
    path = tmp_path / "a.tfrecord"
    write_file(path, [*payloads[:3], payloads[0]])
    with pytest.raises(FormatError, match="expected 3 trainings of a module at 4 epochs, got another"):
        import_nb101(path, out)
    key = drawn[0][0]
    other = record(**{**sound(drawn), "message": metrics(made_up(key, 4, 0), 5)})
    write_file(path, [payloads[0], other])
    with pytest.raises(
        FormatError, match=r"expected .* parameters as in earlier records of the module, got 5"
    ):
        import_nb101(path, out)


# Through a kill -----------------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


def test_a_killed_import_goes_on_and_makes_the_same_table(source, out, tmp_path, monkeypatch):
    monkeypatch.setattr(tfrecord, "_CHUNK", 10_000)
    whole = tmp_path / "whole.h5"
    expected = import_nb101(source, whole)
    begun = []

    def kill(done, total, what):
        begun.append(done)
        if len(begun) == 3:
            raise Killed

    with pytest.raises(Killed):
        import_nb101(source, out, save_every_seconds=0.0, progress=kill)
    assert half_done_path(out).exists()
    again = []
    made = import_nb101(source, out, progress=lambda done, total, what: again.append(done))
    assert again[0] > begun[1]
    assert made == expected
    assert out.read_bytes() == whole.read_bytes()
    assert not half_done_path(out).exists()


def test_a_half_done_import_of_another_file_is_refused(source, out, monkeypatch, tmp_path):
    monkeypatch.setattr(tfrecord, "_CHUNK", 10_000)

    def kill(done, total, what):
        if done > 25_000:
            raise Killed

    with pytest.raises(Killed):
        import_nb101(source, out, save_every_seconds=0.0, progress=kill)
    other = tmp_path / "other.tfrecord"
    other.write_bytes(source.read_bytes()[::-1])
    with pytest.raises(
        FormatError, match=r"expected the half-done import of .*other.tfrecord, got that of anoth"
    ):
        import_nb101(other, out)
    half_done_path(out).write_bytes(b"rubbish")
    with pytest.raises(FormatError, match="expected the half-done import of an earlier start, got something"):
        import_nb101(source, out)


def test_what_was_gathered_is_saved_and_loaded_whole(tmp_path, payloads):
    trainings = NB101Trainings()
    trainings.add(read_records(payloads[:50]))
    trainings.save(tmp_path / "half", position=np.array(7))
    loaded, more = NB101Trainings.load(tmp_path / "half")
    assert int(more["position"]) == 7
    for one in (trainings, loaded):
        assert one.add(read_records(payloads[50:])) == []
    for name in ("keys", "hashes", "parameters", "counts", "curves"):
        assert np.array_equal(getattr(trainings, name), getattr(loaded, name), equal_nan=name == "curves")


def test_a_saved_file_of_another_version_is_refused(tmp_path, monkeypatch):
    trainings = NB101Trainings()
    monkeypatch.setattr("nasbench.store.imports.nb101_trainings._VERSION", 99)
    trainings.save(tmp_path / "half")
    monkeypatch.undo()
    with pytest.raises(FormatError, match="another version"):
        NB101Trainings.load(tmp_path / "half")


# Protocol buffers ---------------------------------------------------------------------------------


def test_messages_of_any_layout_are_read():
    """Paths, missing fields, unknown fields and other orders, mixed with plain ones."""
    plain = [made_up(key, 36, 1) for key in range(40)]
    messages = [metrics(e, 300_000 + 2_000_000 * i, total=float(i)) for i, e in enumerate(plain)]
    messages += [metrics(e, 5, path=f"/a/{i % 3}/path") for i, e in enumerate(plain)]
    unknown = tag(9, 5) + b"abcd" + tag(8, 0) + varint(1 << 40) + tag(7, 1) + bytes(8)
    messages += [unknown + metrics(plain[0], 77), metrics(plain[1], 88) + unknown]
    backward = b"".join(double(field, 0.25 * field) for field in (5, 3, 4, 2, 1))
    messages.append(tag(2, 0) + varint(9) + 3 * (tag(1, 2) + varint(len(backward)) + backward))
    bare = evaluation([])
    messages.append(3 * (tag(1, 2) + varint(len(bare)) + bare))
    found = read_metrics(messages)
    assert found.malformed == []
    expected = [*plain, *plain, plain[0], plain[1]]
    assert np.array_equal(found.evaluations[:-2], np.array(expected))
    assert found.evaluations[-2].tolist() == [[0.25, 0.5, 0.75, 1.0, 1.25]] * 3
    assert not found.evaluations[-1].any()
    assert found.parameters.tolist() == [
        *(300_000 + 2_000_000 * i for i in range(40)), *[5] * 40, 77, 88, 9, 0,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "message",
    [
        b"",
        metrics(made_up(1, 4, 0)[:2], 5),
        metrics(made_up(1, 4, 0), 5)[:-3],
        metrics(made_up(1, 4, 0), 5) + tag(4, 3),
        metrics(made_up(1, 4, 0), 5) + tag(4, 2) + varint(50),
        metrics(made_up(1, 4, 0), 5) + tag(4, 0) + b"\xff" * 11,
        metrics(made_up(1, 4, 0), 5) + b"\x80",
        3 * (tag(1, 2) + varint(2) + tag(1, 0) + varint(1)),
    ],
)
def test_malformed_messages_are_named_and_the_others_read(message):
    sound = metrics(made_up(3, 12, 0), 6)
    found = read_metrics([sound, message, sound])
    assert found.malformed == [1]
    assert found.parameters.tolist() == [6, 0, 6]
    assert np.array_equal(found.evaluations[[0, 2]], np.array([made_up(3, 12, 0)] * 2))


def test_measured_numbers_are_in_the_order_of_their_names(drawn, payloads):
    found = read_records(payloads[:1])
    _, half, last = made_up(drawn[0][0], 4, 0)
    assert dict(zip(MEASURED, found.measured[0].tolist(), strict=True)) == {
        "halfway_train_seconds": half[1],
        "halfway_train_error": 1 - half[2],
        "halfway_valid_error": 1 - half[3],
        "halfway_test_error": 1 - half[4],
        "train_seconds": last[1],
        "train_error": 1 - last[2],
        "valid_error": 1 - last[3],
        "test_error": 1 - last[4],
    }
    assert json.loads(payloads[0])[1] == found.epochs[0]


def test_saving_waits_for_its_time(source, out, monkeypatch):
    monkeypatch.setattr(tfrecord, "_CHUNK", 10_000)
    saved = []
    monkeypatch.setattr(importing.NB101Trainings, "save", lambda *_, **__: saved.append(time.monotonic()))
    import_nb101(source, out, save_every_seconds=3600.0)
    assert saved == []
