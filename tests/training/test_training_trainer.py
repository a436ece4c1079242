import math
import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from nasbench.errors import BadOption, MissingExtra, NotInSpace, UnknownName
from nasbench.spaces import Decision, ProductSpace
from nasbench.training.outcome import CURVES
from nasbench.training.recipes import RECIPES

ALL_NONE, ALL_1X1, ALL_3X3 = (0,) * 6, (2,) * 6, (3,) * 6


@pytest.fixture
def train(torch, space, tiny, digits):
    """``train`` with defaults for everything, to be overridden one by one."""
    from nasbench.training import trainer

    def call(code=ALL_1X1, **changes):
        options = {"space": space, "recipe": tiny, "data": digits, "seed": 0} | changes
        return trainer.train(code, **options)

    return call


def numbers(training):
    """Every curve of a training but its seconds."""
    return tuple(getattr(training, name) for name in CURVES if not name.endswith("seconds"))


def test_a_training_has_a_number_for_every_epoch(train, tiny):
    training = train()
    assert training.status == "ok"
    assert training.reason == ""
    for name in CURVES:
        assert len(getattr(training, name)) == training.epochs == tiny.epochs


def test_errors_are_fractions_and_seconds_grow(train):
    training = train()
    for errors in (training.train_error, training.valid_error, training.test_error):
        assert all(0 <= error <= 1 for error in errors)
    for seconds in (training.train_seconds, training.eval_seconds):
        assert all(a < b for a, b in zip((0.0, *seconds), seconds, strict=False))
    assert training.total_seconds == training.train_seconds[-1]


def test_a_training_learns(train):
    losses = train().train_loss
    assert losses[-1] < losses[0]


def test_parameters_are_those_of_the_network(train, tiny):
    # Stem 1 x 4 x 9 and its norm 8; six 1x1 edges of 16 + 8; last norm 8; classifier 40 + 10.
    assert train(epochs=1).parameters == 36 + 8 + 6 * 24 + 8 + 50


def test_macs_are_those_of_one_image_through_the_network(train):
    # 64 pixels: stem 1 x 4 x 9, six 1x1 edges of 16; classifier 4 x 10.
    assert train(epochs=1).macs == 64 * (36 + 6 * 16) + 40


def test_losses_are_those_of_the_same_outputs_as_the_errors(train):
    # All-none gives every image the same logits: the error is that of always one class, the loss about ln 10.
    training = train(ALL_NONE)
    assert training.valid_loss[-1] == pytest.approx(math.log(10), abs=0.1)
    assert training.test_loss[-1] == pytest.approx(math.log(10), abs=0.1)
    assert training.train_error[-1] > 0.8


def test_label_smoothing_raises_the_training_loss_only(train, tiny):
    plain, smooth = (
        train(ALL_3X3, recipe=replace(tiny, epochs=10, label_smoothing=share)) for share in (0.0, 0.3)
    )
    assert smooth.train_loss[-1] > plain.train_loss[-1] + 0.1


@pytest.mark.parametrize(("optimizer", "rate"), [("adamw", 0.01), ("rmsprop", 0.001)])
def test_other_optimizers_learn_too(train, tiny, optimizer, rate):
    recipe = replace(tiny, optimizer=optimizer, nesterov=False, learning_rate=rate, batch_size=64)
    training = train(recipe=recipe)
    assert training.status == "ok"
    assert training.train_loss[-1] < training.train_loss[0]
    assert numbers(training) == numbers(train(recipe=recipe))


def test_warm_up_slows_the_first_epoch(train, tiny):
    assert (
        train(epochs=1).train_loss[0] != train(epochs=1, recipe=replace(tiny, warmup_epochs=3)).train_loss[0]
    )


def test_latency_is_measured_where_asked_and_on_neither_clock(train):
    training = train(epochs=1, latency_passes=20)
    assert 0 < training.latency_seconds < 1
    assert training.total_seconds == training.train_seconds[-1]
    assert train(epochs=1).latency_seconds is None


def test_data_of_another_size_than_the_recipes_is_refused(train, tiny):
    with pytest.raises(BadOption, match="data: expected 200 training images, as in the recipe, got 997"):
        train(recipe=replace(tiny, train_images=200))


def test_same_seed_gives_the_same_bits(train):
    assert numbers(train(ALL_3X3)) == numbers(train(ALL_3X3))


def test_another_seed_gives_another_training(train):
    assert train(seed=0).train_loss != train(seed=1).train_loss


def test_augmented_trainings_repeat_too(train, tiny):
    recipe = replace(tiny, augmentation="flip-crop", crop_padding=1)
    augmented = train(recipe=recipe)
    assert numbers(augmented) == numbers(train(recipe=recipe))
    assert augmented.train_loss != train().train_loss


