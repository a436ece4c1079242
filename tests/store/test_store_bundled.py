from __future__ import annotations

from pathlib import Path

import pytest

import nasbench.store.bundled as bundled
from nasbench.errors import MissingExtra, UnknownName
from nasbench.store.bundled import data_folder, find_data_file, find_table, list_tables
from nasbench.store.writer import write_tables

NB201 = {"nb201-cifar10", "nb201-cifar100", "nb201-imagenet16-120"}


@pytest.fixture
def own_folder(file, monkeypatch):
    monkeypatch.setenv("NASBENCH_DATA", str(file.parent))
    return file.parent


def test_the_tables_that_come_with_the_program_are_listed():
    assert set(list_tables()) >= NB201


def test_a_folder_of_ones_own_comes_first_and_hides_nothing(own_folder):
    assert data_folder() == own_folder
    assert set(list_tables()) >= {"toy", *NB201}
    assert find_table("toy").path == own_folder / "toy.h5"


def test_a_table_in_ones_own_folder_wins_over_one_of_the_same_name(own_folder, make_data):
    write_tables(own_folder / "mine.h5", [make_data("nb201-cifar10", n=3)])
    assert len(find_table("nb201-cifar10")) == 3


@pytest.mark.parametrize("name", ["nb201-imagenet16-120", "NB201_ImageNet16_120", " nb201_imagenet16-120 "])
def test_names_are_forgiving(name):
    assert find_table(name).name == "nb201-imagenet16-120"


def test_a_path_opens_its_table(file, make_data):
    assert find_table(str(file)).name == "toy"
    write_tables(file, [make_data("a", n=2), make_data("b", n=3)])
    assert len(find_table(f"{file}:b")) == 3
    with pytest.raises(UnknownName, match="holds 2 tables, got no name"):
        find_table(str(file))
    with pytest.raises(MissingExtra, match="does not exist"):
        find_table(f"{file.parent}/none.h5:b")


def test_an_unknown_name_lists_the_near_ones():
    with pytest.raises(UnknownName, match=r"no table is named 'nb201-cifar'. Did you mean .*'nb201-cifar10'"):
        find_table("nb201-cifar")


def test_files_that_are_no_tables_are_passed_over(own_folder):
    (own_folder / "broken.h5").write_bytes((own_folder / "toy.h5").read_bytes()[:900])
    (own_folder / "text.h5").write_text("hello")
    assert "toy" in list_tables()
    assert find_table("toy").name == "toy"


def test_a_missing_data_file_names_where_it_was_sought(own_folder):
    assert find_data_file("published.csv").name == "published.csv"
    with pytest.raises(MissingExtra, match=f"expected the file nothing.csv, got none in {own_folder}"):
        find_data_file("nothing.csv")


def test_no_data_folder_at_all_says_what_to_set(monkeypatch):
    monkeypatch.setattr(bundled, "data_folders", lambda: ())
    with pytest.raises(MissingExtra, match="set NASBENCH_DATA to a folder"):
        data_folder()


def test_a_folder_that_does_not_exist_is_not_searched(monkeypatch):
    monkeypatch.setenv("NASBENCH_DATA", "/nowhere/at/all")
    assert data_folder() != Path("/nowhere/at/all")
