"""Without the other library a door names the command that installs it."""

from __future__ import annotations

import sys

import pytest

from nasbench.compat.optuna import objective, search_space
from nasbench.compat.syne_tune import blackbox
from nasbench.errors import MissingExtra


def test_without_syne_tune_the_extra_is_named(gapped, monkeypatch):
    monkeypatch.setitem(sys.modules, "syne_tune.config_space", None)
    with pytest.raises(
        MissingExtra, match=r"A blackbox of Syne Tune needs .*pip install 'nasbench\[synetune\]'"
    ):
        blackbox(gapped)


@pytest.mark.parametrize("module", ["optuna", "optuna.distributions"])
def test_without_optuna_the_extra_is_named(gapped, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        MissingExtra, match=r"An objective of Optuna needs .*pip install 'nasbench\[optuna\]'"
    ):
        (objective if module == "optuna" else search_space)(gapped)
