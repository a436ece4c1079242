import math
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from nasbench.errors import BadOption, FormatError
from nasbench.records import Verdict
from nasbench.training.outcome import CURVES

ALL_1X1, ALL_3X3, ALL_NONE = (2,) * 6, (3,) * 6, (0,) * 6


@pytest.fixture
def train(torch, space, tiny, digits):
    from nasbench.training import trainer

    def call(code=ALL_3X3, **changes):
        options = {"space": space, "recipe": tiny, "data": digits, "seed": 0} | changes
        return trainer.train(code, **options)

    return call


@pytest.fixture
def file(tmp_path):
    return tmp_path / "training.pt"


def numbers(training):
    """Every curve of a training but its seconds."""
    return {name: getattr(training, name) for name in CURVES if not name.endswith("seconds")}


def pause_after(epochs):
    return lambda done, *_: Verdict.PAUSE if done == epochs else Verdict.CONTINUE


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"augmentation": "flip-crop", "crop_padding": 1},
        {"optimizer": "adamw", "nesterov": False, "learning_rate": 0.01},
        {"optimizer": "rmsprop", "nesterov": False, "learning_rate": 0.001},
        {"precision": "bfloat16"},
    ],
    ids=["plain", "augmented", "adamw", "rmsprop", "bfloat16"],
)
def test_a_paused_training_goes_on_with_the_same_bits(train, tiny, file, changes):
    recipe = replace(tiny, **changes)
    through = train(recipe=recipe)
    paused = train(recipe=recipe, checkpoint=file, on_epoch=pause_after(2))
    assert paused.status == "paused"
    assert paused.reason == "paused after epoch 2"
    assert len(paused.valid_error) == 2
    assert numbers(train(recipe=recipe, checkpoint=file)) == numbers(through)


def test_seconds_go_on_too(train, file):
    paused = train(checkpoint=file, on_epoch=pause_after(2))
    done = train(checkpoint=file)
    for curve in ("train_seconds", "eval_seconds"):
        assert getattr(done, curve)[:2] == getattr(paused, curve)
        assert getattr(done, curve)[2] > getattr(paused, curve)[1]


def test_a_longer_training_goes_on_from_a_finished_one(train, file):
    train(epochs=1, checkpoint=file)
    assert numbers(train(checkpoint=file)) == numbers(train())


def test_a_shorter_training_is_read_from_a_checkpoint_that_stands_further(train, file):
    long = train(checkpoint=file)
    short = train(epochs=2, checkpoint=file)
    assert numbers(short) == numbers(train(epochs=2))
    assert short.train_seconds == long.train_seconds[:2]
    assert short.total_seconds == long.train_seconds[1]


def test_a_checkpoint_not_measured_where_the_training_ends_is_not_used(train, file):
    train(evaluate="last-epoch", checkpoint=file)
    short = train(evaluate="last-epoch", epochs=2, checkpoint=file)
    assert short.valid_error[1] == train(epochs=2).valid_error[1]
    assert short.total_seconds == short.train_seconds[-1]


def test_checkpoints_change_no_number(train, file):
    assert numbers(train(checkpoint=file, checkpoint_every_seconds=0.0)) == numbers(train())


def test_a_cell_whose_weights_get_no_gradient_goes_on_too(train, file):
    train(ALL_NONE, checkpoint=file, on_epoch=pause_after(1))
    assert numbers(train(ALL_NONE, checkpoint=file)) == numbers(train(ALL_NONE))


KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from nasbench.records import Verdict
from nasbench.spaces import get_space
from nasbench.training.data import get_data
from nasbench.training.recipes import RECIPES
from nasbench.training.trainer import train

recipe = replace(RECIPES["digits-small"], epochs=4, channels=4, cells_per_stage=1, batch_size=256)

def die(epoch, error, seconds):
    if epoch == 3:  # the checkpoint of epoch 2 is the last
        os.kill(os.getpid(), signal.SIGKILL)
    return Verdict.CONTINUE

train((3,) * 6, space=get_space("nb201"), recipe=recipe, data=get_data("digits"), seed=0,
      on_epoch=die, checkpoint=Path(sys.argv[1]), checkpoint_every_seconds=0.0)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills a process the POSIX way")
