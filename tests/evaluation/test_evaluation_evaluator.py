"""The evaluator: which training answers, that one training answers whole, and what carries on from what."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from scipy.stats import chisquare

from nasbench.errors import BadOption, NotInSpace, NotMeasured
from nasbench.evaluation.charging import Charging
from nasbench.evaluation.evaluator import Evaluator
from nasbench.evaluation.opening import open_source
from nasbench.records import Proposal
from nasbench.runs.loop import run
from nasbench.runs.record import MemoryRecord
from nasbench.seeds import generator
from nasbench.strategies.random_search import RandomSearch
from nasbench.strategies.regularized_evolution import RegularizedEvolution
from nasbench.testing import ToyChain
from nasbench.units import parse_budget

A, TWO_REPEATS = (1, 0, 0), (0, 0, 1)


class Mirror(ToyChain):
    """The toy chain in which a chain equals itself with conv and pool exchanged."""

    merges_isomorphs = True

    def canonical(self, codes):
        array = np.asarray(codes)
        swapped = np.where(array == 0, 0, 3 - array)
        return np.where((array[:, :1] == 2), swapped, array).astype(np.int8)


def visits_of(strategy_class, source, seed, **options):
    """List the replicates met at the successive visits of each architecture."""
    record = MemoryRecord()
    strategy = strategy_class(source.space, rng=generator(seed, "strategy"), **options)
    run(strategy, Evaluator(source, seed=seed), budget=parse_budget("400evals"), record=record)
    met = defaultdict(list)
    for row in sorted(record.rows):
        met[row[1]].append(row[3])
    return met


def test_two_strategies_under_one_seed_meet_the_same_replicate_at_each_visit(toy_source):
    a = visits_of(RandomSearch, toy_source, 3)
    b = visits_of(RegularizedEvolution, toy_source, 3)
    shared = [(x, y) for code in a.keys() & b.keys() for x, y in zip(a[code], b[code], strict=False)]
    assert len(shared) > 100
    assert all(x == y for x, y in shared)
    assert len({x for x, _ in shared}) == 3


def test_another_seed_meets_other_replicates(toy_source):
    a, b = (visits_of(RandomSearch, toy_source, seed) for seed in (3, 4))
    pairs = [(x, y) for code in a.keys() & b.keys() for x, y in zip(a[code], b[code], strict=False)]
    assert any(x != y for x, y in pairs)


def test_replicates_are_drawn_uniformly_among_the_recorded_ones(toy_source):
    for code, repeats in ((A, 3), (TWO_REPEATS, 2)):
        drawn = Counter(
            Evaluator(toy_source, seed=seed).answer(Proposal(code))[2] for seed in range(3_000)
        ) + Counter(
            e.answer(Proposal(code))[2] for e in [Evaluator(toy_source, seed=0)] for _ in range(3_000)
        )
        assert set(drawn) == set(range(repeats))
        assert chisquare(list(drawn.values())).pvalue > 1e-3


def test_missing_repeat_is_never_drawn_from_the_bundled_table(nb201_table):
    source = open_source("nb201-cifar10")
    counts = nb201_table.replicate_counts()
    assert set(counts.tolist()) == {2, 3}  # about half of all cells were trained with two seeds only
    evaluator = Evaluator(source, seed=0)
    for row in np.flatnonzero(counts == 2)[:200].tolist():
        code = tuple(nb201_table.codes[row].tolist())
        answers = [evaluator.answer(Proposal(code)) for _ in range(8)]
        assert {answer[2] for answer in answers} <= {0, 1}


def test_replicate_asked_by_number_is_answered(toy_source):
    evaluator = Evaluator(toy_source, seed=0)
    assert [evaluator.answer(Proposal(A, replicate=r))[2] for r in (2, 0, 1, 2)] == [2, 0, 1, 2]


def test_validation_test_and_seconds_come_from_one_training(toy_source):
    evaluator = Evaluator(toy_source, seed=0)
    for _ in range(50):
        measurement, epochs, replicate, charged = evaluator.answer(Proposal(A))
        assert measurement == toy_source.answer(A, epochs=epochs, replicate=replicate)
        assert measurement.test_error == measurement.valid_error + 1 / 2048
        assert charged == measurement.train_seconds == 171.0 + replicate


def test_test_error_that_was_not_recorded_is_missing_and_no_copy_of_another_split(nb201_table):
    assert not nb201_table.has("test_error")  # the bundled release holds validation accuracy alone
    answers = [
        Evaluator(open_source("nb201-cifar10"), seed=0).answer(Proposal(tuple(code)))[0]
        for code in nb201_table.codes[:50].tolist()
    ]
    assert {answer.test_error for answer in answers} == {None}
    assert None not in {answer.valid_error for answer in answers}


def test_epochs_default_to_the_longest(toy_source):
    assert Evaluator(toy_source, seed=0).answer(Proposal(A))[1] == 9


def test_epochs_of_the_suite_are_the_default(toy_source):
    measurement, epochs, replicate, _ = Evaluator(toy_source, seed=0, epochs=3).answer(Proposal(A))
    assert epochs == 3
    assert measurement == toy_source.answer(A, epochs=3, replicate=replicate)


def test_epochs_of_the_suite_that_were_not_recorded_are_refused(toy_source):
    with pytest.raises(BadOption, match=r"epochs: source toy answers for 3, 9 epochs, got 5"):
        Evaluator(toy_source, seed=0, epochs=5)


def test_visits_are_counted_apart_for_each_training_length(toy_source):
    short_first, long_first = Evaluator(toy_source, seed=5), Evaluator(toy_source, seed=5)
    for _ in range(3):
        short_first.answer(Proposal(A, epochs=3))
    for _ in range(4):
        a, b = short_first.answer(Proposal(A)), long_first.answer(Proposal(A))
        assert a == b


def test_numpy_numbers_are_answered_as_plain_ones(toy_source):
    code = tuple(np.array(A))
    answer = Evaluator(toy_source, seed=0).answer(Proposal(code, epochs=np.int64(9), replicate=np.int64(1)))
    assert [type(value) for value in answer[1:3]] == [int, int]


# Isomorphs --------------------------------------------------------------------------------------


@pytest.fixture
def mirror_source():
    """A source in which the two of a class were trained apart: other errors, other seconds."""
    from nasbench.records import Measurement, SourceInfo

    class Source:
        info = SourceInfo("table:mirror@0", "table", "mirror", "none", "a desk", "cpu")
        space, epochs, replicates, is_live = Mirror(), (3, 9), 1, False

        def replicates_of(self, code):
            return 1

        def answer(self, code, *, epochs, replicate):
            rank = self.space.rank_one(code)
            return Measurement(rank / 100, rank / 50, float(epochs * (1 + rank)))

    return Source()


ONE, OTHER = (1, 2, 0, 0), (2, 1, 0, 0)


def test_isomorph_is_another_architecture_by_default(mirror_source):
    evaluator = Evaluator(mirror_source, seed=0, charging=Charging(repeat="cached"))
    assert evaluator.answer(Proposal(ONE))[3] > 0
    assert evaluator.answer(Proposal(OTHER))[3] > 0


def test_isomorph_is_answered_from_the_cache_where_classes_count(mirror_source):
    evaluator = Evaluator(mirror_source, seed=0, charging=Charging(repeat="cached", isomorph="canonical"))
    first, again = evaluator.answer(Proposal(ONE)), evaluator.answer(Proposal(OTHER))
    assert again == (*first[:3], 0.0)


def test_promotion_of_a_cached_isomorph_carries_its_training_on(mirror_source):
    evaluator = Evaluator(mirror_source, seed=0, charging=Charging(repeat="cached", isomorph="canonical"))
    evaluator.answer(Proposal(ONE, epochs=3))
    evaluator.answer(Proposal(OTHER, epochs=3))
    measurement, *_, charged = evaluator.answer(Proposal(OTHER, epochs=9, continues=1))
    assert measurement == mirror_source.answer(ONE, epochs=9, replicate=0)
    assert (
        charged == measurement.train_seconds - mirror_source.answer(ONE, epochs=3, replicate=0).train_seconds
    )


# Promotions -------------------------------------------------------------------------------------


def test_promotion_keeps_the_replicate(toy_source):
    evaluator = Evaluator(toy_source, seed=0)
    evaluator.answer(Proposal(A, epochs=3, replicate=2))
    assert evaluator.answer(Proposal(A, epochs=9, continues=0))[2] == 2


@pytest.mark.parametrize("number", [-1, 1, 9])
def test_promotion_of_a_trial_that_does_not_exist_is_refused(toy_source, number):
    evaluator = Evaluator(toy_source, seed=0)
    evaluator.answer(Proposal(A, epochs=3))
    with pytest.raises(BadOption, match=rf"continues: expected the number of an earlier .* got {number}"):
        evaluator.answer(Proposal(A, continues=number))


def test_promotion_of_another_architecture_is_refused(toy_source):
    evaluator = Evaluator(toy_source, seed=0)
    evaluator.answer(Proposal(A, epochs=3))
    with pytest.raises(BadOption, match=r"continues: expected .* of the same architecture, got 0"):
        evaluator.answer(Proposal(TWO_REPEATS, continues=0))


@pytest.mark.parametrize(("before", "after"), [(9, 9), (9, 3), (3, 3)])
def test_promotion_to_no_more_epochs_is_refused(toy_source, before, after):
    evaluator = Evaluator(toy_source, seed=0)
    evaluator.answer(Proposal(A, epochs=before))
    with pytest.raises(BadOption, match=rf"epochs: expected more than the {before} that trial 0 trained"):
        evaluator.answer(Proposal(A, epochs=after, continues=0))


def test_report_with_search_seconds_pays_for_the_search(toy_source):
    evaluator = Evaluator(toy_source, seed=0)
    answers = [
        evaluator.answer(Proposal((2, 2, 2), purpose="report", search_seconds=seconds))
        for seconds in (12.5, 0.0)
    ]
    assert [answer[3] for answer in answers] == [12.5, 0.0]
    assert answers[0][:3] == answers[1][:3]  # the same training both times
    assert answers[0][0].train_seconds > 300


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_search_seconds_out_of_range_are_refused(toy_source, seconds):
    with pytest.raises(BadOption, match="search_seconds: expected a number of seconds >= 0"):
        Evaluator(toy_source, seed=0).answer(Proposal((0, 0, 1), purpose="report", search_seconds=seconds))


def test_report_without_search_seconds_pays_for_its_training(toy_source):
    answer = Evaluator(toy_source, seed=0).answer(Proposal((0, 0, 1), purpose="report", replicate=0))
    assert answer[3] == answer[0].train_seconds


def test_promotion_of_a_failed_training_is_refused(failing_source):
    evaluator = Evaluator(failing_source, seed=0)
    evaluator.answer(Proposal((1, 1, 1), epochs=3))
    with pytest.raises(
        BadOption, match=r"continues: expected a trial that trained and may go on, got 0, which failed"
    ):
        evaluator.answer(Proposal((1, 1, 1), epochs=9, continues=0))


def test_promotions_resumed_from_a_record_cost_the_same(toy_source):
    toy_source.epochs = (1, 3, 9)
    toy_source.answer = lambda code, *, epochs, replicate: _trained(epochs)
    rungs = [Proposal(A, epochs=1), Proposal(A, epochs=3, continues=0), Proposal(A, epochs=9, continues=1)]
    whole, resumed = Evaluator(toy_source, seed=0), Evaluator(toy_source, seed=0)
    answers = [whole.answer(rung) for rung in rungs]
    for rung, (measurement, epochs, replicate, charged) in zip(rungs[:2], answers, strict=False):
        # What a record holds of a training is what was charged for it.
        kept = type(measurement)(measurement.valid_error, measurement.test_error, charged)
        resumed.answer(rung, (kept, epochs, replicate, charged))
    assert resumed.answer(rungs[2])[3] == answers[2][3] == 60.0


def _trained(epochs):
    from nasbench.records import Measurement

    return Measurement(0.5, 0.5, 10.0 * epochs)


# Refusals ---------------------------------------------------------------------------------------


def test_architecture_outside_the_space_is_refused(toy_source):
    with pytest.raises(NotInSpace, match=r"code: decision 'layer 0' of space toy takes 0 to 2"):
        Evaluator(toy_source, seed=0).answer(Proposal((7, 0, 0)))


def test_architecture_without_a_training_is_refused(toy_source):
    toy_source.replicates_of = lambda code: 0
    with pytest.raises(NotMeasured, match=r"code: source toy holds no training of pool:conv:conv"):
        Evaluator(toy_source, seed=0).answer(Proposal(A))


def test_epochs_that_were_not_recorded_are_refused(toy_source):
    with pytest.raises(NotMeasured, match=r"epochs: table toy holds 3 and 9, got 4"):
        Evaluator(toy_source, seed=0).answer(Proposal(A, epochs=4))


def test_unknown_purpose_is_refused(toy_source):
    with pytest.raises(BadOption, match=r"purpose: expected search or report, got 'tune'"):
        Evaluator(toy_source, seed=0).answer(Proposal(A, purpose="tune"))


def test_fractions_in_a_code_are_refused(toy_source):
    evaluator = Evaluator(toy_source, seed=0)
    evaluator._known.clear()
    with pytest.raises(TypeError, match="float"):
        evaluator.answer(Proposal((1.0, 0.0, 0.0)))
    evaluator.answer(Proposal((1, 0, 0)))
    with pytest.raises(TypeError, match="float"):  # equal to a known code, and still refused
        evaluator.answer(Proposal((1.0, 0.0, 0.0)))


def test_memory_of_architectures_is_bounded(toy_source, monkeypatch):
    import nasbench.evaluation.evaluator as module

    monkeypatch.setattr(module, "_REMEMBERED", 5)
    evaluator = Evaluator(toy_source, seed=0)
    codes = [tuple(code) for code in next(toy_source.space.enumerate()).tolist()]
    answers = [evaluator.answer(Proposal(code)) for code in codes]
    assert len(evaluator._known) <= 5
    monkeypatch.undo()
    fresh = Evaluator(toy_source, seed=0)
    assert answers == [fresh.answer(Proposal(code)) for code in codes]
