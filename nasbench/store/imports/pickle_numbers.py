"""Dictionaries of numbers in a pickle, read whole where one has the bytes of an earlier one but for values.

The releases hold a hundred such dictionaries an architecture: numbers by epoch or by ``<split>@<epoch>``.
Their opcodes and keys are the same from one training to the next. So the first of a form is taken apart once,
into which of its bytes stay and where its values and the numbers of memoised keys stand, and the next ones
are compared with it and read by numpy.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

LARGEST = 40_000
"""Bytes that a dictionary is looked for in; those of the releases take less than 20,000."""
_FEWEST, _MOST = 2, 999  # entries; from 1,000 on a dictionary is written in several parts
_FORMS = 64
_LARGEST_NUMBER = 2**32 - _MOST - 1
_LONGEST = 64  # bytes of one entry

_DOUBLE, _PUT, _TEXT, _SHORT_TEXT, _MEMOIZE = b"GrX\x8c\x94"
_KEY_BYTES = {ord("K"): 2, ord("M"): 3, ord("j"): 5}

Places = npt.NDArray[np.int64]
Numbers32 = npt.NDArray[np.uint32]


class Keys(tuple[Any, ...]):
    """The keys of dictionaries of one form; equal ones are the same object.

    Attributes:
        notes: For whoever reads the dictionaries, what they found out about these keys.
    """

    notes: dict[Any, Any]

    def __new__(cls, keys: list[Any]) -> Keys:
        """Make them of a list."""
        made = super().__new__(cls, keys)
        made.notes = {}
        return made


class Numbers(Mapping[Any, float]):
    """A dictionary of numbers as keys and an array.

    Attributes:
        names: The keys, in their order.
        array: (n,) float64.
    """

    __slots__ = ("_dictionary", "array", "names")

    def __init__(self, names: Keys, array: npt.NDArray[np.float64]) -> None:
        self.names = names
        self.array = array
        self._dictionary: dict[Any, float] | None = None

    def __getitem__(self, key: Any) -> float:
        if self._dictionary is None:
            self._dictionary = dict(zip(self.names, self.array.tolist(), strict=True))
        return self._dictionary[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class Source(Protocol):
    """Texts that an earlier dictionary memoised, under numbers without a gap."""

    @property
    def first(self) -> int:
        """Number of the first."""
        ...

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts; those of one form are the same object."""
        ...


@dataclass(frozen=True, slots=True)
class _Entry:
    """One key and its double; places are bytes from the beginning of the dictionary.

    Attributes:
        key: The key; None where it refers to a memoised one.
        value: Place of the double.
        put: Place of the number under which the key is memoised; 0 where it says none, -1 where it is not.
        reference: Place of the number of a memoised key, or 0.
        number: What stands there.
    """

    key: Any
    value: int
    put: int = -1
    reference: int = 0
    number: int = 0