def test_a_killed_training_goes_on_with_the_same_bits(torch, train, file):
    done = subprocess.run([sys.executable, "-c", KILLED, str(file)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(torch.load(file, weights_only=True)["curves"]["valid_error"]) == 2
    assert numbers(train(checkpoint=file)) == numbers(train())


def test_nothing_but_the_checkpoint_is_left_in_its_folder(train, file):
    train(epochs=2, checkpoint=file, checkpoint_every_seconds=0.0)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, "seed: expected 1, got 0: another training. Delete it"),
        ({"code": ALL_1X1}, r"code: expected \[2, 2, 2, 2, 2, 2\], got \[3, 3, 3, 3, 3, 3\]"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(train, file, changes, message):
    train(epochs=1, checkpoint=file)
    with pytest.raises(FormatError, match=message):
        train(checkpoint=file, **changes)


def test_a_checkpoint_of_another_recipe_is_refused(train, tiny, file):
    train(epochs=1, checkpoint=file)
    with pytest.raises(FormatError, match=r"recipe: expected .*, got .*: another training"):
        train(checkpoint=file, recipe=replace(tiny, learning_rate=0.2))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"])
def test_a_damaged_checkpoint_is_refused(train, file, content):
    file.write_bytes(content)
    with pytest.raises(FormatError, match=r"training\.pt: expected a checkpoint, got .*Delete it to train"):
        train(checkpoint=file)


def test_a_cut_checkpoint_is_refused(train, file):
    train(epochs=1, checkpoint=file)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(FormatError, match="expected a checkpoint"):
        train(checkpoint=file)


def test_a_checkpoint_of_another_version_is_refused(torch, train, file):
    torch.save({"schema": 99}, file)
    with pytest.raises(FormatError, match="schema: expected checkpoint version 1, got 99"):
        train(checkpoint=file)


def test_a_checkpoint_without_a_part_of_the_state_is_refused(torch, train, file):
    train(epochs=1, checkpoint=file)
    held = torch.load(file, weights_only=True)
    held["network"].popitem()
    torch.save(held, file)
    with pytest.raises(FormatError, match="expected the state of this training"):
        train(checkpoint=file)


def test_a_pickle_that_would_run_code_is_refused(train, file):
    file.write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(FormatError, match="expected a checkpoint, got UnpicklingError"):
        train(checkpoint=file)


def test_a_stopped_training_keeps_its_curves(train):
    seen = []

    def stop(epoch, error, seconds):
        seen.append((epoch, error, seconds))
        return Verdict.STOP if epoch == 2 else Verdict.CONTINUE

    stopped = train(on_epoch=stop)
    assert stopped.status == "stopped"
    assert stopped.reason == "stopped after epoch 2"
    assert numbers(stopped) == numbers(train(epochs=2))
    assert seen == list(zip((1, 2), stopped.valid_error, stopped.train_seconds, strict=True))


def test_nobody_is_asked_after_the_last_epoch(train, tiny):
    asked = []
    train(on_epoch=lambda epoch, *_: asked.append(epoch) or Verdict.CONTINUE)
    assert asked == list(range(1, tiny.epochs))


def test_pausing_without_a_file_is_refused(train):
    with pytest.raises(BadOption, match="checkpoint: expected a file to pause a training in, got None"):
        train(on_epoch=pause_after(1))


def test_a_callback_needs_errors_after_every_epoch(train):
    with pytest.raises(BadOption, match="evaluate: expected 'every-epoch' where on_epoch is given"):
        train(on_epoch=pause_after(1), evaluate="last-epoch")


def test_a_training_out_of_time_is_a_failed_one(train):
    training = train(limit_seconds=1e-6)
    assert training.status == "failed"
    assert training.reason == "timed out after 1e-06 s in epoch 1"
    assert training.valid_error == ()
    assert training.total_seconds > 0


def test_time_spent_before_a_pause_counts_towards_the_limit(train, file):
    paused = train(checkpoint=file, on_epoch=pause_after(2))
    limit = paused.train_seconds[-1] + paused.eval_seconds[-1]
    training = train(checkpoint=file, limit_seconds=limit)
    assert training.status == "failed"
    assert f"timed out after {limit} s in epoch 3" in training.reason
    assert math.isfinite(training.total_seconds)
