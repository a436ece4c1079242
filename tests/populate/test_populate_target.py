from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from populate_fakes import FACTS, JOB, RECIPE, numbers

from nasbench.errors import BadOption, FormatError
from nasbench.populate.filling import missing
from nasbench.populate.ledger import QUARANTINED
from nasbench.populate.plan import Isomorphs, tasks_of
from nasbench.populate.rows import TRAINED_ROW
from nasbench.populate.target import Target, ledger_path, part_path
from nasbench.records import Code
from nasbench.store.table import open_table
from nasbench.store.verify import verify_table
from nasbench.store.writer import write_tables
from nasbench.training.recipe import Recipe


def filled(path: Path, codes: list[Code], *, isomorphs: Isomorphs | None = None, epochs: int = 4) -> Path:
    """Make a finished table without any training."""
    with Target(path, JOB, isomorphs=isomorphs) as target:
        target.bind(FACTS)
        target.ledger.add([numbers(task, epochs=epochs) for task in tasks_of(codes, replicates=2)])
        target.export()
    return path


def forget(path: Path) -> None:
    """Throw the ledger away, as in a fresh clone."""
    for file in path.parent.glob(f"{path.stem}.ledger.sqlite*"):
        file.unlink()


def test_an_exported_table_verifies_and_says_what_it_is(tmp_path: Path, codes: list[Code]) -> None:
    path = filled(tmp_path / "t.h5", codes[:5])
    assert verify_table(path) == []
    info = open_table(path).info
    assert (info.dataset, info.reference_device, info.device_kind) == ("toy", "one core", "cpu")
    assert Recipe.from_dict(info.recipe) == RECIPE
    assert "isomorphs: distinct" in info.notes


def test_nothing_finished_writes_nothing(target: Target) -> None:
    assert target.export() == 0
    assert not target.path.exists()


def test_a_fresh_clone_continues_from_the_table_alone(tmp_path: Path, codes: list[Code]) -> None:
    path = filled(tmp_path / "t.h5", codes[:5])
    before = path.read_bytes()
    forget(path)
    with Target(path, JOB) as target:
        assert missing(target, tasks_of(codes[:6], replicates=2)) == tasks_of([codes[5]], replicates=2)
        target.export()
    assert path.read_bytes() == before


def test_a_table_can_be_written_again_from_the_ledger_alone(tmp_path: Path, codes: list[Code]) -> None:
    path = filled(tmp_path / "t.h5", codes[:5])
    before = path.read_bytes()
    path.unlink()
    with Target(path, JOB) as target:
        target.export()
    assert path.read_bytes() == before


def test_an_expanded_table_stays_expanded_and_continues(tmp_path: Path, codes: list[Code]) -> None:
    path = filled(tmp_path / "t.h5", codes[:30], isomorphs="once")
    before = path.read_bytes()
    assert TRAINED_ROW in open_table(path).scalars
    forget(path)
    with Target(path, JOB) as target:
        assert target.isomorphs == "once"
        assert missing(target, tasks_of(codes[:30], replicates=2)) == []
        target.export()
    assert path.read_bytes() == before


def test_rows_of_a_distinct_table_answer_for_their_class(tmp_path: Path, codes: list[Code]) -> None:
    table = open_table(filled(tmp_path / "t.h5", [(0, 0, 0, 0, 0, 0)]))
    assert table.info.rows_answer_for == "class"
    assert table.query((0, 1, 0, 0, 0, 0), epochs=4, replicate=0) == table.query(
        (0,) * 6, epochs=4, replicate=0
    )


def test_rows_of_a_separate_table_answer_for_themselves_and_stay_so(tmp_path: Path) -> None:
    twins = [(0, 0, 0, 0, 0, 0), (0, 1, 0, 0, 0, 0)]
    path = filled(tmp_path / "t.h5", twins, isomorphs="separate")
    with Target(path, JOB) as target:
        assert target.isomorphs == "separate"
        assert target.export() == 2
    assert open_table(path).info.rows_answer_for == "code"


def test_two_trained_codes_of_a_class_answer_for_themselves(tmp_path: Path) -> None:
    path = filled(tmp_path / "t.h5", [(0, 0, 0, 0, 0, 0), (0, 1, 0, 0, 0, 0)], isomorphs="distinct")
    assert open_table(path).info.rows_answer_for == "code"


def test_longer_trainings_replace_shorter_ones(tmp_path: Path, codes: list[Code]) -> None:
    path = filled(tmp_path / "t.h5", codes[:3], epochs=2)
    with Target(path, JOB) as target:
        assert len(missing(target, tasks_of(codes[:3], replicates=2))) == 6
        target.ledger.add([numbers(task, epochs=4) for task in tasks_of(codes[:3], replicates=2)])
        target.export()
    assert open_table(path).epochs == (1, 2, 3, 4)


