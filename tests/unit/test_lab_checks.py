from __future__ import annotations

import os
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
    return {item.name: [str(part) for part in item.command] for item in made}


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


def test_the_host_runs_beside_the_others_and_is_shown_after_them(capfd: pytest.CaptureFixture[str]) -> None:
    code = "print('from the host'); raise SystemExit(3)"
    host = checks.Step("host", "host", [sys.executable, "-c", code], ROOT)
    other = checks.Step("other", "unit", [sys.executable, "-c", "print('from the other')"], ROOT)
    results = checks.run_in_turn([other, host])
    assert [(item.name, code) for item, code, _ in results] == [("other", 0), ("host", 3)]
    out = capfd.readouterr().out
    assert out.index("from the other") < out.index("== host ==") < out.index("from the host")


@pytest.mark.skipif(sys.platform == "win32", reason="asks for a process by its id, as POSIX does")
def test_what_runs_in_the_background_ends_with_an_interrupt(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    code = f"import os, pathlib, time; pathlib.Path({str(pid)!r}).write_text(str(os.getpid()))"

    def interrupted(_: checks.Step) -> int:
        while not (pid.is_file() and pid.read_text()):
            pass
        raise KeyboardInterrupt

    monkeypatch.setattr(checks, "run_check", interrupted)
    host = checks.Step("host", "host", [sys.executable, "-c", f"{code}; time.sleep(600)"], ROOT)
    with pytest.raises(KeyboardInterrupt):
        checks.run_in_turn([checks.Step("other", "unit", [], ROOT), host])
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


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
