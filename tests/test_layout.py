"""The layout of the package, read from its syntax trees: who imports whom, what is heavy, what is random."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nasbench

PACKAGE = Path(nasbench.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}

# A room may import rooms of a lower number; rooms of one number know nothing of each other.
RANKS = {
    room: rank
    for rank, rooms in enumerate(
        [
            "errors",
            "units seeds records cache",
            "spaces",
            "store",
            "surrogates training",
            "evaluation",
            "strategies",
            "runs",
            "populate comparison",
            "reports",
            "compat",
            "api",
            "cli",
            "__main__",
        ]
    )
    for room in rooms.split()
}
# Beside the order: contract checks for outside authors look into every room; the command line calls them.
FREE = {"testing"}
SINGLES = {"units", "seeds", "records"}  # three files of one rank that may use each other, in this order

HEAVY = {"torch", "torchvision", "sklearn", "xgboost", "pandas", "matplotlib"}
# Where modules may import torch themselves, because nothing but functions imports them.
TORCH_FOLDERS = ("training/networks/", "training/supernets/", "training/morphisms/", "training/proxies/")


def name(path):
    return path.relative_to(PACKAGE).as_posix()


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(tree):
    """Yield (line, module) of every import, those inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            yield node.lineno, node.module
            if node.module == "nasbench":
                yield from ((node.lineno, f"nasbench.{alias.name}") for alias in node.names)


def at_import(tree):
    """Yield the nodes that run when a module is imported: nothing in functions or under TYPE_CHECKING."""
    stack = list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            stack.extend(node.orelse)
            continue
        yield node
        stack.extend(ast.iter_child_nodes(node))


def places(found):
    return sorted(f"{name(path)}:{line} {what}" for path, line, what in found)


def test_every_room_has_its_place_in_the_order():
    rooms = {room_of(path) for path in FILES} - {"__init__"} - FREE
    assert rooms <= RANKS.keys()


def test_imports_go_one_way_between_rooms():
    wrong = []
    for path, tree in TREES.items():
        room = room_of(path)
        if room in FREE or room == "__init__":
            continue
        for line, module in imported(tree):
            parts = module.split(".")
            if (
                parts[0] != "nasbench"
                or len(parts) < 2
                or parts[1] == room
                or parts[1].startswith("__version")
            ):
                continue
            if parts[1] in FREE and room == "cli":
                continue
            if {room, parts[1]} <= SINGLES:
                continue
            if RANKS.get(parts[1], 99) >= RANKS[room]:
                wrong.append((path, line, module))
    assert places(wrong) == []


def test_package_itself_imports_none_of_its_rooms():
    assert [m for _, m in imported(TREES[PACKAGE / "__init__.py"]) if m.startswith("nasbench")] == []


