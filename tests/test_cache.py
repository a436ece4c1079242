"""The folder of what can be made again: named, or the system's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nasbench.cache import CACHE_VARIABLE, cache_folder


@pytest.mark.parametrize(
    ("platform", "variables", "wanted"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/nasbench"),
        ("linux", {}, "~/.cache/nasbench"),
        ("darwin", {}, "~/Library/Caches/nasbench"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/nasbench/cache"),
        ("linux", {CACHE_VARIABLE: "~/mine"}, "~/mine"),
    ],
)
def test_the_cache_is_where_the_system_keeps_caches(monkeypatch, platform, variables, wanted):
    for name in (CACHE_VARIABLE, "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", platform)
    assert cache_folder() == Path(wanted).expanduser()


def test_tests_keep_away_from_the_users_own_cache():
    assert cache_folder() == Path(os.environ[CACHE_VARIABLE])
