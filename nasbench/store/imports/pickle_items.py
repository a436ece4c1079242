"""Reading one large pickle item by item: a dictionary that holds a dictionary too large for the memory.

A pickle of 15,625 architectures is one value of several gigabytes, and Python's reader gives it only whole.
This one gives every item of the large dictionary as soon as it is complete and lets it go: it interprets the
opcodes that plain values are made of (protocols 2 to 5), knows no other, and calls nothing but what an
allow-list names. Dictionaries of numbers, which such files mostly are, are read whole where one has the form
of an earlier one (``pickle_numbers``) and given as read-only mappings; else runs of numbers are taken many at
a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from nasbench.errors import FormatError
from nasbench.store.imports import pickle_opcodes as ops
from nasbench.store.imports.pickle_memory import Memoised, Memory
from nasbench.store.imports.pickle_numbers import LARGEST, Forms, Numbers, begins
from nasbench.store.imports.pickle_opcodes import (
    CALL,
    CLOSING,
    CONTAINERS,
    DOUBLE,
    EMPTY,
    MEMOIZE,
    MEMORISING,
    OPEN,
    PAIR,
    REFERENCES,
    SHORT_TEXT,
    SMALL,
    TEXT,
    WRITING,
    read_double,
    read_number,
)
from nasbench.store.imports.pickle_runs import BEGIN_RUNS, RUN_KEYS, read_run
from nasbench.store.imports.restricted import Allowed

_READ = 1 << 20
_AHEAD = 1 << 16
"""Bytes that are at hand before an opcode is read; more is fetched for longer texts."""
_ROOM = 512
"""Bytes that the longest of the common opcodes and what follows it stay under."""


class Stream(Protocol):
    """What can be read from."""

    def read(self, size: int, /) -> bytes:
        """Return some bytes, few or many; none at the end."""
        ...


class ItemReader:
    """Reads a pickle whose top is a dictionary, and in it a dictionary of dictionaries.

    Args:
        stream: Open for reading bytes, at the first byte of the pickle.
        streamed: The key whose value is given item by item.
        where: Name of the file, for messages.
        allowed: Globals that may appear, with what they stand for.
    """

    def __init__(self, stream: Stream, *, streamed: str, where: str, allowed: Allowed) -> None:
        self._stream = stream
        self._streamed = streamed
        self._where = where
        self._allowed = allowed
        self._buffer = b""
        self._at = 0
        self._passed = 0  # bytes before the buffer
        self._stack: list[Any] = []
        self._marks: list[int] = []  # where on the stack the items of each open value begin
        self._memory = Memory()
        self._forms = Forms()
        self.top: dict[Any, Any] = {}
        """The other entries of the top dictionary; complete once the items have been read."""

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Yield the items of the streamed dictionary, each once it is complete.

        Raises:
            FormatError: A global outside the list, an opcode that plain values do not need, or a pickle that
                breaks off or makes no sense; the message names the byte.
        """
        try:
            yield from self._items()
        except FormatError:
            raise
        except Exception as error:  # a broken pickle may raise anything
            raise FormatError(
                f"{self._where}: byte {self._passed + self._at:,}: expected a whole pickle, got one that "
                f"breaks off or makes no sense ({error!r}). Fetch it again."
            ) from error

    def _items(self) -> Iterator[tuple[Any, Any]]:
        stack, marks = self._stack, self._marks
        floor = -1  # where on the stack the items of the streamed dictionary begin, once they do
        level = 0  # how many marks are open there
        while True:
            if len(self._buffer) - self._at < _AHEAD:
                self._fetch(_AHEAD)
            around = level if floor >= 0 else 1  # open marks around a value that is read at a stretch
            if len(marks) > around and len(self._buffer) - self._at > _ROOM:
                self._inside(around)
                continue
            op = self._buffer[self._at : self._at + 1]
            if floor >= 0 and len(marks) == level:
                count = len(stack) - floor
                # A dictionary with something in it is complete when the next key comes; of an empty one that
                # may yet be its own first key.
                if op == b"u" or (op in ops.FIXED and count % 2 == 0 and _is_filled(stack[-1])):
                    yield from zip(stack[floor::2], stack[floor + 1 :: 2], strict=True)
                    del stack[floor:]
                    self._memory.let_go()
                elif op in ops.TUPLES and count <= ops.TUPLES[op]:
                    raise ValueError("a value of the large dictionary is no dictionary")
            if op == b"(":
                self._at += 1
                marks.append(len(stack))
                if len(marks) <= 2 and len(stack) >= 2 and stack[-2] == self._streamed:
                    floor, level = len(stack), len(marks)
            elif op and op[0] in CLOSING:
                self._at += 1
                self._close(op)
                if len(marks) < level:
                    floor = -1
            elif op == b".":
                top = stack.pop()
                if not isinstance(top, dict):
                    raise FormatError(f"{self._where}: expected a dictionary, got {type(top).__name__}.")
                rest = top.pop(self._streamed, {})
                self.top = top
                yield from rest.items()  # items whose keys are no whole numbers come late
                return
            elif op == b"s" and len(marks) <= 1 and len(stack) >= 4 and stack[-4] == self._streamed:
                self._at += 1  # a dictionary of one item has no mark
                value, key = stack.pop(), stack.pop()
                yield key, value
                self._memory.let_go()
            else:
                self._step(op)

    def _inside(self, level: int) -> None:
        """Carry out opcodes inside a value until its marks are closed or the bytes at hand run out.

        Nearly all bytes of a file pass here: the common opcodes are carried out in place, without a call.
        """
        stack, marks, memory = self._stack, self._marks, self._memory
        own, shared, put = memory.own, memory.shared, memory.put
        buffer, at, end = self._buffer, self._at, len(self._buffer) - _ROOM
        depth = len(marks) - level
        while at < end and depth:
            op = buffer[at]
            if op in MEMORISING:
                if op == MEMOIZE:
                    number, at = memory.following, at + 1
                else:
                    number, at = read_number(buffer, at + 1)[0], at + 5
                value = stack[-1]
                if type(value) in CONTAINERS:
                    own[number] = value
                    if number >= memory.following:
                        memory.following = number + 1
                else:
                    put(number, value)
                continue
            if op in RUN_KEYS:
                length = RUN_KEYS[op]
                follows = at + length
            elif op in WRITING:
                begin = at + (5 if op == TEXT else 2)
                length = begin - at + buffer[at + 1]
                follows = at + length + (5 if op == TEXT else 1)
            else:
                follows = 0
            if follows and buffer[follows] == DOUBLE and buffer[follows + 9] == op:
                self._at = at
                if (run := self._run(buffer[at : at + 1])) is not None:
                    stack += run
                    at = self._at
                    continue
            if op in REFERENCES:
                number = read_number(buffer, at + 1)[0] if length == 5 else buffer[at + 1]
                at += length
                stack.append(shared[number] if number in shared else self._recall(number))
            elif op == SHORT_TEXT or (op == TEXT and buffer[at + 2 : begin] == b"\0\0\0"):
                at += length
                stack.append(buffer[begin:at].decode("utf-8", "surrogatepass"))
            elif op == OPEN:
                if type(stack[-1]) is dict and not stack[-1] and begins(buffer, at + 1):
                    self._at = at
                    is_read = self._numbers()
                    buffer, at, end = self._buffer, self._at, len(self._buffer) - _ROOM
                    if is_read:
                        continue
                marks.append(len(stack))
                depth += 1
                at += 1
            elif op in CLOSING:
                self._close(buffer[at : at + 1])
                depth -= 1
                at += 1
            elif op in EMPTY:
                stack.append(EMPTY[op]())
                at += 1
            elif op == DOUBLE:
                stack.append(read_double(buffer, at + 1)[0])
                at += 9
            elif op == PAIR:
                value = stack.pop()
                stack[-1] = (stack[-1], value)
                at += 1
            elif op == CALL:
                arguments = stack.pop()
                stack[-1] = stack[-1](*arguments)
                at += 1
            elif op in SMALL:
                end_of_number = at + 1 + SMALL[op]
                stack.append(int.from_bytes(buffer[at + 1 : end_of_number], "little"))
                at = end_of_number
            else:
                self._at = at
                self._step(buffer[at : at + 1])
                buffer, at, end = self._buffer, self._at, len(self._buffer) - _ROOM
        self._at = at

    def _numbers(self) -> bool:
        """Read what follows into the empty dictionary above, if it is one of numbers; say whether it is."""
        memory = self._memory
        number = memory.following - 1
        if memory.own.get(number) is not self._stack[-1]:
            return False
        if len(self._buffer) - self._at < LARGEST:
            self._fetch(_AHEAD)
        found = self._forms.read(self._buffer, self._at, memory.following, memory.texts)
        if found is None:
            return False
        form, values = found
        self._stack[-1] = memory.own[number] = Numbers(form.keys, values)
        if form.texts:
            memory.texts.append(Memoised(memory.following, form.texts))
            memory.following += len(form.texts)
        self._at += form.length
        return True

    # Bytes --------------------------------------------------------------------------------------

    def _fetch(self, wanted: int) -> None:
        """Have at least ``wanted`` bytes at hand, or all there are."""
        parts = [self._buffer[self._at :]]
        have = len(parts[0])
        while have < wanted:
            data = self._stream.read(max(_READ, wanted - have))
            if not data:
                break
            parts.append(data)
            have += len(data)
        self._passed += self._at
        self._buffer, self._at = b"".join(parts), 0

    def _take(self, n: int) -> bytes:
        """Read the next n bytes."""
        if len(self._buffer) - self._at < n:
            self._fetch(n)
        data = self._buffer[self._at : self._at + n]
        if len(data) < n:
            raise EOFError("the file ends early")
        self._at += n
        return data

    def _number(self, n: int, *, signed: bool = False) -> int:
        return int.from_bytes(self._take(n), "little", signed=signed)

    # Opcodes ------------------------------------------------------------------------------------

    def _step(self, op: bytes) -> None:
        """Carry out one opcode, or a run of pairs of a key and a double."""
        stack = self._stack
        if op == b"\x94":
            self._at += 1
            self._memory.put(self._memory.following, stack[-1])
            return
        if op in BEGIN_RUNS and (run := self._run(op)) is not None:
            stack.extend(run)
            return
        self._at += len(op)
        if op == b"G":
            stack.append(read_double(self._take(8))[0])
        elif op in ops.FIXED:
            stack.append(self._number(ops.FIXED[op], signed=op == b"J"))
        elif op in (b"h", b"j"):
            stack.append(self._recall(self._number(1 if op == b"h" else 4)))
        elif op in (b"q", b"r"):
            self._memory.put(self._number(1 if op == b"q" else 4), stack[-1])
        elif op in ops.TEXTS:
            data = self._take(self._number(ops.TEXTS[op]))
            stack.append(data if op in ops.BYTES else data.decode("utf-8", "surrogatepass"))
        elif op in ops.CONSTANTS:
            stack.append(ops.CONSTANTS[op])
        elif op and op[0] in EMPTY:
            stack.append(EMPTY[op[0]]())
        elif op in ops.TUPLES:
            n = ops.TUPLES[op]
            stack[-n:] = [tuple(stack[-n:])]
        elif op == b"s":
            value, key = stack.pop(), stack.pop()
            stack[-1][key] = value
        elif op == b"a":
            value = stack.pop()
            stack[-1].append(value)
        else:
            self._rare(op)

    def _rare(self, op: bytes) -> None:
        """Carry out one of the opcodes that come a few times a file."""
        stack = self._stack
        if not op:
            raise EOFError("the file ends early")
        if op == b"\x80":
            self._take(1)  # protocol
        elif op == b"\x95":
            self._take(8)  # frame: how much a reader may fetch at once
        elif op == b"\x8a":
            stack.append(self._number(self._number(1), signed=True))
        elif op in (b"c", b"\x93"):
            name, module = (stack.pop(), stack.pop()) if op == b"\x93" else self._lines()
            if (module, name) not in self._allowed:
                raise FormatError(
                    f"{self._where}: expected plain values only, got the global {module}.{name}, which could "
                    "run code. Do not open this file."
                )
            stack.append(self._allowed[module, name])
        elif op == b"R":
            arguments = stack.pop()
            stack[-1] = stack[-1](*arguments)
        elif op == b"b" and isinstance(stack[-2], np.dtype):
            description: Any = stack[-2]
            description.__setstate__(stack.pop())
        else:
            raise FormatError(
                f"{self._where}: byte {self._passed + self._at - 1:,}: expected plain values only, got the "
                f"opcode {op!r}. Do not open this file."
            )

    def _close(self, op: bytes) -> None:
        """Hand what stands above the last mark to the value below it."""
        stack, at = self._stack, self._marks.pop()
        items = stack[at:]
        del stack[at:]
        if op == b"t":
            stack.append(tuple(items))
        elif op == b"\x91":
            stack.append(frozenset(items))
        elif op == b"u":
            stack[-1].update(zip(items[::2], items[1::2], strict=True))
        elif op == b"e":
            stack[-1].extend(items)
        else:
            stack[-1].update(items)

    def _lines(self) -> tuple[str, str]:
        """Read the two lines of a global; name first, as the stack would give them."""
        if (end := self._buffer.find(b"\n", self._buffer.find(b"\n", self._at) + 1)) < 0:
            raise EOFError("the file ends early")
        module, name = self._take(end - self._at).decode("ascii").split("\n")
        self._take(1)
        return name, module

    def _recall(self, number: int) -> Any:
        try:
            return self._memory.get(number)
        except LookupError:
            raise self._lost() from None

    def _lost(self) -> FormatError:
        return FormatError(
            f"{self._where}: byte {self._passed + self._at:,}: a value refers to one of an item before it, "
            "which was let go. Import the folder of single files instead."
        )

    def _run(self, op: bytes) -> list[Any] | None:
        """Read pairs of a key and a double, as many as follow each other in one form; None if none does."""
        try:
            found = read_run(self._buffer, self._at, op, self._memory)
        except LookupError:
            raise self._lost() from None
        if found is None:
            return None
        run, self._at = found
        return run


def _is_filled(value: Any) -> bool:
    return type(value) in (dict, Numbers) and bool(value)
