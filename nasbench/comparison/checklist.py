"""The NAS best-practice checklist, answered as far as records can answer it.

What only an author knows is left to the author; no answer is guessed.

Source: Lindauer and Hutter 2020, JMLR 21(243), the checklist of its appendix, in its order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Answer = Literal["yes", "no", "not applicable", "author to answer"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the records of a leaderboard say that the checklist asks.

    Attributes:
        sources: Label of each panel's source.
        kinds: Kind of each panel's source: ``"table"``, ``"surrogate"`` or ``"trainer"``.
        spaces: Space of each panel.
        devices: Reference device of each panel.
        own_code: Labels of entries whose strategy is not one that comes with the program.
        fewest_runs: Fewest finished runs of any entry; 0 where an entry has none.
        has_curves: Whether any entry has a result over time.
        has_random_search: Whether every panel has a random search entry with a result.
        is_final_charged: Whether every panel charges the final evaluation to the search.
    """

    sources: Sequence[str]
    kinds: Sequence[str]
    spaces: Sequence[str]
    devices: Sequence[str]
    own_code: Sequence[str]
    fewest_runs: int
    has_curves: bool
    has_random_search: bool
    is_final_charged: bool


def checklist(facts: Facts) -> list[tuple[str, Answer, str]]:
    """Answer the checklist.

    Returns:
        Item, answer and evidence, in the order of the paper.
    """
    live = "trainer" in facts.kinds
    replayed = any(kind != "trainer" for kind in facts.kinds)
    sources = ", ".join(facts.sources) or "none"
    spaces = ", ".join(sorted(set(facts.spaces))) or "none"
    devices = ", ".join(sorted(set(facts.devices))) or "none"
    own = ", ".join(facts.own_code)
    no_training = f"Nothing was trained for this leaderboard; answers come from {sources}."
    return [
        (
            "Code of the pipeline that trained the architectures is released",
            "yes" if live else "not applicable",
            "Live training uses the recipe named in each record's source label." if live else no_training,
        ),
        ("Code of the search space is released", "yes", f"Spaces that come with the program: {spaces}."),
        (
            "Hyperparameters and seeds of the final evaluation are released",
            "yes" if live else "not applicable",
            "The recipe is named in the source label; each trial records its replicate."
            if live
            else no_training,
        ),
        (
            "Code of the search methods is released",
            "author to answer" if own else "yes",
            f"Not part of the program: {own}." if own else "Every strategy comes with the program.",
        ),
        (
            "Hyperparameters and seeds of the search methods are released",
            "yes",
            "Options and root seeds of every entry are part of leaderboard.json.",
        ),
        (
            "Same data, split, search space and training code for all methods",
            "yes",
            f"All entries of a panel ask one source: {sources}.",
        ),
        (
            "Confounding factors are controlled (hardware, library versions, run time)",
            "author to answer" if live else "yes",
            f"Live seconds depend on the machine: {devices}."
            if live
            else f"Seconds are replayed on the source's reference device: {devices}.",
        ),
        ("Ablation studies were run", "author to answer", "Records do not say which options were ablated."),
        (
            "Same evaluation protocol for all methods",
            "yes",
            "Charging, score and training length belong to the panel and are printed with it.",
        ),
        (
            "Performance is compared over time",
            "yes" if facts.has_curves else "no",
            "Curves over charged days and over evaluations."
            if facts.has_curves
            else "No entry has a result in every run.",
        ),
        (
            "Methods are compared with random search",
            "yes" if facts.has_random_search else "no",
            "Every panel has a random search entry."
            if facts.has_random_search
            else "At least one panel has no random search entry with a result.",
        ),
        (
            "Several runs were made and their seeds are reported",
            "yes" if facts.fewest_runs >= 2 else "no",
            f"Fewest finished runs of an entry: {facts.fewest_runs}.",
        ),
        (
            "Tabular or surrogate benchmarks are used for in-depth evaluation",
            "yes" if replayed else "no",
            f"Sources: {sources}.",
        ),
        (
            "How hyperparameters were tuned, and at what cost, is reported",
            "author to answer",
            "Options are recorded; how they were chosen is not.",
        ),
        (
            "Time of the whole method is reported, not of the search alone",
            "yes" if facts.is_final_charged else "no",
            "The final evaluation is charged to the search."
            if facts.is_final_charged
            else "Days are those of the search; the final evaluation is not charged.",
        ),
        (
            "All details of the set-up are reported",
            "yes",
            f"Suite, budget, workers, charging and devices ({devices}) are part of leaderboard.json.",
        ),
    ]
