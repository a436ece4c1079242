from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nasbench.errors import BadOption, FormatError, Mismatch, MissingExtra
from nasbench.spaces import get_space
from nasbench.store.data import Provenance, Scalar, TableData
from nasbench.store.info import TableInfo
from nasbench.store.merge import MIXED_NOTE, ROW_UNIT, merge_tables
from nasbench.store.table import open_table
from nasbench.store.verify import verify_table
from nasbench.store.writer import checked_table, write_tables

INFO = TableInfo(
    space="nb201",
    dataset="toy",
    reference_device="one core",
    device_kind="cpu",
    licence="CC0",
    source="made up for a test",
    splits={"train": 10},
    recipe={"epochs": 3},
)
N = 24


def whole() -> TableData:
    """Make up a table with two repeats, a failed one among them, rows sorted."""
    rng = np.random.default_rng(7)
    shape = N, 2, 3
    valid = rng.random(shape).astype(np.float32)
    seconds = np.cumsum(rng.random(shape) + 0.1, axis=2).astype(np.float32)
    failed = np.zeros((N, 2), np.int8)
    failed[5, 1] = 1
    valid[5, 1, 1:] = np.nan
    return checked_table(
        TableData(
            name="toy",
            info=INFO,
            codes=get_space("nb201").unrank(np.sort(rng.permutation(15_625)[:N])).astype(np.int8),
            epochs=(1, 2, 3),
            curves={"valid_error": valid, "train_seconds": seconds},
            scalars={"parameters": Scalar(np.arange(N, dtype=np.int32), "parameters")},
            failed=failed,
            provenance=Provenance(('{"seed":0}', '{"seed":1}'), np.tile(np.array([0, 1], np.int32), (N, 1))),
        )
    )


def rows_of(data: TableData, rows: list[int], *, replicates: int = 2) -> TableData:
    """Cut a part out of a table."""
    assert data.failed is not None
    assert data.provenance is not None
    return replace(
        data,
        codes=data.codes[rows],
        curves={m: a[rows][:, :replicates] for m, a in data.curves.items()},
        scalars={n: replace(s, values=s.values[rows]) for n, s in data.scalars.items()},
        failed=data.failed[rows][:, :replicates],
        provenance=Provenance(data.provenance.rows, data.provenance.of[rows][:, :replicates]),
    )


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, TableData], str]:
    def write(name: str, data: TableData) -> str:
        path = tmp_path / f"{name}.h5"
        write_tables(path, [data])
        return str(path)

    return write


Written = Callable[[str, TableData], str]


def test_parts_joined_are_the_whole_byte_for_byte(tmp_path: Path, written: Written) -> None:
    data = whole()
    expected = Path(written("whole", data)).read_bytes()
    shares = [list(range(i, N, 3)) for i in range(3)]
    parts = [written(f"part{i}", rows_of(data, share)) for i, share in enumerate(shares)]
    joined = merge_tables(tmp_path / "out.h5", parts)
    assert (joined.name, joined.architectures, joined.trainings, joined.shared) == ("toy", N, 2 * N, 0)
    assert (tmp_path / "out.h5").read_bytes() == expected
    merge_tables(tmp_path / "reversed.h5", parts[::-1])
    assert (tmp_path / "reversed.h5").read_bytes() == expected


def test_a_training_in_two_parts_is_kept_once(tmp_path: Path, written: Written) -> None:
    data = whole()
    parts = [written("a", rows_of(data, list(range(16)))), written("b", rows_of(data, list(range(8, N))))]
    joined = merge_tables(tmp_path / "out.h5", parts)
    assert (joined.trainings, joined.shared) == (2 * N, 16)


def test_second_repeats_come_from_another_part(tmp_path: Path, written: Written) -> None:
    data = whole()
    parts = [written("a", rows_of(data, list(range(N)), replicates=1)), written("b", data)]
    merge_tables(tmp_path / "out.h5", parts)
    assert (tmp_path / "out.h5").read_bytes() == Path(parts[1]).read_bytes()


def test_seconds_measured_twice_are_the_first_parts(tmp_path: Path, written: Written) -> None:
    data = whole()
    slower = replace(data, curves={**data.curves, "train_seconds": data.curves["train_seconds"] * 2})
    parts = [written("a", data), written("b", slower)]
    merge_tables(tmp_path / "out.h5", parts)
    assert (tmp_path / "out.h5").read_bytes() == Path(parts[0]).read_bytes()


def test_row_numbers_are_renumbered(tmp_path: Path, written: Written) -> None:
    data = whole()
    shares = [list(range(0, N, 2)), list(range(1, N, 2))]
    parts = []
    for i, share in enumerate(shares):
        part = rows_of(data, share)
        first = Scalar(np.zeros(len(share), np.int32), ROW_UNIT)
        parts.append(written(f"p{i}", replace(part, scalars={**part.scalars, "trained_row": first})))
    merge_tables(tmp_path / "out.h5", parts)
    rows = open_table(tmp_path / "out.h5").scalar("trained_row")
    assert rows.tolist() == [i % 2 for i in range(N)]


