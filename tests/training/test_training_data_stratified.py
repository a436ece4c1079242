import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.training.data.stratified import check_size, stratified_order

LABELS = np.repeat([0, 1, 2], [50, 30, 7])


def order(seed=0):
    return stratified_order(LABELS, rng=np.random.default_rng(seed))


def test_it_is_a_permutation():
    assert sorted(order().tolist()) == list(range(len(LABELS)))


@pytest.mark.parametrize("seed", range(5))
def test_every_prefix_holds_the_share_of_each_class_within_two_images(seed):
    labels = np.repeat(np.arange(10), 40)
    shuffled = labels[stratified_order(labels, rng=np.random.default_rng(seed))]
    counts = np.eye(10)[shuffled].cumsum(axis=0)
    shares = np.arange(1, len(labels) + 1)[:, np.newaxis] / 10
    assert (np.abs(counts - shares) < 2).all()


def test_classes_of_different_size_keep_their_proportion():
    assert np.abs(np.bincount(LABELS[order()[:44]]) - [25, 15, 3.5]).max() < 3


def test_the_generator_decides():
    assert order(1).tolist() == order(1).tolist()
    assert order(1).tolist() != order(2).tolist()


def test_images_of_a_class_are_shuffled():
    first = [index for index in order() if LABELS[index] == 0]
    assert first != sorted(first)


@pytest.mark.parametrize("images", [2, 81])
def test_a_size_out_of_range_is_refused(images):
    with pytest.raises(BadOption, match=rf"valid_images: expected 3 to 80 images, got {images}\."):
        check_size("valid_images", images, available=100, reserved=20, classes=3)


@pytest.mark.parametrize("images", [3, 80])
def test_a_size_at_the_border_is_taken(images):
    check_size("valid_images", images, available=100, reserved=20, classes=3)
