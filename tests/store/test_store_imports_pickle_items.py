"""Pickles read item by item equal pickles read whole; code is refused, and what breaks off is told."""

from __future__ import annotations

import collections
import io
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench.errors import FormatError
from nasbench.store.imports.nats_files import allowed
from nasbench.store.imports.pickle_items import ItemReader

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=12)
    | st.binary(min_size=1, max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5) | st.integers(0, 300), inner, max_size=4)
        | st.tuples(inner, inner)
        | st.frozensets(st.integers(), max_size=3)
    ),
    max_leaves=6,
)


def read(data, *, streamed="big"):
    reader = ItemReader(io.BytesIO(data), streamed=streamed, where="f", allowed=allowed())
    return dict(reader.items()), reader


@settings(max_examples=40, derandomize=True, deadline=None, database=None)
@given(
    items=st.dictionaries(
        st.integers(0, 70_000),
        st.dictionaries(st.integers(0, 9) | st.text(max_size=3), plain, max_size=2),
        max_size=4,
    ),
    before=plain,
    after=plain,
    protocol=st.sampled_from([2, 3, 4, 5]),
)
def test_items_equal_those_of_pythons_reader(items, before, after, protocol):
    data = pickle.dumps({"before": before, "big": items, "after": after}, protocol=protocol)
    if b"frozenset" in data or b"\x8b" in data:
        return  # old protocols name frozenset as a global, and very long numbers have an opcode of their own
    got, reader = read(data)
    assert got == items
    assert reader.top == {"before": before, "after": after}


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(
    items=st.dictionaries(
        st.integers(0, 70_000), st.dictionaries(st.integers(0, 9) | st.text(max_size=3), plain, max_size=3)
    ),
    before=plain,
    protocol=st.sampled_from([4, 5]),
)
def test_items_far_from_the_end_equal_those_of_pythons_reader(items, before, protocol):
    """Near the end of a file opcodes are carried out one by one, before it at a stretch."""
    whole = {"before": [before, ["a", "a\n@1"]], "big": items, "after": "x" * 2_000}
    data = pickle.dumps(whole, protocol=protocol)
    if b"\x8b" in data:
        return  # very long numbers have an opcode of their own
    got, reader = read(data)
    assert got == items
    assert reader.top == {name: value for name, value in whole.items() if name != "big"}


@pytest.mark.parametrize("name", ["é@{}", "a\n@{}", "\ud800@{}", "\n{}"])
def test_keys_of_runs_may_be_any_text(name):
    items = {i: {"of": {name.format(k): k / 7 for k in range(200)}} for i in range(3)}
    assert read(pickle.dumps({"big": items, "after": "x" * 2_000}))[0] == items


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("count", [0, 1, 2, 999, 1_000, 1_001, 2_500])
def test_batches_of_any_size_are_given_item_by_item(count, protocol):
    items = {index: {"a": [index, float(index)], "b": {}} for index in range(count)}
    got, reader = read(pickle.dumps({"meta": ["x"], "big": items, "end": {1, 2}}, protocol=protocol))
    assert got == items
    assert list(got) == list(items)
    assert reader.top == {"meta": ["x"], "end": {1, 2}}


@pytest.mark.parametrize("protocol", [2, 4])
def test_runs_of_numbers_equal_those_of_pythons_reader(protocol):
    items = {}
    for index in (5, 256, 70_000):
        names = [f"x-valid@{i}" for i in range(1_200)]
        items[index] = collections.OrderedDict(
            epochs={i: i / 7 for i in range(700)},
            one=dict(zip(names, np.arange(1_200.0).tolist(), strict=True)),
            two=dict.fromkeys(names, 0.1),
            wide={70_000 + i: 1.5 for i in range(5)},
        )
    got, _ = read(pickle.dumps({"big": items}, protocol=protocol))
    assert got == items


def test_an_item_is_given_before_the_next_is_read():
    class Counting(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 70_000))

    stream = Counting(pickle.dumps({"big": {i: dict.fromkeys(range(20000), 0.5) for i in range(8)}}))
    items = ItemReader(stream, streamed="big", where="f", allowed=allowed()).items()
    positions = []
    for _ in items:
        positions.append(stream.tell())
    assert positions == sorted(positions)
    assert positions[0] < stream.getbuffer().nbytes / 3


def test_what_an_item_brought_is_let_go_but_shared_texts_are_kept():
    shared = "a name that all items share"
    items = {i: {shared: [{f"{i}@{k}": 0.5 for k in range(50)}]} for i in range(40)}
    got, reader = read(pickle.dumps({"big": items}))
    assert got == items
    assert len(reader._memory.shared) < 60


def test_a_reference_to_what_was_let_go_is_told():
    shared = [1, 2]
    with pytest.raises(FormatError, match="refers to one of an item before it, which was let go"):
        read(pickle.dumps({"big": {1: {"a": shared}, 2: {"a": shared}}}))


def test_items_whose_keys_are_no_numbers_come_too():
    got, _ = read(pickle.dumps({"big": {"a": 1, "b": 2}}))
    assert got == {"a": 1, "b": 2}


def test_numpy_scalars_are_read():
    items = {i: {"params": np.float64(i / 3)} for i in range(3)}
    for protocol in (2, 4):
        got, _ = read(pickle.dumps({"big": items}, protocol=protocol))
        assert got == items


class Evil:
    def __reduce__(self):
        return print, ("ran",)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("place", ["big", "other"])
def test_a_global_outside_the_list_is_refused_before_it_runs(protocol, place, capsys):
    data = pickle.dumps({"big": {}, place: {1: Evil()}}, protocol=protocol)
    with pytest.raises(
        FormatError, match=r"got the global (__builtin__|builtins)\.print, which could run code"
    ):
        read(data)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("opcode", [b"i", b"o", b"\x81", b"P", b"Q", b"\x82"])
def test_opcodes_that_plain_values_do_not_need_are_refused(opcode):
    with pytest.raises(FormatError, match="byte 3: expected plain values only, got the opcode"):
        read(b"\x80\x04}" + opcode + b".")


def test_values_that_begin_like_dictionaries_and_are_none_are_refused():
    with pytest.raises(FormatError, match="a value of the large dictionary is no dictionary"):
        read(pickle.dumps({"big": {1: ({"a": 1}, 5), 2: ({"a": 1}, 5)}}))


def test_a_state_is_given_to_nothing_but_a_description_of_numbers():
    with pytest.raises(FormatError, match="got the opcode b'b'"):
        read(b"\x80\x04}}b.")


@pytest.mark.parametrize("cut", [1, 9, 40, 200])
def test_a_pickle_that_breaks_off_is_told_by_its_byte(cut):
    data = pickle.dumps({"big": {i: {"a": "text" * 10, "b": 0.5} for i in range(9)}})
    with pytest.raises(FormatError, match=r"f: byte [\d,]+: expected a whole pickle"):
        read(data[:-cut])


def test_a_pickle_of_something_else_is_refused():
    with pytest.raises(FormatError, match="expected a dictionary, got list"):
        read(pickle.dumps([1]))


def test_bytes_of_protocol_2_are_latin1_and_nothing_else():
    encode = allowed()["_codecs", "encode"]
    assert encode("\xff", "latin1") == b"\xff"
    with pytest.raises(ValueError, match="expected latin1, got 'utf-8'"):
        encode("a", "utf-8")
