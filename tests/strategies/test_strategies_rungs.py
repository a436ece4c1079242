"""Rungs lie on measured lengths; brackets have the published sizes."""

from __future__ import annotations

import pytest

from nasbench.errors import BadOption
from nasbench.strategies.rungs import halving_bracket, hyperband_brackets, rung_lengths
from nasbench.strategies.strategy import Setting

TO_20 = tuple(range(1, 21))


def lengths(epochs, **options):
    return rung_lengths(Setting(epochs), **{"eta": 3, **options})


def sizes(formula, n_rungs=4, eta=3):
    brackets = hyperband_brackets([eta**k for k in range(n_rungs)], eta=eta, formula=formula)
    return [[rung.size for rung in bracket] for bracket in brackets]


def test_brackets_of_the_paper_with_27_epochs():
    assert sizes("paper") == [[27, 9, 3, 1], [12, 4, 1], [6, 2], [4]]


def test_brackets_of_hpbandster_with_27_epochs():
    assert sizes("hpbandster") == [[27, 9, 3, 1], [9, 3, 1], [6, 2], [4]]


def test_brackets_of_the_papers_table_with_81_epochs():
    assert sizes("paper", 5) == [[81, 27, 9, 3, 1], [34, 11, 3, 1], [15, 5, 1], [8, 2], [5]]


def test_bracket_with_fewer_rungs_leaves_out_the_short_ones():
    brackets = hyperband_brackets([1, 3, 9, 27], eta=3, formula="paper")
    assert [[rung.epochs for rung in b] for b in brackets] == [[1, 3, 9, 27], [3, 9, 27], [9, 27], [27]]


@pytest.mark.parametrize("formula", ["paper", "hpbandster"])
@pytest.mark.parametrize("eta", [2, 3, 4, 5])
@pytest.mark.parametrize("n_rungs", range(2, 8))
def test_no_bracket_spends_more_than_its_share_and_one_always_trains_in_full(formula, eta, n_rungs):
    full = eta ** (n_rungs - 1)
    for bracket in hyperband_brackets([eta**k for k in range(n_rungs)], eta=eta, formula=formula):
        assert sum(rung.epochs * rung.size for rung in bracket) <= n_rungs * full
        assert bracket[-1].epochs == full
        assert bracket[-1].size >= 1


def test_halving_keeps_whole_parts():
    assert [rung.size for rung in halving_bracket([1, 3, 9], eta=3, size=20)] == [20, 6, 2]


@pytest.mark.parametrize(("full", "eta", "n_rungs"), [(243, 3, 6), (125, 5, 4), (1000, 10, 4), (242, 3, 5)])
def test_number_of_rungs_is_exact_at_powers_of_eta(full, eta, n_rungs):
    # math.log(243, 3), math.log(125, 5) and math.log(1000, 10) are not whole.
    assert len(lengths(tuple(range(1, full + 1)), eta=eta)) == n_rungs


@pytest.mark.parametrize(
    ("epochs", "options", "expected"),
    [
        (tuple(range(1, 28)), {}, (1, 3, 9, 27)),
        (TO_20, {}, (2, 7, 20)),
        (TO_20, {"eta": 4}, (1, 5, 20)),
        (TO_20, {"min_epochs": 3}, (7, 20)),
        ((4, 12, 36, 108), {}, (4, 12, 36, 108)),
        ((12, 200), {}, (12, 200)),
        ((10, 100), {"eta": 2}, (10, 100)),
    ],
)
def test_rungs_are_the_measured_lengths_nearest_to_the_ladder(epochs, options, expected):
    assert lengths(epochs, **options) == expected


def test_of_two_lengths_equally_near_the_shorter_is_taken():
    assert lengths((2, 8, 16), eta=4) == (2, 16)


def test_no_rung_is_shorter_than_asked():
    assert lengths((1, 10, 100), min_epochs=2) == (10, 100)


def test_source_with_one_training_length_is_refused():
    with pytest.raises(BadOption, match=r"two or more training lengths, got one that answers for 200 epochs"):
        lengths((200,))


def test_factor_that_leaves_one_rung_is_refused():
    with pytest.raises(BadOption, match=r"eta: .* shortest length \(= 7\) and the full one \(= 20\), got 3"):
        lengths(TO_20, min_epochs=7)


@pytest.mark.parametrize("eta", [1, 0, 2.5, "3", True])
def test_eta_that_is_no_whole_number_above_one_is_refused(eta):
    with pytest.raises(BadOption, match="eta: expected a whole number >= 2, got"):
        lengths(TO_20, eta=eta)


@pytest.mark.parametrize("min_epochs", [0, 20, 21, 1.5, "2"])
def test_shortest_length_out_of_range_is_refused(min_epochs):
    with pytest.raises(BadOption, match=r"min_epochs: .* full length \(= 20\), got"):
        lengths(TO_20, min_epochs=min_epochs)


def test_unknown_formula_is_refused():
    with pytest.raises(BadOption, match="formula: expected 'paper' or 'hpbandster', got 'ceil'"):
        hyperband_brackets([1, 3], eta=3, formula="ceil")
