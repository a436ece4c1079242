from dataclasses import replace

import pytest

from nasbench.training.recipes import RECIPES

FLIP_CROP = replace(RECIPES["digits-small"], augmentation="flip-crop", crop_padding=1)


@pytest.fixture
def augment(torch):
    from nasbench.training.augmentation import augment

    return augment


def test_none_returns_the_images_themselves(torch, augment):
    images = torch.rand(3, 1, 4, 4, generator=torch.Generator())
    assert augment(images, recipe=RECIPES["digits-small"], generator=torch.Generator()) is images


def test_without_padding_half_of_the_images_are_mirrored(torch, augment):
    images = torch.arange(16.0).reshape(1, 1, 4, 4).repeat(200, 1, 1, 1)
    changed = augment(images, recipe=replace(FLIP_CROP, crop_padding=0), generator=torch.Generator())
    mirrored = (changed == images.flip(3)).all(dim=(1, 2, 3))
    kept = (changed == images).all(dim=(1, 2, 3))
    assert bool((mirrored ^ kept).all())
    assert 70 <= int(mirrored.sum()) <= 130


def test_a_crop_is_a_window_of_the_padded_image(torch, augment):
    image = torch.arange(1.0, 33.0).reshape(1, 2, 4, 4)
    changed = augment(image.repeat(50, 1, 1, 1), recipe=FLIP_CROP, generator=torch.Generator())
    windows = set()
    for plain in (image, image.flip(3)):
        padded = torch.nn.functional.pad(plain, (1, 1, 1, 1))
        windows |= {
            tuple(padded[0, :, r : r + 4, c : c + 4].flatten().tolist()) for r in range(3) for c in range(3)
        }
    seen = {tuple(one.flatten().tolist()) for one in changed}
    assert seen <= windows
    assert len(seen) > 9


def test_the_generator_alone_decides(torch, augment):
    images = torch.rand(8, 1, 4, 4, generator=torch.Generator())
    one, two, other = (
        augment(images, recipe=FLIP_CROP, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
