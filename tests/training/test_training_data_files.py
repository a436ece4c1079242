import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from nasbench.errors import FormatError, MissingExtra
from nasbench.training.data import DATASETS, get_data
from nasbench.training.data.catalogue import FASHION_MNIST_FILES
from nasbench.training.data.files import dataset_folders, find_set, read_bytes
from nasbench.training.data.idx import FILES

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No folder holds any data set."""
    monkeypatch.setattr("nasbench.training.data.files._WELL_KNOWN", (str(tmp_path / "empty"),))
    monkeypatch.delenv("NASBENCH_DATASETS", raising=False)


def write_idx_set(folder):
    """Sixty made-up images for training and twenty for test, of two classes."""
    folder.mkdir(parents=True)
    for name in FILES:
        n = 60 if "train" in name else 20
        shape = (n, 28, 28) if "images" in name else (n,)
        array = np.random.default_rng(0).integers(0, 256, shape) if "images" in name else np.arange(n) % 2
        header = bytes((0, 0, 8, len(shape))) + struct.pack(f">{len(shape)}I", *shape)
        (folder / f"{name}.gz").write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))
    return folder


def missing_mark(place):
    return [] if (place / "mark").is_file() else ["mark"]


def test_named_folders_come_before_the_well_known_ones(monkeypatch, tmp_path):
    monkeypatch.setenv("NASBENCH_DATASETS", f"{tmp_path}:~/mine")
    assert dataset_folders()[:2] == (tmp_path, Path.home() / "mine")
    assert Path("/usr/share/datasets") in dataset_folders()


def test_the_first_place_that_holds_the_set_is_taken(nowhere, monkeypatch, tmp_path):
    for folder in ("a/second", "b/first", "b/second"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "mark").touch()
    monkeypatch.setenv("NASBENCH_DATASETS", f"{tmp_path / 'a'}:{tmp_path / 'b'}")
    found = find_set("set", ("first", "second"), missing_in=missing_mark, hint="")
    assert found == tmp_path / "a/second"


def test_a_path_may_be_the_place_itself_or_hold_it(tmp_path):
    place = tmp_path / "first"
    place.mkdir()
    (place / "mark").touch()
    for path in (place, tmp_path):
        assert find_set("set", ("first",), missing_in=missing_mark, hint="", path=path) == place


def test_a_path_is_the_only_place_that_is_searched(nowhere, monkeypatch, tmp_path):
    (tmp_path / "first").mkdir()
    (tmp_path / "first/mark").touch()
    monkeypatch.setenv("NASBENCH_DATASETS", str(tmp_path))
    with pytest.raises(MissingExtra, match=r"set is not on this machine; looked in .*empty"):
        find_set("set", ("first",), missing_in=missing_mark, hint="", path=tmp_path / "empty")


def test_an_unreadable_file_is_named(tmp_path):
    with pytest.raises(MissingExtra, match=r"expected a readable file .*none, got none \(No such file"):
        read_bytes(tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("fashion-mnist", "apt-get install dataset-fashion-mnist"),
        ("fashion-mnist-14", "FashionMNIST/raw"),
        ("mnist", "Put the four files train-images-idx3-ubyte, "),
        ("cifar10", "Put cifar-10-python.tar.gz there, or the folder cifar-10-batches-py"),
        ("cifar100", "Put cifar-100-python.tar.gz there, or the folder cifar-100-python"),
    ],
)
def test_a_missing_set_ends_with_4_and_says_what_to_put_where(nowhere, name, hint):
    with pytest.raises(MissingExtra, match=f"data: {name} is not on this machine") as caught:
        get_data(name)
    assert caught.value.exit_code == 4
    assert hint in str(caught.value)
    assert "NASBENCH_DATASETS" in str(caught.value)


def test_a_set_with_a_lacking_file_names_it(nowhere, tmp_path):
    folder = write_idx_set(tmp_path / "fashion-mnist")
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(MissingExtra, match=r"fashion-mnist lacks t10k-labels-idx1-ubyte.gz\. Install"):
        get_data(f"fashion-mnist:{tmp_path}")


def test_files_that_only_have_the_names_of_fashion_mnist_are_refused(tmp_path):
    write_idx_set(tmp_path / "fashion-mnist")
    with pytest.raises(FormatError, match="train-images-idx3-ubyte: expected the published file"):
        get_data(f"fashion-mnist:{tmp_path}")


@pytest.mark.parametrize("place", ["fashion-mnist", "FashionMNIST/raw"])
def test_both_usual_folders_are_found_by_the_environment(torch, nowhere, monkeypatch, tmp_path, place):
    write_idx_set(tmp_path / place)
    for name in FILES:
        monkeypatch.delitem(FASHION_MNIST_FILES, name)
    monkeypatch.setenv("NASBENCH_DATASETS", str(tmp_path))
    data = get_data("fashion-mnist")
    assert [len(part) for part in (data.train, data.valid, data.test)] == [50, 10, 20]
    assert data.image_shape == (1, 28, 28)


def test_a_folder_of_idx_files_of_ones_own_is_opened_by_path(torch, tmp_path):
    data = get_data(f"idx:{write_idx_set(tmp_path / 'mine')}", train_images=20)
    assert (len(data.train), data.classes, data.name) == (20, 2, "idx")


def test_every_set_says_what_it_is():
    assert all(data_set.summary for data_set in DATASETS.values())


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="the Debian package dataset-fashion-mnist is not installed")
def test_the_real_fashion_mnist_is_the_published_one_and_balanced(torch):
    data = get_data(f"fashion-mnist-14:{DEBIAN}", train_images=2000)
    assert [len(part) for part in (data.train, data.valid, data.test)] == [2000, 2000, 2000]
    assert data.image_shape == (1, 14, 14)
    assert data.splits["sha256"].startswith("b42e0f3189f4")
    for part in (data.train, data.valid, data.test):
        assert part.labels.bincount().tolist() == [200] * 10
