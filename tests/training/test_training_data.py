import json
import sys

import numpy as np
import pytest

from nasbench.errors import BadOption, MissingExtra, UnknownName
from nasbench.training.data import get_data

pytest.importorskip("torch")
load_digits = pytest.importorskip("sklearn.datasets").load_digits

FIRST_LABELS = [7, 5, 9, 2, 6, 4, 3, 1, 0, 8, 7, 5]


def raw_digits(part):
    """The images of a part as the bytes that scikit-learn gives, whatever they were scaled by."""
    low, high = part.images.min(), part.images.max()
    return {image.tobytes() for image in ((part.images - low) / (high - low) * 16).round().byte().numpy()}


def test_digits_are_1797_images_of_8_by_8_in_three_parts(digits):
    assert [len(part) for part in (digits.train, digits.valid, digits.test)] == [997, 400, 400]
    assert digits.image_shape == (1, 8, 8)
    assert digits.classes == 10


def test_digits_are_all_there_and_no_image_is_in_two_parts(torch, digits):
    images = torch.cat([part.images for part in (digits.train, digits.valid, digits.test)]).flatten(1)
    raw = torch.tensor(load_digits().images, dtype=torch.float32).flatten(1)
    spread = raw.std() / images.std()
    back = ((images - images.min()) * spread).round()
    assert sorted(map(tuple, back.int().tolist())) == sorted(map(tuple, raw.int().tolist()))


def test_training_pixels_have_mean_zero_and_deviation_one(digits):
    assert float(digits.train.images.mean()) == pytest.approx(0.0, abs=1e-5)
    assert float(digits.train.images.std()) == pytest.approx(1.0, abs=1e-5)


def test_the_split_is_fixed_by_its_seed(torch, digits):
    assert torch.equal(get_data("digits", split_seed=0).valid.images, digits.valid.images)
    assert not torch.equal(get_data("digits", split_seed=1).valid.labels, digits.valid.labels)


def test_every_class_is_in_every_part(digits):
    for part in (digits.train, digits.valid, digits.test):
        assert part.labels.unique().tolist() == list(range(10))


def test_a_chosen_number_of_digits_is_trained_on_and_the_rest_is_halved():
    few = get_data("digits", train_images=200)
    assert [len(part) for part in (few.train, few.valid, few.test)] == [200, 799, 798]


def test_few_digits_are_among_more_of_the_same_seed():
    few, more = (get_data("digits", train_images=n) for n in (100, 300))
    assert raw_digits(few.train) <= raw_digits(more.train)


def test_every_part_holds_the_classes_in_proportion():
    data = get_data("digits", train_images=200)
    whole = np.bincount(load_digits().target)
    for part in (data.train, data.valid, data.test):
        shares = whole * len(part) / 1797
        assert (np.abs(part.labels.bincount().numpy() - shares) <= 1).all()


def test_the_digits_are_the_same_in_every_version():
    # Written into tables: another checksum or another split makes their trainings unrepeatable.
    data = get_data("digits", train_images=200)
    assert data.splits["sha256"].startswith("3bdcbf898d4e")
    assert data.train.labels[:12].tolist() == FIRST_LABELS


def test_the_splits_say_what_each_part_holds_and_are_plain_values():
    splits = get_data("digits", split_seed=3, train_images=200).splits
    assert (
        splits["train"] == "200 of the 1,797 images of digits, drawn at random in proportion to the classes"
    )
    assert splits["split_seed"] == 3
    assert json.loads(json.dumps(splits)) == splits


@pytest.mark.parametrize("images", [9, 1778])
def test_a_training_part_that_leaves_a_part_without_a_class_is_refused(images):
    with pytest.raises(BadOption, match=f"train_images: expected 10 to 1,777 images, got {images:,}"):
        get_data("digits", train_images=images)


def test_a_path_for_the_digits_is_refused():
    with pytest.raises(BadOption, match="digits has no files to look for"):
        get_data("digits:/tmp")


@pytest.mark.parametrize("name", ["npz", "npz:", "idx"])
def test_a_set_that_is_only_a_file_needs_its_path(name):
    with pytest.raises(BadOption, match=f"expected {name.strip(':')}:PATH, got '{name}'"):
        get_data(name)


def test_names_are_forgiving(digits):
    assert get_data(" Digits ").name == digits.name


def test_a_copy_to_a_device_keeps_what_the_splits_say(torch, digits):
    assert digits.to(torch.device("cpu")).splits == digits.splits


def test_unknown_data_set_is_named():
    with pytest.raises(UnknownName, match=r"no data set is named 'digit'. Did you mean 'digits'"):
        get_data("digit")


def test_without_torch_the_install_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"digits data set needs torch.*pip install 'nasbench\[torch\]'"):
        get_data("digits")


def test_without_scikit_learn_the_install_command_is_named(torch, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtra, match=r"needs scikit-learn.*pip install 'nasbench\[torch\]'"):
        get_data("digits")