def test_a_part_is_added_to_a_table_that_is_named_too(tmp_path: Path, written: Written) -> None:
    data = whole()
    out = written("out", rows_of(data, list(range(12))))
    other = replace(rows_of(data, [0]), name="other")
    write_tables(out, [open_table(out).data(), other])
    part = written("part", rows_of(data, list(range(12, N))))
    merge_tables(Path(out), [f"{out}:toy", part])
    assert len(open_table(out, "toy")) == N
    assert len(open_table(out, "other")) == 1
    assert verify_table(out) == []


def test_a_table_that_is_there_is_not_lost(written: Written) -> None:
    data = whole()
    out, part = written("out", data), written("part", data)
    with pytest.raises(BadOption, match=r"out: .*out\.h5 is there already and would be lost"):
        merge_tables(Path(out), [part])


def test_conflicting_errors_are_refused_and_named(tmp_path: Path, written: Written) -> None:
    data = whole()
    valid = data.curves["valid_error"].copy()
    valid[3, 1, 2] = 0.5
    parts = [written("a", data), written("b", replace(data, curves={**data.curves, "valid_error": valid}))]
    with pytest.raises(Mismatch, match=r"valid_error: .*a\.h5 and .*b\.h5 differ for \|.*\|, seed 1"):
        merge_tables(tmp_path / "out.h5", parts)
    assert not (tmp_path / "out.h5").exists()


def test_a_training_that_failed_in_one_part_only_is_refused(tmp_path: Path, written: Written) -> None:
    data = whole()
    assert data.failed is not None
    failed = data.failed.copy()
    failed[2, 0] = 1
    parts = [written("a", data), written("b", replace(data, failed=failed))]
    with pytest.raises(Mismatch, match=r"failed: .*seed 0"):
        merge_tables(tmp_path / "out.h5", parts)


def test_conflicting_scalars_are_refused(tmp_path: Path, written: Written) -> None:
    data = whole()
    other = replace(data, scalars={"parameters": Scalar(np.ones(N, np.int32), "parameters")})
    with pytest.raises(Mismatch, match=r"scalars/parameters: .*a\.h5"):
        merge_tables(tmp_path / "out.h5", [written("a", data), written("b", other)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dataset": "others"}, "dataset: .* toy against others"),
        ({"recipe": {"epochs": 4}}, "recipe: .* epochs 3 against 4"),
        ({"splits": {"train": 11}}, "splits: .* train 10 against 11"),
        ({"device_kind": "gpu"}, "device_kind: .* cpu against gpu"),
        ({"rows_answer_for": "class"}, "rows_answer_for: .* code against class"),
    ],
)
def test_parts_of_different_jobs_are_refused(
    tmp_path: Path, written: Written, change: dict[str, object], message: str
) -> None:
    data = whole()
    other = replace(rows_of(data, [0]), info=replace(INFO, **change))  # type: ignore[arg-type]
    with pytest.raises(BadOption, match=message):
        merge_tables(tmp_path / "out.h5", [written("a", data), written("b", other)])


def test_seconds_of_two_devices_are_refused_unless_allowed(tmp_path: Path, written: Written) -> None:
    data = whole()
    other = replace(rows_of(data, [1]), info=replace(INFO, reference_device="another core"))
    parts = [written("a", rows_of(data, [0])), written("b", other)]
    with pytest.raises(BadOption, match=r"reference_device: .* one core, .* another core"):
        merge_tables(tmp_path / "out.h5", parts)
    merge_tables(tmp_path / "out.h5", parts, mixed_devices=True)
    assert MIXED_NOTE in open_table(tmp_path / "out.h5").info.notes


def test_damaged_parts_are_all_named(tmp_path: Path, written: Written) -> None:
    data = whole()
    parts = [written(name, data) for name in "abc"]
    content = Path(parts[0]).read_bytes()
    Path(parts[0]).write_bytes(content[:3_000])
    place = content.index(np.float32(data.curves["valid_error"][0, 0, 0]).tobytes())
    Path(parts[2]).write_bytes(content[:place] + b"\0\0\0\0" + content[place + 4 :])
    with pytest.raises(FormatError, match=r"parts: 2 of 3 are damaged: .*a\.h5.*c\.h5") as caught:
        merge_tables(tmp_path / "out.h5", parts)
    assert "b.h5" not in str(caught.value)


def test_a_part_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingExtra, match=r"nowhere\.h5"):
        merge_tables(tmp_path / "out.h5", [str(tmp_path / "nowhere.h5")])


def test_no_parts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="parts: expected one or more table files, got none"):
        merge_tables(tmp_path / "out.h5", [])
