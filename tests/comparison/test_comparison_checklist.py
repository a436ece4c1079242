import dataclasses

import pytest

from nasbench.comparison.checklist import Facts, checklist

FACTS = Facts(
    sources=["table:a@1"],
    kinds=["table"],
    spaces=["nb201"],
    devices=["one GPU"],
    own_code=[],
    fewest_runs=30,
    has_curves=True,
    has_random_search=True,
    is_final_charged=False,
)


def answers(**changes):
    return {item: (answer, why) for item, answer, why in checklist(dataclasses.replace(FACTS, **changes))}


def test_the_checklist_has_the_sixteen_items_of_the_paper():
    assert len(answers()) == 16


@pytest.mark.parametrize(
    ("start", "changes", "before", "after"),
    [
        ("Methods are compared with random", {"has_random_search": False}, "yes", "no"),
        ("Several runs were made", {"fewest_runs": 1}, "yes", "no"),
        ("Performance is compared over time", {"has_curves": False}, "yes", "no"),
        ("Tabular or surrogate", {"kinds": ["trainer"]}, "yes", "no"),
        ("Confounding factors", {"kinds": ["trainer"]}, "yes", "author to answer"),
        ("Code of the pipeline", {"kinds": ["trainer"]}, "not applicable", "yes"),
        ("Code of the search methods", {"own_code": ["mine"]}, "yes", "author to answer"),
        ("Time of the whole method", {"is_final_charged": True}, "no", "yes"),
    ],
)
def test_an_answer_follows_the_records(start, changes, before, after):
    item = next(item for item in answers() if item.startswith(start))
    assert (answers()[item][0], answers(**changes)[item][0]) == (before, after)


def test_what_only_an_author_knows_is_left_to_the_author():
    left = [item for item, (answer, _) in answers().items() if answer == "author to answer"]
    assert [item.split()[0] for item in left] == ["Ablation", "How"]
