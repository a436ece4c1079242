import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.training.data.parts import pooled, split_given, split_published
from nasbench.training.data.pixels import Pixels, checksum

pytest.importorskip("torch")


def made(n, *, first=0):
    """Images of 4 x 4 pixels that are all alike within an image and different between images; four "
    "classes."""
    numbers = np.arange(first, first + n, dtype=np.uint8)
    return Pixels(np.broadcast_to(numbers[:, None, None, None], (n, 1, 4, 4)).copy(), np.arange(n) % 4)


TRAIN, TEST = made(120), made(40, first=200)


def split(**changes):
    options = {"classes": 4, "split_seed": 0, "valid_images": 20} | changes
    return split_published("set", TRAIN, TEST, **options)


def numbers(data, part):
    """Which raw images a part holds: the scaling of a set is undone by its order among all values."""
    raw = np.concatenate([TRAIN.images, TEST.images])[:, 0, 0, 0].astype(np.float64)
    values = getattr(data, part).images[:, 0, 0, 0].double().numpy()
    train = data.splits  # scaled by the training part
    assert train["sha256"]
    mean, deviation = _moments(data)
    return set(np.rint(values * deviation + mean).astype(int)) & set(raw.astype(int))


def _moments(data):
    values = np.unique(
        np.concatenate([p.images.numpy().ravel() for p in (data.train, data.valid, data.test)])
    )
    step = np.min(np.diff(values))  # two neighbouring raw values differ by one
    return 239 - values[-1] / step, 1 / step


def test_parts_hold_different_images():
    data = split(train_images=60)
    train, valid, test = (numbers(data, part) for part in ("train", "valid", "test"))
    assert (len(train), len(valid), len(test)) == (60, 20, 40)
    assert not train & valid
    assert train | valid <= set(range(120))
    assert test == set(range(200, 240))


def test_validation_stays_the_same_however_many_are_trained_on():
    few, more = split(train_images=8), split(train_images=80)
    assert few.valid.labels.tolist() == more.valid.labels.tolist()
    assert numbers(few, "train") <= numbers(more, "train")


def test_without_sizes_everything_is_used():
    data = split()
    assert [len(part) for part in (data.train, data.valid, data.test)] == [100, 20, 40]


def test_validation_may_come_from_the_test_part():
    data = split(valid_from="test")
    assert [len(part) for part in (data.train, data.valid, data.test)] == [120, 20, 20]
    assert numbers(data, "valid") | numbers(data, "test") == set(range(200, 240))
    assert data.splits["valid"].startswith("20 of the 40 test images of set")


def test_the_seed_decides_the_split():
    assert numbers(split(), "valid") == numbers(split(), "valid")
    assert numbers(split(), "valid") != numbers(split(split_seed=1), "valid")


def test_every_part_is_balanced():
    data = split(train_images=40, test_images=20)
    for part in (data.train, data.valid, data.test):
        assert part.labels.bincount().tolist() == [len(part) // 4] * 4


def test_the_checksum_is_that_of_all_raw_images_whatever_is_trained_on():
    assert split().splits["sha256"] == split(train_images=8).splits["sha256"] == checksum(TRAIN, TEST)


def test_the_words_say_how_many_of_how_many():
    splits = split(train_images=40, pool=2).splits
    drawn = "drawn at random in proportion to the classes"
    assert splits["train"] == f"40 of the 120 training images of set, {drawn}"
    assert splits["test"] == "all 40 test images of set"
    assert splits["images"].startswith("2 x 2 pixels, averages of 2 x 2, scaled by mean")


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"train_images": 101}, "train_images: expected 4 to 100 images, got 101"),
        ({"test_images": 3}, "test_images: expected 4 to 40 images, got 3"),
        ({"valid_images": 3}, "valid_images: expected 4 to 116 images, got 3"),
        ({"valid_images": 37, "valid_from": "test", "test_images": 3}, "test_images: expected 4 to 3 images"),
    ],
)
def test_sizes_out_of_range_are_named(sizes, message):
    with pytest.raises(BadOption, match=message):
        split(**sizes)


def test_given_parts_refuse_more_training_images_than_there_are():
    with pytest.raises(BadOption, match="train_images: expected 4 to 120 images, got 121"):
        split_given("set", TRAIN, TEST, TEST, classes=4, split_seed=0, train_images=121)


def test_each_channel_of_the_training_part_has_mean_zero_and_deviation_one():
    images = np.random.default_rng(0).integers(0, 256, (40, 3, 4, 4), dtype=np.uint8)
    images[:, 2] = 7  # a channel that says nothing
    part = Pixels(images, np.arange(40) % 4)
    data = split_given("set", part, TEST_RGB, TEST_RGB, classes=4, split_seed=0)
    channels = data.train.images.transpose(0, 1).flatten(1)
    assert channels.mean(1).tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    assert channels.std(1, correction=0).tolist() == pytest.approx([1, 1, 0], abs=1e-6)


TEST_RGB = Pixels(np.zeros((8, 3, 4, 4), np.uint8), np.arange(8) % 4)


def test_pooling_averages_squares_and_leaves_out_the_rest():
    images = np.arange(25, dtype=np.uint8).reshape(1, 1, 5, 5)
    assert pooled(images, 2)[0, 0].tolist() == [[3.0, 5.0], [13.0, 15.0]]


def test_pooling_by_one_changes_nothing():
    assert np.array_equal(pooled(TRAIN.images, 1), TRAIN.images)


def test_the_checksum_depends_on_pixels_labels_types_and_shapes():
    one = made(8)
    others = [
        Pixels(one.images + np.uint8(1), one.labels),
        Pixels(one.images, one.labels[::-1]),
        Pixels(one.images.astype(np.uint16), one.labels),
        Pixels(one.images.reshape(8, 1, 2, 8), one.labels),
    ]
    assert len({checksum(pixels) for pixels in [one, *others]}) == 5


def test_the_checksum_is_the_same_on_every_byte_order():
    one = made(8)
    assert checksum(Pixels(one.images.astype(">u2"), one.labels)) == checksum(
        Pixels(one.images.astype("<u2"), one.labels)
    )