class Form:
    """What dictionaries of one form have in common.

    Args:
        body: The bytes of one, from its mark to the opcode that closes it.
        entries: What it was taken apart into.
        memoised: The texts that its references are of.

    Attributes:
        length: Bytes.
        keys: The keys.
        texts: Those of them that it memoises, in the order of their numbers.
        is_sound: Whether the keys are known and differ.
        followed_by: By the opcode that the next dictionary begins with, what form that had the last time.
    """

    def __init__(self, body: bytes, entries: list[_Entry], memoised: Sequence[Source]) -> None:
        self.length = len(body)
        self.followed_by: dict[int, Form] = {}
        self._groups: list[tuple[tuple[str, ...], Places, Numbers32]] = []
        keys = [entry.key for entry in entries]
        refer = [i for i, entry in enumerate(entries) if entry.reference]
        by_source: dict[int, list[tuple[int, int]]] = {}
        for at, i in enumerate(refer):
            for source, some in enumerate(memoised):
                offset = entries[i].number - some.first
                if 0 <= offset < len(some.texts):
                    keys[i] = some.texts[offset]
                    by_source.setdefault(source, []).append((at, offset))
        for source, pairs in by_source.items():
            places = np.array(pairs, dtype=np.int64)
            self._groups.append((memoised[source].texts, places[:, 0], places[:, 1].astype(np.uint32)))
        self.keys = Keys(keys)
        self.is_sound = len(set(keys)) == len(keys) and None not in keys
        self.texts = tuple(entry.key for entry in entries if entry.put >= 0)
        puts = [entry.put for entry in entries if entry.put > 0]
        values = [entry.value for entry in entries]
        self._references = _Field([entries[i].reference for i in refer], "<u4")
        self._puts = _Field(puts, "<u4")
        self._values = _Field(values, ">f8")
        self._count = np.arange(len(puts), dtype=np.uint32)
        self._mask = np.full(self.length, 0xFF, dtype=np.uint8)
        for field in (self._values, self._puts, self._references):
            self._mask[field.places] = 0
        self._literal = (np.frombuffer(body, np.uint8) & self._mask).tobytes()
        self._masked = np.empty_like(self._mask)
        last = values[-2]  # what stands between the last two values stays, but for numbers
        end = min([p for p in (*puts[-1:], entries[-1].reference) if p > last + 8], default=values[-1])
        self._tail, self._tail_at = body[last + 8 : end], last + 8

    def read(
        self, buffer: bytes, at: int, following: int, memoised: Sequence[Source]
    ) -> npt.NDArray[np.float64] | None:
        """Read the values of a dictionary of this form; None if it is of another."""
        if not buffer.startswith(self._tail, at + self._tail_at) or len(buffer) < at + self.length:
            return None
        block = np.frombuffer(buffer, dtype=np.uint8, count=self.length, offset=at)
        np.bitwise_and(block, self._mask, out=self._masked)
        if self._masked.tobytes() != self._literal:
            return None
        if len(self._count) and _differ(self._puts.read(buffer, at, block), self._count, following):
            return None
        if self._groups:
            numbers = self._references.read(buffer, at, block)
            for texts, places, offsets in self._groups:
                first = next((some.first for some in reversed(memoised) if some.texts is texts), None)
                some_numbers = numbers if len(self._groups) == 1 else numbers[places]
                if first is None or _differ(some_numbers, offsets, first):
                    return None
        return self._values.read(buffer, at, block).astype(np.float64)


class Forms:
    """The forms met so far."""

    def __init__(self) -> None:
        self._by_head: dict[bytes, list[Form]] = {}
        self._count = 0
        self._last: Form | None = None

    def read(
        self, buffer: bytes, at: int, following: int, memoised: Sequence[Source]
    ) -> tuple[Form, npt.NDArray[np.float64]] | None:
        """Read a dictionary of numbers.

        Args:
            buffer: Bytes of the pickle.
            at: Where the mark before the first key stands.
            following: The number that the next memoised object gets.
            memoised: Texts that may be referred to.

        Returns:
            Its form and its values; None where it is no dictionary of some numbers.
        """
        last = self._last
        op = buffer[at + 1]
        form = last.followed_by.get(op) if last else None
        if form is not None and (values := form.read(buffer, at, following, memoised)) is not None:
            self._last = form
            return form, values
        found = self._find(buffer, at, following, memoised)
        if found is not None:
            self._last = found[0]
            if last is not None:
                last.followed_by[op] = self._last
        return found

    def _find(
        self, buffer: bytes, at: int, following: int, memoised: Sequence[Source]
    ) -> tuple[Form, npt.NDArray[np.float64]] | None:
        """Look for the form among those that begin alike, or take the dictionary apart."""
        op = buffer[at + 1 : at + 2]
        head = op if op == b"j" else buffer[at + 1 : at + 3]
        forms = self._by_head.get(head, [])
        for place, form in enumerate(forms):
            if (values := form.read(buffer, at, following, memoised)) is not None:
                if place:
                    forms.insert(0, forms.pop(place))
                return form, values
        if self._count == _FORMS or (found := _taken_apart(buffer, at)) is None:
            return None
        form = Form(*found, memoised)
        if not form.is_sound or (values := form.read(buffer, at, following, memoised)) is None:
            return None
        self._count += 1
        self._by_head.setdefault(head, []).insert(0, form)
        return form, values