def test_shorter_training_is_a_prefix_of_the_longer(train):
    long, short = train(ALL_3X3), train(ALL_3X3, epochs=2)
    assert numbers(short) == tuple(curve[:2] for curve in numbers(long))


def test_evaluating_only_at_the_end_changes_nothing_but_the_missing_epochs(train):
    every, last = train(), train(evaluate="last-epoch")
    assert last.valid_error[-1] == every.valid_error[-1]
    assert last.test_error[-1] == every.test_error[-1]
    assert all(math.isnan(error) for error in last.valid_error[:-1] + last.test_error[:-1])
    assert last.train_loss == every.train_loss


def test_global_random_state_is_untouched(torch, train):
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
    train(epochs=1)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002
    assert random.getstate() == before[2]


def test_the_global_random_state_decides_nothing(torch, train):
    first = train(epochs=1)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(12345)
        assert numbers(train(epochs=1)) == numbers(first)


def test_the_number_of_threads_decides_nothing_and_is_given_back(torch, train):
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(numbers(train(ALL_3X3, epochs=1)))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert results[0] == results[1]


def test_a_diverging_training_is_a_failed_one_that_cost_its_time(train, tiny):
    training = train(recipe=replace(tiny, learning_rate=1e38, batch_size=64))
    assert training.status == "failed"
    assert "diverged: the training loss became" in training.reason
    assert len(training.valid_error) < tiny.epochs
    assert training.total_seconds > sum(training.train_seconds[-1:])


def test_an_output_that_is_not_finite_is_divergence_and_not_an_error_rate(train, tiny):
    training = train(recipe=replace(tiny, learning_rate=1e38, batch_size=997))
    assert training.status == "failed"
    assert "the network's output is not finite" in training.reason
    assert training.valid_error == ()


def test_running_out_of_memory_is_a_failed_training(train, tiny):
    # One 3x3 convolution of 2^22 channels: 600 terabytes.
    training = train(ALL_3X3, recipe=replace(tiny, channels=1 << 22))
    assert training.status == "failed"
    assert "out of memory on cpu in epoch 1" in training.reason
    assert training.total_seconds > 0


def test_a_mistake_in_the_data_is_an_exception_and_not_a_failed_training(train, digits):
    wrong = replace(digits, train=replace(digits.train, images=digits.train.images.double()))
    with pytest.raises(RuntimeError, match=r"(?i)double"):
        train(data=wrong)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_trains_and_differs_from_float32(train, tiny, precision):
    training = train(recipe=replace(tiny, precision=precision), epochs=1)
    assert training.status == "ok"
    assert training.train_loss != train(epochs=1).train_loss


@pytest.mark.parametrize("epochs", [0, 5])
def test_epochs_outside_the_recipe_are_refused(train, epochs):
    with pytest.raises(BadOption, match=f"epochs: expected 1 to 4, the recipe's length, got {epochs}"):
        train(epochs=epochs)


def test_a_code_outside_the_space_is_refused(train):
    with pytest.raises(NotInSpace, match="takes 0 to 4"):
        train((9,) * 6)


def test_a_space_without_a_network_is_refused(train):
    with pytest.raises(UnknownName, match="no trainable space is named 'toy'"):
        train((0,), space=ProductSpace("toy", [Decision("a", ("x", "y"))]))


def test_a_device_that_is_not_there_is_refused(train):
    with pytest.raises(BadOption, match="device: expected cpu, cuda or cuda:N, got 'tpu'"):
        train(device="tpu")


def test_without_torch_the_install_command_is_named(space, tiny, monkeypatch):
    from nasbench.training.trainer import train

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"Live training needs torch.*pip install 'nasbench\[torch\]'"):
        train(ALL_NONE, space=space, recipe=tiny, data=None, seed=0)


def test_importing_the_room_imports_no_heavy_library():
    program = (
        "import sys, nasbench.training.trainer, nasbench.training.data.digits, nasbench.evaluation.live\n"
        "print(sorted({'torch', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_digits_small_tells_good_cells_from_poor_ones(train):
    recipe = RECIPES["digits-small"]
    good, poor = (train(code, recipe=recipe, evaluate="last-epoch") for code in (ALL_3X3, ALL_NONE))
    assert good.valid_error[-1] < 0.05
    assert poor.valid_error[-1] > 0.5


@pytest.mark.gpu
def test_a_gpu_trains_to_about_the_same_error(torch, train):
    if not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA device on this machine")
    recipe = RECIPES["digits-small"]
    gpu, cpu = (train(ALL_3X3, recipe=recipe, device=device) for device in ("cuda", "cpu"))
    assert gpu.status == "ok"
    assert gpu.train_loss[0] == pytest.approx(cpu.train_loss[0], rel=0.05)
    assert gpu.valid_error[-1] == pytest.approx(cpu.valid_error[-1], abs=0.05)