def heavy_imports(tree):
    """List (line, module) of the heavy libraries that come with importing a module."""
    found = []
    for node in at_import(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
            found += [(node.lineno, m) for m in modules if m.split(".")[0] in HEAVY]
    return found


def is_torch_module(path):
    """Say whether a file imports torch with itself and lies where it may."""
    lies_there = name(path).startswith(TORCH_FOLDERS) and path.name != "__init__.py"
    return lies_there and bool(heavy_imports(TREES[path]))


def test_no_heavy_library_is_imported_with_a_module():
    wrong = []
    for path, tree in TREES.items():
        if not is_torch_module(path):
            wrong += [(path, line, module) for line, module in heavy_imports(tree)]
    assert places(wrong) == []


def test_modules_that_need_torch_are_imported_inside_functions_only():
    wrong = []
    torch_modules = {
        "nasbench." + name(path).removesuffix(".py").replace("/", ".")
        for path in FILES
        if is_torch_module(path)
    }
    assert torch_modules
    for path, tree in TREES.items():
        if is_torch_module(path):
            continue
        for node in at_import(tree):
            if isinstance(node, ast.ImportFrom):
                targets = {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
            elif isinstance(node, ast.Import):
                targets = {a.name for a in node.names}
            else:
                continue
            wrong += [(path, node.lineno, m) for m in targets & torch_modules]
    assert places(wrong) == []


EXTRAS = {"torch", "torchvision", "sklearn", "xgboost", "ray", "optuna", "cmaes", "syne_tune", "pymoo"}
# Without extras scripts/test leaves out the tests of these rooms.
NEED_NO_EXTRA = {"comparison", "reports", "runs", "spaces"}


def extras_reached_for(tree):
    """List (line, module) of every extra that some function of a module may import, by statement or name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body.clear()
    found = list(imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"import_module", "find_spec", "__import__"}:
                found.append((node.lineno, str(node.args[0].value)))
    return [(line, module) for line, module in found if module.split(".")[0] in EXTRAS]


def test_rooms_whose_tests_run_with_extras_only_reach_for_none():
    wrong = []
    for path in FILES:
        if room_of(path) in NEED_NO_EXTRA:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            wrong += [(path, line, module) for line, module in extras_reached_for(tree)]
    assert places(wrong) == []


def test_tests_of_all_other_rooms_run_without_extras_too():
    root = PACKAGE.parent
    rerun = re.search(r" tests/\{([a-z,]+)\}", (root / "scripts" / "test").read_text(encoding="utf-8"))
    rooms = {room for room in RANKS if (root / "tests" / room).is_dir()}
    # Strategies run there by their contract, and where a test speaks of a missing extra.
    assert {"strategies", *rerun[1].split(",")} == rooms - NEED_NO_EXTRA


def test_an_extra_is_seen_however_it_is_reached_for():
    text = "import importlib\ndef f():\n    import torch.nn\n    importlib.import_module('sklearn.svm')\n"
    assert extras_reached_for(ast.parse(text)) == [(3, "torch.nn"), (4, "sklearn.svm")]
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n"
    assert extras_reached_for(ast.parse(typed)) == []


LOADED = """
import json, sys
{}
print(json.dumps(sorted({{m.split(".")[0] for m in sys.modules}} & {})))
"""


@pytest.mark.parametrize(
    "statement",
    [
        "import nasbench",
        "from nasbench.cli.app import run; run(['--help'])",
        "from nasbench.cli.app import run; assert run(['query', 'nb201-cifar10', '421211']) == 0",
        "import nasbench.runs.loop, nasbench.strategies.tpe, nasbench.evaluation.opening, nasbench.testing",
    ],
)
def test_light_commands_load_no_heavy_library(statement, nb201_table):
    out = subprocess.run(
        [sys.executable, "-c", LOADED.format(statement, HEAVY)],
        capture_output=True,
        text=True,
        check=True,
        cwd=PACKAGE.parent,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
    )
    assert json.loads(out.stdout.splitlines()[-1]) == []


def constants(node):
    return [n.value for n in (node.left, node.right) if isinstance(n, ast.Constant)]


def test_only_units_turns_fractions_and_days():
    wrong = []
    for path, tree in TREES.items():
        if name(path) == "units.py":
            continue
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.BinOp)
                and isinstance(node.op, ast.Mult | ast.Div)
                and 100 in constants(node)
            ):
                wrong.append((path, node.lineno, "100"))
            if isinstance(node, ast.Constant) and node.value == 86_400:
                wrong.append((path, node.lineno, "86400"))
    assert places(wrong) == []


GENERATORS = {"Generator", "PCG64", "SeedSequence", "BitGenerator", "default_rng"}
# Reads the global state to say whether somebody else touched it; changes nothing.
READERS = {("testing/simulation.py", "random.getstate"), ("testing/simulation.py", "np.random.get_state")}
# Lends the global state to a library and puts it back; its own tests hold it to that.
LENDER = "strategies/doors/global_state.py"


def dotted(node):
    """Write a chain of attributes as text, or return ""."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *parts[::-1]]) if isinstance(node, ast.Name) else ""


def test_nothing_draws_from_or_seeds_global_random_state():
    wrong = []
    for path, tree in TREES.items():
        modules = {m for _, m in imported(tree)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = dotted(node.func)
            if (name(path), called) in READERS or name(path) == LENDER:
                continue
            tail = called.rsplit(".", 1)[-1]
            if called.startswith(("np.random.", "numpy.random.")) and (
                tail not in GENERATORS or (tail == "default_rng" and not node.args)
            ):
                wrong.append((path, node.lineno, called))
            if called.startswith("random.") and "random" in modules:
                wrong.append((path, node.lineno, called))
            if called in (
                "torch.manual_seed",
                "torch.seed",
                "torch.cuda.manual_seed",
                "torch.cuda.manual_seed_all",
            ):
                wrong.append((path, node.lineno, called))
    assert places(wrong) == []


def test_nothing_imports_single_functions_of_global_random_modules():
    wrong = [
        (path, node.lineno, node.module)
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module in ("random", "numpy.random")
        and not {a.name for a in node.names} <= GENERATORS
    ]
    assert places(wrong) == []


def test_pickle_is_loaded_by_the_imports_of_the_store_only():
    wrong = [
        (path, line, module)
        for path, tree in TREES.items()
        for line, module in imported(tree)
        if module.split(".")[0] in ("pickle", "dill", "cloudpickle", "shelve", "marshal")
        and not name(path).startswith("store/imports/")
    ]
    assert places(wrong) == []


def test_files_are_named_for_what_they_hold():
    vague = {"utils", "util", "common", "helpers", "helper", "misc", "core", "base"}
    assert [name(p) for p in FILES if {part.removesuffix(".py") for part in p.parts} & vague] == []


def test_no_file_is_longer_than_four_hundred_lines():
    lengths = {name(path): path.read_text(encoding="utf-8").count("\n") for path in FILES}
    assert {path: lines for path, lines in lengths.items() if lines > 400} == {}


def public(body):
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return [node for node in body if isinstance(node, kinds) and not node.name.startswith("_")]


def test_every_public_name_has_a_docstring():
    wrong = [(path, 1, "module") for path, tree in TREES.items() if not ast.get_docstring(tree)]
    for path, tree in TREES.items():
        todo = public(tree.body)
        while todo:
            node = todo.pop()
            if not ast.get_docstring(node):
                wrong.append((path, node.lineno, node.name))
            if isinstance(node, ast.ClassDef):
                todo += public(node.body)
    assert places(wrong) == []


def test_test_files_have_names_of_their_own():
    names = [path.name for path in Path(__file__).parent.rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
