"""Which other Pythons run the tests, and what is left out there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab import checks, pythons
from lab.step_runner import run_side_by_side

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
OWN = ".".join(map(str, sys.version_info[:2]))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty PATH and an empty home, in which a test puts its interpreters."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return folder


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def says(version: str) -> str:
    return f"echo /opt/python{version} {version}"


@pytest.mark.skipif(os.name == "nt", reason="the interpreters are shell scripts")
def test_interpreters_are_asked_before_they_are_used(installed: Path) -> None:
    program(installed / "python3.10", "echo 'pyenv: python3.10: command not found' >&2; exit 127")
    program(installed / "python3.13", says("3.13"))
    assert pythons.other_pythons(Path(sys.executable)) == (
        [("3.13", Path("/opt/python3.13"))],
        [] if OWN == "3.10" else ["3.10"],
    )


@pytest.mark.skipif(os.name == "nt", reason="the interpreters are shell scripts")
def test_those_of_pyenv_are_found_behind_a_shim_that_fails(installed: Path) -> None:
    program(installed / "python3.10", "exit 127")
    program(installed.parent / ".pyenv/versions/3.10.13/bin/python", says("3.10"))
    program(installed / "python3.13", says("3.12"))  # not what its name says
    assert pythons.other_pythons(Path(sys.executable)) == ([("3.10", Path("/opt/python3.10"))], ["3.13"])


@pytest.mark.skipif(os.name == "nt", reason="the interpreters are shell scripts")
def test_the_version_that_runs_the_other_tests_is_left_out(installed: Path) -> None:
    own = installed / "own"
    program(own, says("3.13"))
    assert pythons.other_pythons(own) == ([], ["3.10"])


def test_a_python_that_is_not_installed_is_no_failure(
    installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = checks.python_steps(ROOT, Path(sys.executable), [])
    assert [(step.name, step.skipped) for step in made] == [
        ("tests on Python 3.10", "no Python 3.10 is installed"),
        ("tests on Python 3.13", "no Python 3.13 is installed"),
    ]
    assert checks.summarise(run_side_by_side(made)) == 0
    assert "skipped: no Python 3.10 is installed" in capsys.readouterr().out
    assert checks.python_steps(ROOT, Path(sys.executable), ["tests/host/test_health.py"]) == []


def test_a_whole_run_thins_out_what_other_pythons_ran() -> None:
    assert "--thin" in pythons.pytest_command(Path("python"), ["tests/unit"], [], whole=True)
    chosen = pythons.pytest_command(Path("python"), ["tests/unit/test_start.py"], [], whole=False)
    assert "--thin" not in chosen


def test_the_pack_is_checked_against_the_library_of_the_oldest_python() -> None:
    made = checks.steps(ROOT, Path(sys.executable), ROOT.parent, [])
    command = next(step.command for step in made if step.name == "types of the pack")
    assert command[command.index("--python-version") + 1] == "3.10"


def run(folder: Path, source: str, *options: str) -> tuple[int, str]:
    (folder / "test_it.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-q", "-rs"]
    for plugin in ("without_comfyui", "thinning", "pytest_asyncio.plugin", "no:cacheprovider"):
        command += ["-p", plugin]
    answer = subprocess.run(
        [*command, *options, str(folder)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.returncode, answer.stdout


GOOD = "def test_good(): pass\n"


@pytest.mark.parametrize("line", ["import folder_paths", "from comfy_api.latest import io"])
def test_what_needs_comfyui_is_left_out_with_a_reason(tmp_path: Path, line: str) -> None:
    (tmp_path / "test_good.py").write_text(GOOD)
    code, out = run(tmp_path, f"{line}\n{GOOD}", "--without-comfyui")
    assert (code, "1 passed, 1 skipped" in out, "needs ComfyUI's environment" in out) == (0, True, True)
    assert run(tmp_path, f"{line}\n{GOOD}")[0] == pytest.ExitCode.INTERRUPTED


def test_what_is_missing_otherwise_is_a_failure(tmp_path: Path) -> None:
    code, out = run(tmp_path, "import no_such_module\n", "--without-comfyui")
    assert (code, "no_such_module" in out) == (pytest.ExitCode.INTERRUPTED, True)


def test_too_few_tests_are_a_failure(tmp_path: Path) -> None:
    assert run(tmp_path, GOOD, "--at-least", "1")[0] == 0
    code, out = run(tmp_path, GOOD, "--at-least", "2")
    assert (code, "Only 1 tests passed; 2 are the least." in out) == (1, True)


TABLES = """
import pytest
rows = pytest.mark.parametrize("row", range(9))
@rows
def test_pure(row): assert row in (0, 8)
@rows
async def test_awaits(row): pass
@rows
def test_with_files(row, tmp_path): pass
def test_single(): pass
def test_random(examples): assert examples(25) == 5
"""
DOLL = "import pytest\npytestmark = pytest.mark.doll\ndef test_one(): pass\ndef test_other(): assert False\n"


def test_every_test_runs_thinned_out_with_its_first_and_last_case(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = doll\nasyncio_mode = auto\n")
    (tmp_path / "test_doll.py").write_text(DOLL)
    code, out = run(tmp_path, TABLES, "--thin")
    assert code == 0, out
    assert "9 passed" in out  # one of the doll, two of each table, and the single ones
