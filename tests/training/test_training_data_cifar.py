import hashlib
import io
import pickle
import struct
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from nasbench.errors import FormatError, MissingExtra
from nasbench.training.data.cifar import CIFAR10, CIFAR100, missing_batches, parse_batch, read_cifar


def python2_string(text):
    """A string as Python 2 pickles it: opcode BINSTRING."""
    return b"T" + struct.pack("<I", len(text)) + text


def python2_batch(data, labels, key="labels", *, reconstruct=b"numpy.core.multiarray\n_reconstruct\n"):
    """A batch opcode by opcode as Python 2 and numpy 1 wrote the published ones (protocol 2)."""
    rows, columns = data.shape
    array = (
        b"c" + reconstruct + b"cnumpy\nndarray\nK\x00\x85" + python2_string(b"b") + b"\x87R"
        b"(K\x01" + b"J" + struct.pack("<i", rows) + b"J" + struct.pack("<i", columns) + b"\x86"
        b"cnumpy\ndtype\n" + python2_string(b"u1") + b"K\x00K\x01\x87R"
        b"(K\x03" + python2_string(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89" + python2_string(data.tobytes()) + b"tb"
    )  # fmt: skip
    numbers = b"](" + b"".join(b"J" + struct.pack("<i", label) for label in labels) + b"e"
    return b"\x80\x02}(" + python2_string(b"data") + array + python2_string(key.encode()) + numbers + b"u."


def images(n, seed):
    return np.random.default_rng(seed).integers(0, 256, (n, 3072), dtype=np.uint8)


def small(files):
    """The set with batches of eight images: their bytes, and the same names without checksums of the real "
    "ones."""
    contents = {
        name: python2_batch(images(8, seed), [0, 1] * 4, files.labels)
        for seed, name in enumerate((*files.train, *files.test))
    }
    known = {
        name: hashlib.md5(content, usedforsecurity=False).hexdigest() for name, content in contents.items()
    }
    return contents, replace(files, known=known)


@pytest.fixture(params=[CIFAR10, CIFAR100], ids=["cifar10", "cifar100"])
def made(request):
    return small(request.param)


@pytest.fixture
def folder(made, tmp_path):
    contents, files = made
    place = tmp_path / files.folder
    place.mkdir()
    for name, content in contents.items():
        (place / name).write_bytes(content)
    return place


@pytest.fixture
def archive(made, tmp_path):
    contents, files = made
    path = tmp_path / files.archive
    with tarfile.open(path, "w:gz") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"{files.folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_the_made_batch_is_what_the_usual_reader_reads():
    batch = pickle.loads(python2_batch(images(8, 0), [3] * 8), encoding="latin1")
    assert np.array_equal(batch["data"], images(8, 0))
    assert batch["labels"] == [3] * 8


def test_a_batch_is_red_then_green_then_blue_row_by_row():
    pixels = parse_batch(python2_batch(images(8, 0), range(8)), labels="labels", where="f")
    assert pixels.images.shape == (8, 3, 32, 32)
    assert pixels.images[2, 1, 5, 7] == images(8, 0)[2, 1024 + 5 * 32 + 7]
    assert pixels.labels.tolist() == list(range(8))


def test_a_folder_of_batches_is_read_in_order(folder, made):
    train, test = read_cifar(folder, made[1])
    n = len(made[1].train)
    wanted = np.concatenate([images(8, seed) for seed in range(n)])
    assert np.array_equal(train.images.reshape(-1, 3072), wanted)
    assert np.array_equal(test.images.reshape(-1, 3072), images(8, n))
    assert len(train.labels) == 8 * n


def test_an_archive_is_read_like_its_folder(folder, archive, made):
    for a, b in zip(read_cifar(folder, made[1]), read_cifar(archive, made[1]), strict=True):
        assert np.array_equal(a.images, b.images)
        assert np.array_equal(a.labels, b.labels)


def test_another_batch_than_the_published_one_is_refused(folder):
    with pytest.raises(FormatError, match=r"expected the published file \(MD5 .*\), got another"):
        read_cifar(folder, CIFAR10 if folder.name == CIFAR10.folder else CIFAR100)


def test_a_lacking_batch_is_named(folder, made):
    (folder / made[1].test[0]).unlink()
    assert missing_batches(made[1])(folder) == list(made[1].test)
    with pytest.raises(MissingExtra, match=f"expected a readable file .*{made[1].test[0]}"):
        read_cifar(folder, made[1])


def test_a_lacking_member_of_an_archive_is_named(archive, made):
    files = replace(made[1], test=("other_batch",))
    with pytest.raises(FormatError, match=f"expected {files.folder}/other_batch in it, got none"):
        read_cifar(archive, files)


@pytest.mark.parametrize("keep", [0.5, 0.0])
def test_a_truncated_archive_is_refused(archive, made, keep):
    content = archive.read_bytes()
    archive.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(
        FormatError, match=r"python.tar.gz: expected a whole archive, got one that breaks off"
    ):
        read_cifar(archive, made[1])


def test_a_truncated_batch_is_refused():
    with pytest.raises(FormatError, match="f: expected a whole pickle"):
        parse_batch(python2_batch(images(8, 0), [0] * 8)[:-100], labels="labels", where="f")


@pytest.mark.parametrize("name", [b"os\nsystem\n", b"builtins\neval\n", b"numpy\nload\n"])
def test_a_batch_that_would_run_something_is_refused(name):
    content = python2_batch(images(8, 0), [0] * 8, reconstruct=name)
    with pytest.raises(FormatError, match=r"f: expected plain values only, got the global"):
        parse_batch(content, labels="labels", where="f")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps([1], 2), "f: expected a dict with 'data' and 'labels'"),
        (pickle.dumps({"data": 1}, 2), "f: expected a dict with 'data' and 'labels'"),
        (pickle.dumps({"data": 1, "labels": []}, 2), r"f: data: expected unsigned bytes .* got int"),
        (python2_batch(images(8, 0)[:, :100], [0] * 8), r"f: data: .*, got uint8 of shape \(8, 100\)"),
        (python2_batch(images(8, 0), [0] * 7), "f: labels: expected one for each of the 8 images, got 7"),
        (python2_batch(images(8, 0), [-1] * 8), "f: labels: expected n whole numbers from 0"),
    ],
)  # fmt: skip
def test_a_foreign_batch_is_named_with_its_field(content, message):
    with pytest.raises(FormatError, match=message):
        parse_batch(content, labels="labels", where="f")


def test_labels_that_are_no_numbers_are_refused():
    content = python2_batch(images(1, 0), [0]).replace(b"](J\x00\x00\x00\x00e", b"](Ne")
    with pytest.raises(FormatError, match="f: labels: expected whole numbers, got something else"):
        parse_batch(content, labels="labels", where="f")
