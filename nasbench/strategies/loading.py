"""From what a person types to a strategy: a registered name, ``file.py:Name`` or ``module:Name``."""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, cast

from nasbench.errors import BadOption, MissingExtra, UnknownName
from nasbench.strategies import STRATEGIES
from nasbench.strategies.strategy import StrategyFactory


def entry_point_strategies() -> dict[str, EntryPoint]:
    """List the strategies that other installed packages bring, by name."""
    points = entry_points(group="nasbench.strategies")
    return {point.name.lower().replace("_", "-"): point for point in points}


def strategy_names() -> list[str]:
    """List every name that ``load_strategy`` accepts, besides files and modules."""
    return sorted({*STRATEGIES, *entry_point_strategies()})


def load_strategy(name: str) -> StrategyFactory:
    """Find a strategy.

    Args:
        name: A registered name (``regularized_evolution`` works too), ``FILE.py:Name`` or
            ``package.module:Name``. ``Name`` is a class with ``ask`` and ``tell`` or a function
            ``f(space, evaluate, rng)``.

    Raises:
        UnknownName: Nothing of this name; the message lists the near ones.
        BadOption: The file or module exists, but the thing named is not a strategy.
        MissingExtra: The strategy needs a package that is not installed.
    """
    key = name.strip().lower().replace("_", "-")
    if key in STRATEGIES:
        return _resolve(STRATEGIES[key], name)
    if ":" in name:
        return _resolve(name, name)
    points = entry_point_strategies()
    if key in points:
        return _resolve(f"{points[key].module}:{points[key].attr}", name)
    raise UnknownName.among(
        "strategy", name, strategy_names(), hint="List them with: nasbench list strategies"
    )


def _resolve(target: str, name: str) -> StrategyFactory:
    """Import ``module:Name`` or ``file.py:Name``."""
    where, _, attribute = target.rpartition(":")
    module = _import_file(Path(where).absolute()) if where.endswith(".py") else _import_module(where, name)
    found = getattr(module, attribute, None)
    if found is None:
        offered = [n for n, v in vars(module).items() if not n.startswith("_") and callable(v)]
        raise UnknownName.among(f"strategy in {where}", attribute, offered)
    return _as_factory(found, name)


def _import_module(where: str, name: str) -> Any:
    """Import a module by its dotted name."""
    if not all(part.isidentifier() for part in where.split(".")):
        raise BadOption(f"strategy: expected FILE.py:Name or package.module:Name, got {name!r}.")
    try:
        return importlib.import_module(where)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{where}.".startswith(f"{error.name}."):
            raise UnknownName(f"strategy: no module {where!r} for {name!r}.") from error
        raise MissingExtra(f"strategy {name}: needs {error.name}: pip install {error.name}") from error
    except (Exception, SystemExit) as error:
        raise BadOption(f"strategy: {where} failed on import: {type(error).__name__}: {error}") from error


@functools.cache
def _import_file(path: Path) -> Any:
    """Import a Python file under a name of its own."""
    if not path.is_file():
        raise UnknownName(f"strategy: no file {str(path)!r}. Give FILE.py:Name.")
    module_name = f"nasbench_file_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise BadOption(f"strategy: {str(path)!r} cannot be imported as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[module_name]
        raise BadOption(f"strategy: {path} failed on import: {type(error).__name__}: {error}") from error
    return module


def _as_factory(found: Any, name: str) -> StrategyFactory:
    """Accept a strategy class, or wrap a function of the five-line form."""
    if inspect.isclass(found):
        missing = [method for method in ("ask", "tell") if not callable(getattr(found, method, None))]
        if missing:
            raise BadOption(f"strategy {name!r}: class {found.__name__} has no {' and no '.join(missing)}().")
        return cast(StrategyFactory, found)
    if inspect.isfunction(found):
        parameters = list(inspect.signature(found).parameters)
        if parameters[:3] != ["space", "evaluate", "rng"]:
            raise BadOption(
                f"strategy {name!r}: a function strategy takes (space, evaluate, rng, ...), "
                f"got ({', '.join(parameters)})."
            )
        return _function_factory(found)
    raise BadOption(f"strategy {name!r}: expected a class or a function, got {type(found).__name__}.")


def _function_factory(function: Callable[..., Any]) -> StrategyFactory:
    from nasbench.strategies.function import FunctionStrategy

    factory = functools.partial(FunctionStrategy, function=function)
    functools.update_wrapper(factory, function)
    return factory
