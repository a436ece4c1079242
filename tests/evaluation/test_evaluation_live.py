import sys
from dataclasses import replace

import numpy as np
import pytest

from nasbench.errors import BadOption, MissingExtra, NotInSpace, NotMeasured, UnknownName
from nasbench.evaluation.live import LiveSource, open_live
from nasbench.evaluation.source import Source
from nasbench.records import Verdict
from nasbench.testing import check_source
from nasbench.training.recipes import RECIPES

ALL_SKIP, ALL_1X1, ALL_3X3 = (1,) * 6, (2,) * 6, (3,) * 6


@pytest.fixture(scope="module")
def tiny():
    return replace(RECIPES["digits-small"], epochs=3, channels=4, cells_per_stage=1, batch_size=256)


@pytest.fixture(scope="module")
def live(tiny):
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    return LiveSource("digits", tiny)


@pytest.fixture
def extras():
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")


def errors(measurement):
    return measurement.valid_error, measurement.test_error


def test_it_is_a_source(live):
    assert isinstance(live, Source)
    assert live.is_live


def test_it_keeps_the_contract_of_sources(live):
    assert len(check_source(live)) > 0


def test_it_says_what_it_is(live, tiny):
    assert live.info.kind == "trainer"
    assert live.info.name == "live:digits"
    assert live.info.dataset == "digits"
    assert live.info.device_kind == "cpu"
    assert live.info.label == f"live:digits@{tiny.recipe_hash[:12]}"
    assert live.info.extra["recipe_hash"] == tiny.recipe_hash


def test_every_epoch_of_the_recipe_can_be_asked_for(live):
    assert live.epochs == (1, 2, 3)
    assert live.replicates == live.replicates_of(ALL_SKIP) == 3
    assert live.space.name == "nb201"


def test_an_answer_is_a_training(live):
    answer = live.answer(ALL_3X3, epochs=3, replicate=0)
    assert answer.status == "ok"
    assert 0 <= answer.valid_error <= 1
    assert 0 <= answer.test_error <= 1
    assert answer.train_seconds > 0


def test_the_same_question_gets_the_same_errors(live):
    first, second = (live.answer(ALL_1X1, epochs=2, replicate=1) for _ in range(2))
    assert errors(first) == errors(second)


def test_another_replicate_is_another_training(live):
    first, second = (live.train(ALL_1X1, epochs=1, replicate=r) for r in (0, 1))
    assert first.train_loss != second.train_loss


def test_answers_at_fewer_epochs_lie_on_the_curve_of_the_full_training(live):
    curve = live.train(ALL_1X1, epochs=3, replicate=0)
    for epochs in live.epochs:
        answer = live.answer(ALL_1X1, epochs=epochs, replicate=0)
        assert errors(answer) == (curve.valid_error[epochs - 1], curve.test_error[epochs - 1])


def test_many_at_once_equal_one_by_one_in_order(live):
    codes = [ALL_3X3, ALL_SKIP, ALL_1X1]
    together = live.measure(codes, epochs=2, replicate=0)
    alone = [live.answer(code, epochs=2, replicate=0) for code in codes]
    assert together.valid_error.tolist() == [a.valid_error for a in alone]
    assert together.test_error.tolist() == [a.test_error for a in alone]
    assert (together.train_seconds > 0).all()


def test_measuring_nothing_is_empty(live):
    none = live.measure(np.empty((0, 6), dtype=np.int8), epochs=1, replicate=0)
    assert none.valid_error.shape == none.test_error.shape == none.train_seconds.shape == (0,)


def test_a_diverged_training_is_failed_without_errors_but_with_seconds(extras, tiny):
    wild = LiveSource("digits", replace(tiny, learning_rate=1e38))
    answer = wild.answer(ALL_1X1, epochs=3, replicate=0)
    assert answer.status == "failed"
    assert "diverged" in answer.reason
    assert errors(answer) == (None, None)
    assert answer.train_seconds > 0
    columns = wild.measure([ALL_1X1], epochs=3, replicate=0)
    assert np.isnan(columns.valid_error).all()
    assert np.isnan(columns.test_error).all()
    assert columns.train_seconds[0] > 0


def test_it_cannot_score_and_leaves_that_to_the_trial(live):
    assert np.isnan(live.score([ALL_3X3, ALL_SKIP], epochs=3)).tolist() == [True, True]
    assert live.scored_by == "trial"


