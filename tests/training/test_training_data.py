import sys

import pytest

from nasbench.errors import MissingExtra, UnknownName
from nasbench.training.data import get_data


def test_digits_are_1797_images_of_8_by_8_in_three_parts(digits):
    assert [len(part) for part in (digits.train, digits.valid, digits.test)] == [997, 400, 400]
    assert digits.image_shape == (1, 8, 8)
    assert digits.classes == 10


def test_digits_are_all_there_and_no_image_is_in_two_parts(torch, digits):
    from sklearn.datasets import load_digits

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


def test_unknown_data_set_is_named():
    with pytest.raises(UnknownName, match=r"no data set is named 'cifar10'. Known: digits"):
        get_data("cifar10")


def test_without_torch_the_install_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"digits data set needs torch.*pip install 'nasbench\[torch\]'"):
        get_data("digits")


def test_without_scikit_learn_the_install_command_is_named(torch, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtra, match=r"needs scikit-learn.*pip install 'nasbench\[torch\]'"):
        get_data("digits")
