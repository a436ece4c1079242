import gzip
import hashlib
import struct

import numpy as np
import pytest

from nasbench.errors import FormatError, MissingExtra
from nasbench.training.data.idx import FILES, missing_idx_files, parse_idx, read_idx_set

IMAGES = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
LABELS = np.array([0, 1, 2, 1, 0], dtype=np.uint8)


def idx(array):
    """The bytes of an IDX file, as the format says."""
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path):
    """A whole set of four packed files, the test part mirrored."""
    for name in FILES:
        array = LABELS if "labels" in name else IMAGES if "train" in name else IMAGES[::-1]
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
    return tmp_path


def test_packed_files_are_read(folder):
    train, test = read_idx_set(folder, known={})
    assert train.images.shape == (5, 1, 4, 3)
    assert np.array_equal(train.images[:, 0], IMAGES)
    assert np.array_equal(test.images[:, 0], IMAGES[::-1])
    assert train.labels.tolist() == LABELS.tolist()
    assert train.labels.dtype == np.int64


def test_unpacked_files_are_read_alike(folder):
    packed = read_idx_set(folder, known={})
    for path in folder.iterdir():
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    plain = read_idx_set(folder, known={})
    assert all(np.array_equal(a.images, b.images) for a, b in zip(packed, plain, strict=True))


def test_lacking_files_are_listed(folder):
    assert missing_idx_files(folder) == ()
    (folder / f"{FILES[1]}.gz").unlink()
    assert missing_idx_files(folder) == ("train-labels-idx1-ubyte.gz",)


def test_an_absent_file_is_named(folder):
    (folder / f"{FILES[2]}.gz").unlink()
    with pytest.raises(MissingExtra, match=r"expected a readable file .*t10k-images-idx3-ubyte"):
        read_idx_set(folder, known={})


def test_a_checksum_of_the_unpacked_file_is_compared(folder):
    right = {FILES[0]: hashlib.sha256(idx(IMAGES)).hexdigest()}
    assert len(read_idx_set(folder, known=right)[0]) == 5
    with pytest.raises(
        FormatError, match=r"train-images-idx3-ubyte: expected the published file \(SHA-256 00"
    ):
        read_idx_set(folder, known={FILES[0]: "0" * 64})


def test_a_checksum_of_the_packed_file_is_compared(folder):
    name = f"{FILES[0]}.gz"
    right = {name: hashlib.md5((folder / name).read_bytes(), usedforsecurity=False).hexdigest()}
    assert len(read_idx_set(folder, known=right)[0]) == 5
    with pytest.raises(
        FormatError, match=r"train-images-idx3-ubyte.gz: expected the published file \(MD5 00"
    ):
        read_idx_set(folder, known={name: "0" * 32})


@pytest.mark.parametrize("damage", [lambda content: content[:-9], lambda content: b"not packed" + content])
def test_a_file_that_is_not_a_whole_packed_one_is_refused(folder, damage):
    path = folder / f"{FILES[0]}.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FormatError, match=r"train-images-idx3-ubyte.gz: gzip: expected a whole packed file"):
        read_idx_set(folder, known={})


def test_flipped_bits_inside_a_packed_file_are_refused(folder):
    path = folder / f"{FILES[0]}.gz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(FormatError, match=r"train-images-idx3-ubyte.gz: gzip"):
        read_idx_set(folder, known={})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"f: magic number: expected 00000803 .* got nothing"),
        (idx(LABELS), r"f: magic number: expected 00000803 .* got 00000801"),
        (idx(IMAGES)[:10], r"f: header: expected 16 bytes, got 10"),
        (idx(IMAGES)[:-1], r"f: data: expected 5 x 4 x 3 \(= 60\) bytes, got 59"),
        (idx(IMAGES) + b"0", r"f: data: expected 5 x 4 x 3 \(= 60\) bytes, got 61"),
    ],
)
def test_a_broken_file_is_named_with_its_field(content, message):
    with pytest.raises(FormatError, match=message):
        parse_idx(content, dimensions=3, where="f")


def test_labels_of_another_length_are_refused(folder):
    (folder / f"{FILES[1]}.gz").write_bytes(gzip.compress(idx(LABELS[:4])))
    with pytest.raises(FormatError, match=r"labels: expected one for each of the 5 images, got 4"):
        read_idx_set(folder, known={})