@pytest.mark.parametrize("epochs", [0, 4])
def test_epochs_outside_the_recipe_are_not_measured(live, epochs):
    with pytest.raises(NotMeasured, match=f"trains 1 to 3 epochs of its recipe, got {epochs}"):
        live.answer(ALL_SKIP, epochs=epochs, replicate=0)


@pytest.mark.parametrize("replicate", [-1, 3])
def test_a_replicate_it_does_not_have_is_not_measured(live, replicate):
    with pytest.raises(NotMeasured, match=f"trains replicates 0 to 2, got {replicate}"):
        live.measure([ALL_SKIP], epochs=1, replicate=replicate)


def test_a_code_outside_the_space_is_refused_before_anything_is_trained(live):
    with pytest.raises(NotInSpace, match="takes 0 to 4"):
        live.measure([ALL_SKIP, (9,) * 6], epochs=1, replicate=0)
    with pytest.raises(NotInSpace, match="expected 6 decisions"):
        live.replicates_of((1,))


def test_the_short_name_takes_the_small_recipe(extras):
    assert open_live("live:digits").recipe == RECIPES["digits-small"]
    assert open_live(" LIVE:digits@digits_small ").info == open_live("live:digits").info


def test_its_label_opens_it_again(extras):
    live = open_live("live:digits@nb201-h0")
    assert open_live(live.info.label).recipe == RECIPES["nb201-h0"]


@pytest.mark.parametrize("text", ["live:imagenet", "digits", "live:"])
def test_an_unknown_live_source_is_named(text):
    with pytest.raises(UnknownName, match=f"no live source is named '{text}'"):
        open_live(text)


def test_an_unknown_recipe_is_named():
    with pytest.raises(UnknownName, match=r"no recipe is named 'digits-smal'. Did you mean 'digits-small'"):
        open_live("live:digits@digits-smal")


def test_an_unknown_data_set_is_named(extras, tiny):
    with pytest.raises(UnknownName, match="no data set is named 'imagenet'"):
        LiveSource("imagenet", tiny)


def test_a_device_that_is_not_there_is_refused(extras):
    with pytest.raises(BadOption, match="device: expected cpu, cuda or cuda:N, got 'tpu'"):
        open_live("live:digits", device="tpu")


def test_fewer_than_one_replicate_is_refused(extras, tiny):
    with pytest.raises(BadOption, match="replicates: expected a whole number >= 1, got 0"):
        LiveSource("digits", tiny, replicates=0)


def test_without_torch_the_install_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"Live training needs torch.*pip install 'nasbench\[torch\]'"):
        open_live("live:digits")


def test_without_scikit_learn_the_install_command_is_named(extras, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtra, match=r"needs scikit-learn.*pip install 'nasbench\[torch\]'"):
        open_live("live:digits")


def test_a_longer_answer_goes_on_from_a_shorter_one(live):
    fresh = LiveSource("digits", live.recipe)
    short = fresh.answer(ALL_1X1, epochs=1, replicate=2)
    long = fresh.answer(ALL_1X1, epochs=3, replicate=2)
    assert errors(long) == errors(live.answer(ALL_1X1, epochs=3, replicate=2))
    assert long.train_seconds > short.train_seconds


def test_going_on_trains_only_the_epochs_that_are_missing(live, monkeypatch):
    from nasbench.training import trainer

    fresh = LiveSource("digits", live.recipe)
    fresh.answer(ALL_1X1, epochs=2, replicate=0)
    passes = []
    original = trainer.train_epoch
    monkeypatch.setattr(
        trainer, "train_epoch", lambda *args, **options: passes.append(1) or original(*args, **options)
    )
    fresh.answer(ALL_1X1, epochs=3, replicate=0)
    assert len(passes) == 1


def test_the_same_question_again_is_trained_again(live, monkeypatch):
    from nasbench.training import trainer

    fresh = LiveSource("digits", live.recipe)
    fresh.answer(ALL_1X1, epochs=2, replicate=0)
    passes = []
    original = trainer.train_epoch
    monkeypatch.setattr(
        trainer, "train_epoch", lambda *args, **options: passes.append(1) or original(*args, **options)
    )
    fresh.answer(ALL_1X1, epochs=2, replicate=0)
    assert len(passes) == 2


def test_the_recipe_names_the_space(extras):
    darts = open_live("live:digits@digits-darts")
    assert darts.space.name == "darts"
    assert open_live(darts.info.label).space.name == "darts"
    with pytest.raises(UnknownName, match="no space is named 'dart'"):
        LiveSource("digits", replace(RECIPES["digits-darts"], space="dart"))