def test_other_tables_of_the_file_are_kept(tmp_path: Path, codes: list[Code]) -> None:
    path = filled(tmp_path / "t.h5", codes[:3])
    other = replace(open_table(path).data(), name="other")
    write_tables(path, [open_table(path).data(), other])
    with Target(path, JOB, name="t") as target:
        target.ledger.add([numbers(tasks_of([codes[4]], replicates=1)[0], epochs=4)])
        target.export()
    assert len(open_table(path, "other")) == 3
    assert len(open_table(path, "t")) == 4


def test_what_another_program_added_meanwhile_is_kept(tmp_path: Path, codes: list[Code]) -> None:
    path = tmp_path / "t.h5"
    (tmp_path / "elsewhere").mkdir()
    foreign = filled(tmp_path / "elsewhere" / "t.h5", codes[:3])
    with Target(path, JOB) as target:
        target.bind(FACTS)
        target.ledger.add([numbers(tasks_of([codes[4]], replicates=1)[0], epochs=4)])
        path.write_bytes(foreign.read_bytes())
        target.export()
    assert len(open_table(path)) == 4


def test_a_share_is_borrowed_from_the_whole_table(tmp_path: Path, codes: list[Code]) -> None:
    whole = filled(tmp_path / "t.h5", codes[:6])
    with Target(part_path(whole, 1, 2), JOB, name="t") as part:
        part.borrow(whole, codes[:3])
        assert missing(part, tasks_of(codes[:6], replicates=2)) == tasks_of(codes[3:6], replicates=2)


def test_a_licence_is_written_and_kept(tmp_path: Path, codes: list[Code]) -> None:
    path = filled(tmp_path / "t.h5", codes[:2])
    assert open_table(path).info.licence == "not stated"
    with Target(path, JOB, licence="CC0") as target:
        target.export()
    with Target(path, JOB) as target:
        target.export()
    assert open_table(path).info.licence == "CC0"


def test_quarantined_trainings_are_released_from_table_and_ledger(tmp_path: Path, codes: list[Code]) -> None:
    path = tmp_path / "t.h5"
    task = tasks_of(codes[:1], replicates=1)[0]
    given_up = replace(numbers(task, epochs=1), status="failed", reason=f"{QUARANTINED} after 3 tries: died")
    with Target(path, JOB) as target:
        target.bind(FACTS)
        target.ledger.add([given_up, numbers(tasks_of([codes[1]], replicates=1)[0], epochs=4)])
        target.export()
    with Target(path, JOB) as target:
        assert missing(target, [task]) == []
    with Target(path, JOB, retry_quarantined=True) as target:
        assert missing(target, [task]) == [task]


def test_names_of_files() -> None:
    assert ledger_path(Path("a/t.h5"), "t") == Path("a/t.ledger.sqlite")
    assert ledger_path(Path("a/t.h5"), "other") == Path("a/t.other.ledger.sqlite")
    assert part_path(Path("a/t.h5"), 2, 8) == Path("a/t.part-2-of-8.h5")


def test_another_recipe_is_refused_with_what_differs(tmp_path: Path, codes: list[Code]) -> None:
    path = filled(tmp_path / "t.h5", codes[:2])
    other = replace(JOB, recipe=replace(RECIPE, batch_size=9))
    with pytest.raises(
        BadOption, match=r"recipe: .*t\.h5 was trained by another recipe \(batch_size 8 against 9\)"
    ):
        Target(path, other)


def test_a_recipe_written_before_it_had_all_its_fields_is_the_same(tmp_path: Path, codes: list[Code]) -> None:
    path = filled(tmp_path / "t.h5", codes[:2])
    forget(path)
    data = open_table(path).data()
    early = {key: value for key, value in data.info.recipe.items() if key != "label_smoothing"}
    write_tables(path, [replace(data, info=replace(data.info, recipe=early))])
    with Target(path, JOB) as target:
        target.bind(FACTS)
        assert missing(target, tasks_of(codes[:2], replicates=2)) == []


def test_another_recipe_is_refused_by_the_ledger_too(tmp_path: Path) -> None:
    with Target(tmp_path / "t.h5", JOB) as target:
        target.bind(FACTS)
    with pytest.raises(BadOption, match=r"recipe: .*ledger\.sqlite was trained by another recipe"):
        Target(tmp_path / "t.h5", replace(JOB, recipe=replace(RECIPE, batch_size=9)))


def test_another_space_is_refused(tmp_path: Path, codes: list[Code]) -> None:
    path = filled(tmp_path / "t.h5", codes[:2])
    with pytest.raises(BadOption, match=r"space: .*t\.h5 holds nb201, got nb101"):
        Target(path, replace(JOB, space="nb101"))


