"""The contract of a space, as a check: notation, membership, moves, order, masks and encodings agree."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from nasbench.errors import BadOption, NotInSpace
from nasbench.records import Code, Codes
from nasbench.seeds import generator, uniforms
from nasbench.spaces import Space
from nasbench.testing.contract import ContractViolation, require

_SMALL = 50_000  # codes; spaces up to here are also checked whole
_TINY = 200  # codes; of spaces up to here the neighbours of every code are listed
_DRAWN = 64


def check_space(space: Space, *, seed: int = 0) -> list[str]:
    """Check that a space keeps the contract.

    Spaces of at most 50,000 codes are enumerated; of larger ones 64 codes are drawn.

    Args:
        space: The space.
        seed: Of the codes that are drawn, >= 0.

    Returns:
        The names of the rules, all kept.

    Raises:
        ContractViolation: A rule is broken; the message starts with its name.
    """
    for rule, check in RULES.items():
        try:
            check(space, generator(seed, "check space", rule))
        except ContractViolation:
            raise
        except Exception as error:
            raise ContractViolation(
                rule, f"expected no exception, got {type(error).__name__}: {error}"
            ) from error
    return list(RULES)


def _rows(codes: Codes) -> list[Code]:
    return [tuple(row) for row in codes.tolist()]


def _require_inside(space: Space, codes: Codes, n: int, rule: str, what: str) -> None:
    """Require (n, L) int8 codes of the space."""
    shape = (n, len(space.decisions))
    require(
        codes.shape == shape and codes.dtype == np.int8,
        rule,
        f"{what}: expected an int8 array of shape {shape}, got {codes.dtype} of shape {codes.shape}.",
    )
    outside = codes[~space.contains(codes)]
    require(not len(outside), rule, f"{what}: expected codes of the space, got {_rows(outside)[:1]}.")


def _decisions(space: Space, rng: np.random.Generator) -> None:  # noqa: ARG001
    rule = "decisions"
    names = [decision.name for decision in space.decisions]
    require(len(names) > 0, rule, "expected at least one decision, got none.")
    require(len(set(names)) == len(names), rule, f"expected names that differ, got {names}.")
    for decision in space.decisions:
        choices = decision.choices
        require(
            1 <= len(choices) <= 127 and len(set(choices)) == len(choices),
            rule,
            f"{decision.name}: expected 1 to 127 choices that differ, got {choices}.",
        )


def _sample(space: Space, rng: np.random.Generator) -> None:
    rule = "sample within"
    _require_inside(space, space.sample(_DRAWN, rng=rng), _DRAWN, rule, "sample")
    _require_inside(space, space.sample(0, rng=rng), 0, rule, "sample of none")
    draw = uniforms(rng)
    for code in (space.sample_one(draw) for _ in range(_DRAWN)):
        require(space.check(code) == code, rule, f"sample_one: expected a tuple of the space, got {code}.")
    one, other = (space.sample(_DRAWN, rng=generator(5, "sample")) for _ in range(2))
    require(np.array_equal(one, other), rule, "sample: expected one seed to give one draw, got two. Use rng.")


def _membership(space: Space, rng: np.random.Generator) -> None:
    rule = "membership"
    for code in _rows(space.sample(_DRAWN, rng=rng)):
        require(space.check(list(code)) == code, rule, f"check: expected {code} back, got another.")
    code = _rows(space.sample(1, rng=rng))[0]
    too_big = (*code[:-1], len(space.decisions[-1].choices))
    for wrong in (code[:-1], (*code, 0), too_big, (-1, *code[1:])):
        try:
            space.check(wrong)
        except NotInSpace:
            pass
        else:
            raise ContractViolation(rule, f"check: expected NotInSpace for {wrong}, got no error.")
    for wrong in (too_big, (-1, *code[1:])):
        require(
            not space.contains(np.array([wrong], dtype=np.int64))[0],
            rule,
            f"contains: expected False for {wrong}, got True.",
        )


def _notation(space: Space, rng: np.random.Generator) -> None:
    for code in _rows(space.sample(_DRAWN, rng=rng)):
        text = space.format(code)
        back = space.parse(text)
        require(back == code, "parse(format) is the code", f"expected {code} from {text!r}, got {back}.")


def _canonical(space: Space, rng: np.random.Generator) -> None:
    rule = "canonical idempotent"
    codes = space.sample(_DRAWN, rng=rng)
    once = space.canonical(codes)
    _require_inside(space, once, _DRAWN, rule, "canonical")
    moved = (space.canonical(once) != once).any(axis=1)
    require(
        not moved.any(), rule, f"expected canonical codes to stay, got another for {_rows(once[moved])[:1]}."
    )


def _mutate(space: Space, rng: np.random.Generator) -> None:
    rule = "mutate"
    codes = space.sample(_DRAWN, rng=rng)
    mutants = space.mutate(codes, rng=rng)
    _require_inside(space, mutants, _DRAWN, rule, "mutate")
    by_neighbours = getattr(space, "mutates_by_neighbours", True)
    draw = uniforms(rng)
    pairs = [
        *(("mutate", a, b) for a, b in zip(_rows(codes), _rows(mutants), strict=True)),
        *(("mutate_one", code, space.mutate_one(code, draw)) for code in _rows(codes)),
    ]
    for what, parent, child in pairs:
        require(space.check(child) == child, rule, f"{what}: expected a tuple of the space, got {child}.")
        require(child != parent, rule, f"{what}: expected another code than {parent}, got the same.")
        require(
            not by_neighbours or child in _rows(space.neighbours(parent)),
            rule,
            f"{what}: expected a neighbour of {parent}, got {child}.",
        )


def _crossover(space: Space, rng: np.random.Generator) -> None:
    rule = "crossover"
    a, b = space.sample(_DRAWN, rng=rng), space.sample(_DRAWN, rng=rng)
    _require_inside(space, space.crossover(a, b, rng=rng), _DRAWN, rule, "crossover")
    alike = space.crossover(a, a, rng=rng)
    require(np.array_equal(alike, a), rule, "crossover: expected the parent itself from equal parents.")
    draw = uniforms(rng)
    for first, second in zip(_rows(a), _rows(b), strict=True):
        child = space.crossover_one(first, second, draw)
        require(
            space.check(child) == child, rule, f"crossover_one: expected a tuple of the space, got {child}."
        )
        require(
            space.crossover_one(first, first, draw) == first,
            rule,
            f"crossover_one: expected {first} from equal parents, got another.",
        )


def _neighbours(space: Space, rng: np.random.Generator) -> None:
    rule = "neighbours symmetric and never self"
    whole = space.size is not None and space.size <= _TINY
    codes = np.concatenate(list(space.enumerate())) if whole else space.sample(6, rng=rng)
    for code in _rows(codes):
        near = space.neighbours(code)
        _require_inside(space, near, len(near), rule, "neighbours")
        rows = _rows(near)
        require(code not in rows, rule, f"expected {code} not among its own neighbours, got it.")
        require(len(set(rows)) == len(rows), rule, f"expected each neighbour of {code} once, got repeats.")
        for other in rows[:: max(1, len(rows) // 16)]:
            require(
                code in _rows(space.neighbours(other)),
                rule,
                f"expected {code} among the neighbours of its neighbour {other}, got it not.",
            )


def _order(space: Space, rng: np.random.Generator) -> None:
    rule = "rank and enumerate agree"
    if space.size is not None and space.size <= _SMALL:
        blocks = list(space.enumerate(97))
        require(all(len(b) <= 97 for b in blocks), rule, "enumerate(97): expected blocks of at most 97 rows.")
        codes = np.concatenate(blocks)
        _require_inside(space, codes, len(codes), rule, "enumerate")
        require(
            len(codes) == space.size,
            rule,
            f"expected size (= {space.size}) codes, got {len(codes)} enumerated.",
        )
    else:
        codes = np.unique(space.sample(_DRAWN, rng=rng), axis=0)
    rows = _rows(codes)
    require(
        all(a < b for a, b in itertools.pairwise(rows)),
        rule,
        "enumerate: expected each code once, in lexicographic order.",
    )
    one_by_one = [space.rank_one(code) for code in rows]
    require(
        all(a < b for a, b in itertools.pairwise(one_by_one)),
        rule,
        "rank_one: expected ranks that grow in lexicographic order of the codes.",
    )
    try:
        ranks = space.rank(codes).tolist()
    except BadOption:  # more codes than 64 bits can number
        return
    require(ranks == one_by_one, rule, "rank: expected what rank_one gives, got other numbers.")


def _allowed(space: Space, rng: np.random.Generator) -> None:
    rule = "allowed agrees with contains"
    for code in _rows(space.sample(_DRAWN, rng=rng)):
        for i, (value, decision) in enumerate(zip(code, space.decisions, strict=True)):
            mask = space.allowed(code[:i])
            require(
                mask.dtype == np.bool_ and mask.shape == (len(decision.choices),),
                rule,
                f"expected a bool mask of shape ({len(decision.choices)},) for {decision.name}, got {mask}.",
            )
            require(
                bool(mask[value]),
                rule,
                f"expected {value} permitted after {code[:i]} (as in {code}), got not.",
            )
    draw = uniforms(rng)
    for _ in range(_DRAWN):
        walked: Code = ()
        for _ in space.decisions:
            values = np.flatnonzero(space.allowed(walked)).tolist()
            require(bool(values), rule, f"expected some value permitted after {walked}, got none.")
            walked = (*walked, values[int(draw() * len(values))])
        inside = space.contains(np.array([walked]))[0]
        require(
            bool(inside), rule, f"expected {walked}, made of permitted values, in the space, got outside."
        )
    try:
        space.allowed(walked)
    except BadOption:
        return
    raise ContractViolation(rule, "expected BadOption after a whole code, got no error.")


def _encode(space: Space, rng: np.random.Generator) -> None:
    rule = "encode"
    is_small = space.size is not None and space.size <= _SMALL
    codes = np.concatenate(list(space.enumerate())) if is_small else space.sample(_DRAWN, rng=rng)
    require(
        "onehot" in space.encodings, rule, f"expected 'onehot' among the encodings, got {space.encodings}."
    )
    for kind in space.encodings:
        rows = space.encode(codes, kind)
        require(
            rows.dtype == np.float32 and len(rows) == len(codes) and bool(np.isfinite(rows).all()),
            rule,
            f"{kind}: expected {len(codes)} finite float32 rows, got {rows.dtype} of shape {rows.shape}.",
        )
        require(
            np.array_equal(rows, space.encode(codes, kind)), rule, f"{kind}: expected the same rows twice."
        )
        for i in rng.integers(0, len(codes), size=4):
            alone = space.encode(codes[i : i + 1], kind)[0]
            require(np.array_equal(alone, rows[i]), rule, f"{kind}: expected a row alone as among others.")
    distinct = len(np.unique(codes, axis=0))
    onehot = len({row.tobytes() for row in space.encode(codes, "onehot")})
    require(onehot == distinct, rule, f"onehot: expected {distinct} distinct rows, got {onehot}.")
    try:
        space.encode(codes[:1], "no such encoding")
    except BadOption:
        return
    raise ContractViolation(rule, "expected BadOption for an unknown encoding, got no error.")


RULES: dict[str, Callable[[Space, np.random.Generator], None]] = {
    "decisions": _decisions,
    "sample within": _sample,
    "membership": _membership,
    "parse(format) is the code": _notation,
    "canonical idempotent": _canonical,
    "mutate": _mutate,
    "crossover": _crossover,
    "neighbours symmetric and never self": _neighbours,
    "rank and enumerate agree": _order,
    "allowed agrees with contains": _allowed,
    "encode": _encode,
}
"""Rule -> what checks it, in the order in which they run."""
