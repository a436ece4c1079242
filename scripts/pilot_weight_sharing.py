"""The pilot behind the ``small`` presets of the differentiable strategies: lengths and rates, a few seeds.

Searches a source with every strategy, number of architecture steps and learning rate, and prints one row of a
Markdown table each: the mean validation error, over all recorded repeats, of the architectures that the
searches of all seeds end with. Seeds begin at 900; no leaderboard uses them. Finished searches are kept in
``--into`` and not made again. ``docs/pilot-weight-sharing.md`` keeps what it printed.

    python scripts/pilot_weight_sharing.py --source digits-nb201+live --steps 100 400 --into pilot.jsonl
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from pathlib import Path

import numpy as np

from nasbench.evaluation.opening import open_source
from nasbench.runs.execute import RunSpec, build_strategy

STRATEGIES = ("darts", "snas", "gdas", "proxylessnas", "pc-darts", "nasp", "sdarts", "drnas")
FIRST_SEED = 900


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", required=True, help="a table, or a table with +live")
    parser.add_argument("--strategies", nargs="+", default=STRATEGIES)
    parser.add_argument("--steps", nargs="+", type=int, required=True, help="architecture steps of a search")
    parser.add_argument("--rates", nargs="+", type=float, default=[0.003, 0.01, 0.03, 0.1])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--into", type=Path, required=True, help="finished searches, one JSON text a line")
    arguments = parser.parse_args()
    done = {}
    if arguments.into.is_file():
        for line in arguments.into.read_text().splitlines():
            *key, error, seconds = json.loads(line)
            done[tuple(key)] = error, seconds
    source = open_source(arguments.source)
    epoch_steps = source.relaxation(np.random.default_rng(0)).epoch_steps
    print(f"| {arguments.source} | steps | {' | '.join(f'rate {r:g}' for r in arguments.rates)} | seconds |")
    print("|---" * (len(arguments.rates) + 3) + "|")
    for name, steps in itertools.product(arguments.strategies, arguments.steps):
        cells, spent = [], []
        for rate in arguments.rates:
            errors = []
            for seed in range(FIRST_SEED, FIRST_SEED + arguments.seeds):
                key = (arguments.source, name, steps, rate, seed)
                if key not in done:
                    options = {"epochs": math.ceil(steps / epoch_steps), "learning_rate": rate}
                    done[key] = search(source, RunSpec("pilot", name, name, options, "1cpu-days"), seed)
                    with arguments.into.open("a") as file:
                        file.write(json.dumps([*key, *done[key]]) + "\n")
                errors.append(done[key][0])
                spent.append(done[key][1])
            cells.append(f"{np.mean(errors):.3f}")
        print(f"| {name} | {steps} | {' | '.join(cells)} | {np.mean(spent):.3g} |", flush=True)


def search(source, spec: RunSpec, seed: int) -> tuple[float, float]:
    """Search once; return the looked-up error of what it ends with, and the seconds charged."""
    strategy, seconds, code = build_strategy(spec, source, seed), 0.0, ()
    while proposals := strategy.ask(1):
        seconds += proposals[0].search_seconds
        code = proposals[0].code
    row = source.table.row(code)
    return float(source.table.mean("valid_error")[row]), seconds


if __name__ == "__main__":
    main()