def begins(buffer: bytes, at: int) -> bool:
    """Say whether a key and a double stand here, as in a dictionary of numbers."""
    op = buffer[at]
    if op in _KEY_BYTES:
        return buffer[at + _KEY_BYTES[op]] == _DOUBLE
    if op == _TEXT:
        end = at + 5 + buffer[at + 1]
        return buffer[end] == _PUT and buffer[end + 5] == _DOUBLE
    if op == _SHORT_TEXT:
        end = at + 2 + buffer[at + 1]
        return buffer[end] == _MEMOIZE and buffer[end + 1] == _DOUBLE
    return False


def _taken_apart(buffer: bytes, at: int) -> tuple[bytes, list[_Entry]] | None:
    """Take a dictionary of numbers apart, entry by entry; None where there is none."""
    entries: list[_Entry] = []
    here = at + 1
    while buffer[here : here + 1] != b"u":
        if here + _LONGEST > len(buffer) or len(entries) == _MOST:
            return None
        entry, here = _entry(buffer, at, here)
        if entry is None:
            return None
        entries.append(entry)
    return (buffer[at : here + 1], entries) if len(entries) >= _FEWEST else None


def _entry(buffer: bytes, start: int, at: int) -> tuple[_Entry | None, int]:
    """Read one entry; returns it, or None, and where the next begins."""
    op, put, reference, number = buffer[at : at + 1], -1, 0, 0
    key: int | str | None = None
    if op == b"K":
        key, end = buffer[at + 1], at + 2
    elif op == b"M":
        key, end = int.from_bytes(buffer[at + 1 : at + 3], "little"), at + 3
    elif op == b"j":
        reference, end = at + 1 - start, at + 5
        number = int.from_bytes(buffer[at + 1 : end], "little")
    elif op in (b"X", b"\x8c"):
        begin = at + (5 if op == b"X" else 2)
        end = begin + int.from_bytes(buffer[at + 1 : begin], "little")
        text = buffer[begin:end].decode("utf-8", "surrogatepass") if end < at + _LONGEST - 14 else ""
        key = text
        if buffer[end : end + 1] == b"r":
            put, end = end + 1 - start, end + 5
        elif buffer[end : end + 1] == b"\x94":
            put, end = 0, end + 1
        if "@" not in text or put < 0:
            return None, at
    else:
        return None, at
    if buffer[end : end + 1] != b"G":
        return None, at
    return _Entry(key, end + 1 - start, put, reference, number), end + 9


class _Field:
    """Where one kind of number stands in a dictionary, and how it is read.

    Args:
        starts: Byte at which each begins.
        dtype: Of each.
    """

    def __init__(self, starts: list[int], dtype: str) -> None:
        self._dtype = np.dtype(dtype)
        self.places = np.array(starts, dtype=np.int64).reshape(-1, 1) + np.arange(self._dtype.itemsize)
        steps = {after - before for before, after in itertools.pairwise(starts)}
        self._start, self._strides = (starts or [0])[0], tuple(steps)
        self._shape = (len(starts),)

    def read(self, buffer: bytes, at: int, block: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
        """Read all of them; at even distances without a copy."""
        if len(self._strides) == 1:
            return np.ndarray(self._shape, self._dtype, buffer, at + self._start, self._strides)
        read: npt.NDArray[Any] = block[self.places].view(self._dtype)[:, 0]
        return read


def _differ(numbers: npt.NDArray[Any], offsets: Numbers32, first: int) -> bool:
    """Say whether numbers are others than those from the first on."""
    if first > _LARGEST_NUMBER:
        return True
    return bool((numbers != offsets + np.uint32(first)).any())
