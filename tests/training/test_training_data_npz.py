import numpy as np
import pytest

from nasbench.errors import FormatError, MissingExtra
from nasbench.training.data import get_data
from nasbench.training.data.npz import read_npz

LABELS = np.tile(np.arange(3), 20)


def grey(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (60, 6, 5), dtype=np.uint8)


@pytest.fixture
def file(tmp_path):
    """Write arrays into an .npz file."""

    def write(**arrays):
        np.savez(tmp_path / "set.npz", **arrays)
        return tmp_path / "set.npz"

    return write


@pytest.mark.parametrize(("images", "labels"), [("images", "labels"), ("x", "y")])
def test_a_whole_set_is_read(file, images, labels):
    whole = read_npz(file(**{images: grey(), labels: LABELS}))["whole"]
    assert np.array_equal(whole.images[:, 0], grey())
    assert whole.labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize("pattern", ["{}_images {}_labels", "x_{} y_{}", "{}_x {}_y"])
def test_parts_are_read_under_all_usual_names(file, pattern):
    names = [pattern.format(part, part).split() for part in ("train", "val", "test")]
    path = file(
        **{name: a for i, pair in enumerate(names) for name, a in zip(pair, (grey(i), LABELS), strict=True)}
    )
    parts = read_npz(path)
    assert list(parts) == ["train", "valid", "test"]
    assert np.array_equal(parts["valid"].images[:, 0], grey(1))


@pytest.mark.parametrize("axis", [1, 3])
def test_channels_may_come_first_or_last(file, axis):
    colour = np.stack([grey(0), grey(1), grey(2)], axis=axis)
    images = read_npz(file(x=colour, y=LABELS))["whole"].images
    assert np.array_equal(images, np.stack([grey(0), grey(1), grey(2)], axis=1))


def test_labels_may_be_a_column(file):
    assert read_npz(file(x=grey(), y=LABELS[:, np.newaxis]))["whole"].labels.tolist() == LABELS.tolist()


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(MissingExtra, match=r"expected an .npz file at .*none.npz, got none"):
        read_npz(tmp_path / "none.npz")


def test_arrays_of_python_objects_are_refused(file):
    with pytest.raises(FormatError, match=r"set.npz: expected a whole .npz file of plain arrays"):
        read_npz(file(x=np.array([object()] * 60), y=LABELS))


def test_a_truncated_file_is_refused(file):
    path = file(x=grey(), y=LABELS)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(FormatError, match=r"set.npz: expected a whole .npz file of plain arrays"):
        read_npz(path)


def test_a_single_array_is_refused(tmp_path):
    np.save(tmp_path / "one.npy", grey())
    with pytest.raises(FormatError, match=r"one.npy: expected a whole .npz file"):
        read_npz(tmp_path / "one.npy")


@pytest.mark.parametrize(
    "arrays",
    [{"a": LABELS}, {"x": LABELS}, {"x_train": grey(), "y_train": LABELS}, {}],
)
def test_other_names_are_refused_and_listed(file, arrays):
    with pytest.raises(
        FormatError, match=f"expected arrays images and labels .*got {', '.join(arrays) or 'none'}"
    ):
        read_npz(file(**arrays))


def test_parts_of_different_shape_are_refused(file):
    with pytest.raises(FormatError, match="expected images of one shape"):
        read_npz(file(x_train=grey(), y_train=LABELS, x_test=grey()[:, :4], y_test=LABELS))


@pytest.mark.parametrize("shape", [(60, 5), (60, 2, 6, 5), (60, 1, 1, 1, 1)])
def test_images_of_another_shape_are_refused(file, shape):
    with pytest.raises(FormatError, match=r"images: expected shape \(n, height, width\)"):
        read_npz(file(x=np.zeros(shape), y=LABELS))


@pytest.mark.parametrize("images", [np.full((60, 2, 2), np.nan), np.zeros((60, 2, 2), bool)])
def test_images_that_are_no_finite_numbers_are_refused(file, images):
    with pytest.raises(FormatError, match="images: expected finite real numbers"):
        read_npz(file(x=images, y=LABELS))


@pytest.mark.parametrize("labels", [LABELS - 1, LABELS.astype(float), np.eye(60, dtype=int)])
def test_labels_that_are_no_class_indices_are_refused(file, labels):
    with pytest.raises(FormatError, match="labels: expected n whole numbers from 0"):
        read_npz(file(x=grey(), y=labels))


def test_a_gap_in_the_classes_is_refused(file):
    with pytest.raises(FormatError, match=r"every class of 0 to 4 in every part, got none of class 1"):
        get_data(f"npz:{file(x=grey(), y=LABELS * 2)}")


def test_a_whole_set_is_cut_in_three(torch, file):
    data = get_data(f"npz:{file(x=grey(), y=LABELS)}")
    assert [len(part) for part in (data.train, data.valid, data.test)] == [30, 15, 15]
    assert (data.name, data.classes, data.image_shape) == ("npz:set", 3, (1, 6, 5))
    assert data.splits["file"] == "set.npz"


def test_validation_is_cut_from_the_training_part_where_there_is_none(torch, file):
    path = file(x_train=grey(), y_train=LABELS, x_test=grey(1)[:30], y_test=LABELS[:30])
    data = get_data(f"npz:{path}", train_images=20)
    assert [len(part) for part in (data.train, data.valid, data.test)] == [20, 10, 30]


def test_three_parts_stay_as_they_are(torch, file):
    arrays = {f"{p}_images": grey(i) for i, p in enumerate(("train", "valid", "test"))}
    path = file(**arrays, **{f"{p}_labels": LABELS for p in ("train", "valid", "test")})
    data = get_data(f"npz:{path}", train_images=12)
    assert len(data.train) == 12
    assert data.valid.labels.tolist() == LABELS.tolist()
    assert data.splits["valid"] == "all 60 valid images of npz"


def test_a_file_of_another_name_is_split_alike(torch, file, tmp_path):
    path = file(x=grey(), y=LABELS)
    other = path.rename(tmp_path / "other.npz")
    again = get_data(f"npz:{other}")
    path = file(x=grey(), y=LABELS)
    assert torch.equal(get_data(f"npz:{path}").test.images, again.test.images)
