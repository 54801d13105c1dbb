from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lab import checks
from lab.environment import development_requirements

ROOT = Path(__file__).resolve().parents[2]


def step(code: str, warning: str | None = None) -> checks.Step:
    return checks.Step("a step", "lint", [sys.executable, "-c", code], ROOT, warning)


def names(*pytest_args: str) -> dict[str, list[str]]:
    made = checks.steps(ROOT, Path(sys.executable), ROOT.parent, pytest_args)
    return {one.name: [str(part) for part in one.command] for one in made}


def test_a_warning_fails_a_step_that_ends_well() -> None:
    assert checks.run_check(step("print('Warning: soon an error')")) == 0
    assert checks.run_check(step("print('Warning: soon an error')", warning="arning")) == 1
    assert checks.run_check(step("print('fine')", warning="arning")) == 0


@pytest.mark.parametrize("code", [1, checks.NO_TESTS])
def test_one_failure_fails_the_whole(code: int, capsys: pytest.CaptureFixture[str]) -> None:
    good = checks.Step("good", "unit", [], ROOT)
    bad = checks.Step("bad", "unit", [], ROOT)
    assert checks.summarise([(good, 0, 1.0)]) == 0
    assert checks.summarise([(good, 0, 1.0), (bad, code, 1.0)]) == 1
    assert "bad" in capsys.readouterr().out


def test_nothing_run_is_a_failure() -> None:
    assert checks.summarise([]) == 1


def test_pytest_options_reach_every_group_and_a_path_only_its_own() -> None:
    assert names("-k", "forge")["unit tests"][-3:] == ["-k", "forge", "tests/unit"]
    assert names("-k", "forge")["tests on the real host"][-3:] == ["-k", "forge", "tests/host"]
    chosen = names("-x", "tests/unit/test_lab_checks.py::test_nothing_run_is_a_failure")
    assert chosen["unit tests"][-2:] == ["-x", "tests/unit/test_lab_checks.py::test_nothing_run_is_a_failure"]
    assert "API tests" not in chosen


def test_requirements_txt_says_what_pyproject_says() -> None:
    listed = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    assert listed
    assert listed == development_requirements(ROOT)[: len(listed)]