def test_cells_of_another_space_are_trained_and_counted(extras):
    tiny = replace(RECIPES["digits-darts"], epochs=2, channels=2, stages=2, train_images=100)
    live = LiveSource("digits", tiny)
    code = live.space.parse("darts-v2")
    answer = live.answer(code, epochs=2, replicate=0)
    assert answer.status == "ok"
    assert errors(answer) == errors(live.answer(code, epochs=2, replicate=0))
    trained = live.train(code, epochs=1, replicate=0)
    assert live.costs["parameters"](code) == trained.parameters > 0
    with pytest.raises(NotInSpace, match="expected 22 decisions for space darts, got 6"):
        live.answer(ALL_1X1, epochs=1, replicate=0)


def test_a_callback_may_stop_a_training(live):
    stopped = live.train(ALL_1X1, epochs=3, replicate=0, on_epoch=lambda *_: Verdict.STOP)
    assert stopped.status == "stopped"
    assert len(stopped.valid_error) == 1


def test_a_followed_training_is_the_training(live):
    seen = []

    def watch(epoch, error, seconds):
        seen.append((epoch, error))
        assert seconds > 0
        return Verdict.CONTINUE

    fresh = LiveSource("digits", live.recipe)  # begun trainings go on and show only what is new
    followed, reached = fresh.follow(ALL_1X1, epochs=3, replicate=0, on_epoch=watch)
    assert reached == 3
    assert errors(followed) == errors(live.answer(ALL_1X1, epochs=3, replicate=0))
    assert seen == [(epoch, live.answer(ALL_1X1, epochs=epoch, replicate=0).valid_error) for epoch in (1, 2)]


def test_a_paused_training_goes_on_where_it_was(live, monkeypatch):
    from nasbench.training import trainer

    fresh = LiveSource("digits", live.recipe)
    paused, reached = fresh.follow(ALL_1X1, epochs=3, replicate=0, on_epoch=lambda *_: Verdict.PAUSE)
    assert (paused.status, reached) == ("ok", 1)
    passes = []
    original = trainer.train_epoch
    monkeypatch.setattr(
        trainer, "train_epoch", lambda *args, **options: passes.append(1) or original(*args, **options)
    )
    asked = []
    whole, reached = fresh.follow(
        ALL_1X1, epochs=3, replicate=0, on_epoch=lambda e, *_: asked.append(e) or Verdict.CONTINUE
    )
    assert (len(passes), asked, reached) == (2, [2], 3)
    assert errors(whole) == errors(live.answer(ALL_1X1, epochs=3, replicate=0))


def test_costs_are_those_of_the_network_that_is_trained(live):
    import torch

    before = torch.random.get_rng_state()
    counted = {name: cost(ALL_1X1) for name, cost in live.costs.items()}
    assert torch.equal(before, torch.random.get_rng_state())
    trained = live.train(ALL_1X1, epochs=1, replicate=0)
    assert counted == {"parameters": trained.parameters, "macs": trained.macs}
    with pytest.raises(NotInSpace):
        live.costs["macs"]((9,) * 6)


def test_a_stopped_training_says_so(live):
    stopped, reached = live.follow(ALL_1X1, epochs=3, replicate=0, on_epoch=lambda *_: Verdict.STOP)
    assert (stopped.status, reached) == ("stopped", 1)
    assert errors(stopped) == errors(live.answer(ALL_1X1, epochs=1, replicate=0))


def test_latency_is_measured_where_asked(live):
    timed = LiveSource("digits", live.recipe, latency_passes=5).train(ALL_1X1, epochs=1, replicate=0)
    assert timed.latency_seconds > 0
    assert live.train(ALL_1X1, epochs=1, replicate=0).latency_seconds is None


def test_a_data_set_without_a_recipe_of_its_own_needs_one():
    with pytest.raises(BadOption, match=r"recipe: expected live:cifar10@RECIPE, got 'live:cifar10'"):
        open_live("live:cifar10")


def test_only_the_training_images_of_the_recipe_are_trained_on(extras):
    assert open_live("live:digits@digits-nb201").info.extra["images"] == {
        "train": 200,
        "valid": 799,
        "test": 798,
    }


@pytest.mark.gpu
def test_on_a_gpu_it_measures_gpu_seconds(extras):
    import torch

    if not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA device on this machine")
    live = open_live("live:digits", device="cuda")
    assert live.info.device_kind == "gpu"
    assert live.info.device == torch.cuda.get_device_name(0)
    assert live.answer(ALL_3X3, epochs=1, replicate=0).status == "ok"
