from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from lab import checks, step_runner
from lab.environment import development_requirements
from lab.step_runner import Result, Step, run_side_by_side

ROOT = Path(__file__).resolve().parents[2]


def step(code: str, warning: str | None = None) -> Step:
    return Step("a step", "lint", [sys.executable, "-c", code], ROOT, warning)


def names(*pytest_args: str) -> dict[str, list[str]]:
    made = checks.steps(ROOT, Path(sys.executable), ROOT.parent, pytest_args)
    return {item.name: [str(part) for part in item.command] for item in made}


def test_a_warning_fails_a_step_that_ends_well() -> None:
    assert step_runner.run_check(step("print('Warning: soon an error')")) == 0
    assert step_runner.run_check(step("print('Warning: soon an error')", warning="arning")) == 1
    assert step_runner.run_check(step("print('fine')", warning="arning")) == 0


@pytest.mark.parametrize("code", [1, checks.NO_TESTS])
def test_one_failure_fails_the_whole(code: int, capsys: pytest.CaptureFixture[str]) -> None:
    good = Step("good", "unit", [], ROOT)
    bad = Step("bad", "unit", [], ROOT)
    assert checks.summarise([Result(good, 0, 1.0)]) == 0
    assert checks.summarise([Result(good, 0, 1.0), Result(bad, code, 1.0)]) == 1
    assert "bad" in capsys.readouterr().out


def prints(name: str, code: int = 0, then: str = "") -> Step:
    program = f"print('from {name}', flush=True)\n{then}\nraise SystemExit({code})"
    return Step(name, "unit", [sys.executable, "-c", program], ROOT)


def test_the_last_check_runs_beside_the_first_and_is_shown_after_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sign = tmp_path / "sign"
    waits = prints("first", then=f"import os\nwhile not os.path.exists({str(sign)!r}): pass")
    last = prints("last", code=3, then=f"open({str(sign)!r}, 'w')")
    results = run_side_by_side([waits, last])
    assert [(result.step.name, result.code) for result in results] == [("first", 0), ("last", 3)]
    out = capfd.readouterr().out
    assert (
        out.index("== first ==") < out.index("from first") < out.index("== last ==") < out.index("from last")
    )


def test_every_check_runs_once_wherever_the_lanes_meet(capfd: pytest.CaptureFixture[str]) -> None:
    chosen = [prints(f"check {number}.", code=number) for number in range(7)]
    results = run_side_by_side(chosen)
    assert [(result.step, result.code) for result in results] == [(step, n) for n, step in enumerate(chosen)]
    out = capfd.readouterr().out
    assert [out.count(f"from check {number}.") for number in range(7)] == [1] * 7


def test_three_checks_run_at_a_time(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each waits for the signs of all."""
    signs = [tmp_path / name for name in ("first", "second", "third")]
    wait = f"import os\nwhile not all(map(os.path.exists, {[str(sign) for sign in signs]})): pass"
    chosen = [prints(sign.name, then=f"open({str(sign)!r}, 'w')\n{wait}") for sign in signs]
    assert [result.code for result in run_side_by_side(chosen)] == [0, 0, 0]
    out = capfd.readouterr().out
    assert [out.count(f"from {sign.name}") for sign in signs] == [1, 1, 1]


def test_a_warning_fails_a_check_in_the_background_too(capfd: pytest.CaptureFixture[str]) -> None:
    background = step_runner.Step(
        "a step", "lint", [sys.executable, "-c", "print('Warning: soon an error')"], ROOT, warning="arning"
    )
    first, last = run_side_by_side([prints("first"), background])
    assert (first.code, last.code) == (0, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="asks for a process by its id, as POSIX does")
def test_what_runs_in_the_background_ends_with_an_interrupt(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    code = f"import os, pathlib, time; pathlib.Path({str(pid)!r}).write_text(str(os.getpid()))"

    def interrupted(_: Step) -> int:
        while not (pid.is_file() and pid.read_text()):
            pass
        raise KeyboardInterrupt

    monkeypatch.setattr(step_runner, "run_check", interrupted)
    host = Step("host", "host", [sys.executable, "-c", f"{code}; time.sleep(600)"], ROOT)
    with pytest.raises(KeyboardInterrupt):
        run_side_by_side([Step("other", "unit", [], ROOT), host])
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_nothing_run_is_a_failure() -> None:
    assert checks.summarise([]) == 1


def test_pytest_options_reach_every_group_and_a_path_only_its_own() -> None:
    assert names("-k", "forge")["unit tests"][-3:] == ["-k", "forge", "tests/unit"]
    part = next(command for name, command in names("-k", "forge").items() if "real host" in name)
    assert part[:5] == [sys.executable, "-m", "pytest", "-k", "forge"]
    chosen = names("-x", "tests/unit/test_lab_checks.py::test_nothing_run_is_a_failure")
    assert chosen["unit tests"][-2:] == ["-x", "tests/unit/test_lab_checks.py::test_nothing_run_is_a_failure"]
    assert "API tests" not in chosen
    files = ["tests/host/test_live.py", "tests/host/test_load.py"]
    assert names(*files)["tests on the real host"][-2:] == files


def test_each_host_test_is_in_one_part() -> None:
    parts = [command for name, command in names().items() if name.startswith("tests on the real host")]
    assert 1 < len(parts) <= checks.HOST_PARTS
    files = sorted(path for command in parts for path in command if path.endswith(".py"))
    assert files == sorted(f"tests/host/{path.name}" for path in (ROOT / "tests" / "host").glob("test_*.py"))


def test_requirements_txt_says_what_pyproject_says() -> None:
    listed = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    assert listed
    assert listed == development_requirements(ROOT)[: len(listed)]
