from __future__ import annotations

import shutil

import pytest
from cli_calls import Nasbench, spawn


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_completes_nasbench(nasbench: Nasbench, shell: str) -> None:
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("no bash here to ask for its version")
    ended = nasbench("completion", shell)
    assert (ended.status, ended.err) == (0, "")
    assert f"_NASBENCH_COMPLETE={shell}_complete" in ended.out


def test_the_shell_is_offered_the_commands() -> None:
    ended = spawn(_NASBENCH_COMPLETE="bash_complete", COMP_WORDS="nasbench lea", COMP_CWORD="1")
    assert ended.out.strip() == "plain,leaderboard"


def test_an_unknown_shell_is_refused(nasbench: Nasbench) -> None:
    ended = nasbench("completion", "tcsh")
    assert ended.status == 2
    assert "'bash', 'zsh', 'fish'" in ended.err