def test_other_data_is_refused(tmp_path: Path, codes: list[Code]) -> None:
    with (
        Target(filled(tmp_path / "t.h5", codes[:2]), JOB) as target,
        pytest.raises(BadOption, match='dataset: table t holds "toy", got "others"'),
    ):
        target.bind(replace(FACTS, dataset="others"))


def test_another_device_is_refused_unless_allowed_and_then_said(tmp_path: Path, codes: list[Code]) -> None:
    path = filled(tmp_path / "t.h5", codes[:2])
    other = replace(FACTS, device="another core")
    with (
        Target(path, JOB) as target,
        pytest.raises(BadOption, match="device: table t counts seconds of one core, got another core"),
    ):
        target.bind(other)
    with Target(path, JOB, mixed_devices=True) as target:
        target.bind(other)
        target.export()
    assert "several devices" in open_table(path).info.notes
    forget(path)
    with Target(path, JOB) as target:
        target.bind(other)
        assert target.ledger.identity()["device"] == "one core"  # type: ignore[index]


def test_a_gpu_is_refused_by_a_table_of_cpu_seconds(tmp_path: Path, codes: list[Code]) -> None:
    with (
        Target(filled(tmp_path / "t.h5", codes[:2]), JOB, mixed_devices=True) as target,
        pytest.raises(BadOption, match="device_kind"),
    ):
        target.bind(replace(FACTS, device="a GPU", device_kind="gpu"))


def test_a_damaged_table_is_refused_and_named_and_made_again(tmp_path: Path, codes: list[Code]) -> None:
    path = filled(tmp_path / "t.h5", codes[:5])
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole.replace(b"\x00\x00\x80\x3f", b"\x00\x00\x00\x40", 1)):
        path.write_bytes(damaged)
        with pytest.raises(FormatError, match=r"t\.h5.* Move t\.h5 away"):
            Target(path, JOB)
    path.unlink()
    with Target(path, JOB) as target:
        target.export()
    assert path.read_bytes() == whole


def test_a_table_and_a_ledger_that_differ_are_refused(tmp_path: Path, codes: list[Code]) -> None:
    path = filled(tmp_path / "t.h5", codes[:2])
    with Target(path, JOB) as target:
        wrong = numbers(tasks_of([codes[0]], replicates=1)[0], epochs=4)
        target.ledger.add([replace(wrong, curves={**wrong.curves, "valid_error": (0.5,) * 4})])
    with pytest.raises(FormatError, match=r"t\.h5 and t\.ledger\.sqlite differ in the errors of"):
        Target(path, JOB)


@pytest.mark.parametrize(
    ("path", "message"), [("t.csv", r"table: expected a name that ends in \.h5"), ("no/t.h5", "no folder")]
)
def test_a_path_that_cannot_be_a_table_is_refused(tmp_path: Path, path: str, message: str) -> None:
    with pytest.raises(BadOption, match=message):
        Target(tmp_path / path, JOB)


def test_rows_for_every_code_of_a_class_are_refused_where_there_are_too_many(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match=r"isomorphs: 'once' .* darts is too large"):
        Target(tmp_path / "t.h5", replace(JOB, space="darts"), isomorphs="once")


# Taking over another table -------------------------------------------------------------------------


def test_trainings_of_another_table_are_taken_over(tmp_path: Path, codes: list[Code]) -> None:
    mine, theirs = filled(tmp_path / "mine.h5", codes[:3]), filled(tmp_path / "theirs.h5", codes[2:7])
    with Target(mine, JOB) as target:
        assert target.take(open_table(theirs)) == 4 * 2
        assert target.take(open_table(theirs)) == 0
        assert target.export() == 7
    both = filled(tmp_path / "both.h5", codes[:7])
    assert open_table(mine).content_hash == open_table(both).content_hash


def test_a_table_of_equal_networks_other_data_or_recipe_is_not_taken(
    tmp_path: Path, codes: list[Code]
) -> None:
    mine = filled(tmp_path / "mine.h5", codes[:2])
    once = filled(tmp_path / "once.h5", codes[:2], isomorphs="once")
    with Target(mine, JOB) as target:
        with pytest.raises(BadOption, match="take: expected a table whose rows were each trained, got once"):
            target.take(open_table(once))
        for change, message in (
            ({"dataset": "other"}, 'dataset: table mine holds "toy", got "other"'),
            ({"recipe": replace(RECIPE, epochs=3).to_dict()}, "was trained by another recipe"),
            ({"reference_device": "another core"}, "device: table mine counts seconds of one core"),
        ):
            data = open_table(filled(tmp_path / "theirs.h5", codes[:2])).data()
            write_tables(tmp_path / "o.h5", [replace(data, info=replace(data.info, **change))])
            with pytest.raises(BadOption, match=message):
                target.take(open_table(tmp_path / "o.h5"))
