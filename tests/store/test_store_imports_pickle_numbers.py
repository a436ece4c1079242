"""Dictionaries of numbers read whole: what Python's reader gives, whatever changes from one to the next."""

from __future__ import annotations

import collections
import io
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench.errors import FormatError
from nasbench.store.imports import pickle_numbers
from nasbench.store.imports.nats_files import allowed
from nasbench.store.imports.pickle_items import ItemReader
from nasbench.store.imports.pickle_numbers import Keys, Numbers

SHARED = ["train", "eval", "times", "again"]


def read(data):
    reader = ItemReader(io.BytesIO(data), streamed="big", where="f", allowed=allowed())
    return dict(reader.items()), reader


def dumped(items, protocol):
    """Pickle items as the second entry, far from both ends of the file."""
    return pickle.dumps({"names": SHARED, "big": items, "after": "x" * 2_000}, protocol=protocol)


def training(rng, *, epochs=30, splits=("x-valid", "ori-test"), sparse=("ori-test",)):
    """Make up dictionaries as the releases have them: of one evaluation they have the same texts as keys."""
    keys = [f"{split}@{epoch}" for split in splits for epoch in range(epochs)]
    some = [key for key in keys if key.split("@")[0] not in sparse or key.endswith(f"@{epochs - 1}")]
    return {
        "train": {epoch: float(x) for epoch, x in enumerate(rng.random(epochs))},
        "ordered": collections.OrderedDict((epoch, 2.5) for epoch in range(epochs)),
        "eval": {key: float(x) for key, x in zip(some, rng.random(len(some)), strict=True)},
        "times": {key: float(x) for key, x in zip(keys, rng.random(len(keys)), strict=True)},
        "again": {key: float(x) for key, x in zip(some, rng.random(len(some)), strict=True)},
        "flop": 1.5,
        "params": np.float64(rng.random()),
        "seed": int(rng.integers(1_000)),
    }


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_trainings_equal_those_of_pythons_reader_and_are_arrays(protocol, rng):
    items = {i: {(name, seed): training(rng) for name in ("a", "b") for seed in range(3)} for i in range(40)}
    got, _ = read(dumped(items, protocol))
    assert got == items
    of_one = got[20]["b", 2]
    read_whole = {name for name, value in of_one.items() if isinstance(value, Numbers)}
    assert read_whole == {"train", "ordered", "eval", "times", "again"}
    assert of_one["times"].array.tolist() == list(items[20]["b", 2]["times"].values())
    assert of_one["times"].names is got[21]["a", 0]["times"].names


def new(text):
    """Make an equal text that is no other's; those with an @ are shared within one item only."""
    return f"{text} "[:-1]


CHANGES = {
    "an epoch less": lambda made: made["train"].pop(17),
    "a whole number among the values": lambda made: made["train"].update({3: 3}),
    "nothing among the values": lambda made: made["times"].update({new("x-valid@3"): None}),
    "another order": lambda made: made["again"].update({new("x-valid@2"): made["again"].pop("x-valid@2")}),
    "a key of its own": lambda made: made["again"].update({new("x-valid@77"): 1.0}),
    "equal keys that are other texts": lambda made: made.update(
        again={new(key): value for key, value in made["again"].items()}
    ),
    "one dictionary twice": lambda made: made.update(again=made["eval"]),
    "a dictionary of dictionaries": lambda made: made.update(train={0: {0: 1.0}}),
    "an empty one": lambda made: made.update(train={}),
    "a few entries": lambda made: made.update(train={0: 1.0, 1: 2.0}),
    "more than one part": lambda made: made.update(train={i: i / 7 for i in range(1_001)}),
    "no evaluation": lambda made: made.pop("eval"),
    "other splits": lambda made: made.update(
        eval={f"x-test@{i}": 1.5 for i in range(30)}, again={f"x-test@{i}": 2.5 for i in range(30)}
    ),
}


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("change", CHANGES)
def test_what_differs_from_one_to_the_next_is_not_overlooked(change, protocol, rng):
    items = {i: {seed: training(rng) for seed in range(3)} for i in range(30)}
    for i in range(9, 30, 4):
        CHANGES[change](items[i][1])
    assert read(dumped(items, protocol))[0] == items


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(data=st.data(), protocol=st.sampled_from([2, 4]))
def test_any_dictionaries_of_numbers_equal_those_of_pythons_reader(data, protocol):
    texts = [f"{split}@{i}" for split in ("a", "bc", "é") for i in range(12)]
    keys = st.one_of(
        st.just(list(range(12))), st.lists(st.integers(0, 300), min_size=8, max_size=14, unique=True),
        st.lists(st.sampled_from(texts), min_size=8, max_size=20, unique=True),
        st.lists(st.text(min_size=1, max_size=3).map(lambda t: f"{t}@"), min_size=8, max_size=9, unique=True),
    )  # fmt: skip
    chosen = data.draw(st.lists(keys, min_size=1, max_size=3))
    order = data.draw(st.lists(st.integers(0, len(chosen) - 1), min_size=20, max_size=60))
    items = {}
    for i in range(0, len(order), 4):
        own = {key: new(key) if isinstance(key, str) else key for keys in chosen for key in keys}
        items[i] = {
            f"of {place}": {own[key]: float(i + n) for n, key in enumerate(chosen[kind])}
            for place, kind in enumerate(order[i : i + 4])
        }
    assert read(dumped(items, protocol))[0] == items


def test_a_text_of_an_item_before_is_told_as_before(rng):
    """An item that refers to keys which went with an earlier one."""
    keys = [f"x@{i}" for i in range(20)]
    items = {i: {"eval": dict.fromkeys(keys, 0.5)} for i in range(4)}
    with pytest.raises(FormatError, match="refers to one of an item before it, which was let go"):
        read(dumped(items, 2))


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_file_that_breaks_off_anywhere_is_told(protocol, rng):
    data = dumped({i: {seed: training(rng, epochs=9) for seed in range(2)} for i in range(6)}, protocol)
    for cut in range(100, len(data) - 1, 997):
        with pytest.raises(FormatError, match=r"f: byte [\d,]+: expected a whole pickle"):
            read(data[:cut])


@pytest.mark.parametrize("protocol", [2, 4])
def test_pieces_of_any_size_give_the_same(protocol, rng, monkeypatch):
    items = {i: {seed: training(rng) for seed in range(3)} for i in range(12)}
    data = dumped(items, protocol)
    for room in (600, 1_500, 5_000):
        monkeypatch.setattr("nasbench.store.imports.pickle_items._AHEAD", room)
        monkeypatch.setattr("nasbench.store.imports.pickle_items._READ", 100)
        assert read(data)[0] == items


def test_only_so_many_forms_are_kept(rng, monkeypatch):
    monkeypatch.setattr(pickle_numbers, "_FORMS", 3)
    items = {i: {"train": dict.fromkeys(range(8 + i), 0.5), "seed": i} for i in range(20)}
    got, reader = read(dumped(items, 2))
    assert got == items
    assert reader._forms._count == 3


def test_numbers_are_a_dictionary_that_cannot_be_changed():
    numbers = Numbers(Keys(["a", "b"]), np.array([1.5, 2.5]))
    assert numbers == {"a": 1.5, "b": 2.5}
    assert (len(numbers), list(numbers), list(numbers.values())) == (2, ["a", "b"], [1.5, 2.5])
    assert numbers.get("c") is None
    with pytest.raises(KeyError):
        numbers["c"]
    assert numbers != {"a": 1.5}
