import runpy
from pathlib import Path

from nasbench.training.recipes import RECIPES, get_recipe

PILOT = Path(__file__).parents[2] / "scripts" / "pilot_fashion.py"


def test_the_recipe_of_the_fashion_table_is_the_one_that_the_pilot_chose():
    candidates = runpy.run_path(str(PILOT))["CANDIDATES"]
    assert candidates["n2000 c8 e12 b64 lr0.2"] == get_recipe("fashion-nb201")


def test_the_hash_of_the_fashion_recipe_is_the_same_in_every_version():
    # Written into tables and records: a change here makes their recipes unrecognisable.
    assert RECIPES["fashion-nb201"].recipe_hash.startswith("7b393df798cc")
