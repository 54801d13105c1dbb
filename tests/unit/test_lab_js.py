"""The checks of the scripts in web/ find what they are there for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lab.js_tools import CONFIG, lint_command, types_command
from lab.progress import Command, LabError
from lab.system import node_and_npm

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TYPES = (ROOT / "web" / "shared" / "types.d.ts").as_posix()

#: Scripts and the code of the one error that TypeScript reports in each.
WRONG_TYPES = {
    "no_types.mjs": ("export const double = (number) => 2 * number;", "TS7006"),
    "wrong_argument.mjs": ('Math.abs("-1");', "TS2345"),
    "maybe_null.mjs": ('document.querySelector("p").remove();', "TS2531"),
    "no_such_field.mjs": (
        f'/** @param {{import("{TYPES}").Generation}} one */\nexport const at = (one) => one.created;',
        "TS2339",
    ),
    "no_such_text.mjs": (
        f'/** @param {{import("{TYPES}").Translate}} t */\nexport const text = (t) => t("no such key");',
        "TS2345",
    ),
}
#: Scripts and the rule of the one problem that eslint reports in each.
LINT_PROBLEMS = {
    "unused.mjs": ("const unused = 1;", "no-unused-vars"),
    "undefined.mjs": ("missing();", "no-undef"),
    "loose.mjs": ("export const same = (a, b) => a == b;", "eqeqeq"),
    "shadow.mjs": ("const a = 1;\nexport const twice = (a) => 2 * a;\nexport { a };", "no-shadow"),
}


def run(command: Command, folder: Path) -> tuple[int, str]:
    answer = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, encoding="utf-8", check=False
    )
    return answer.returncode, answer.stdout


def test_typescript_reports_every_wrong_type(tmp_path: Path) -> None:
    for name, (script, _) in WRONG_TYPES.items():
        (tmp_path / name).write_text(script, encoding="utf-8")
    (tmp_path / "good.mjs").write_text("export const one = Math.abs(-1);", encoding="utf-8")
    project = tmp_path / "tsconfig.json"
    settings = {"extends": (CONFIG / "tsconfig.json").as_posix(), "include": ["*.mjs"]}
    project.write_text(json.dumps(settings), encoding="utf-8")
    code, output = run(types_command(project), tmp_path)
    assert code != 0
    errors = [line for line in output.splitlines() if ": error " in line]
    found = {line.split("(")[0]: line.split(": error ")[1].split(":")[0] for line in errors}
    assert found == {name: error for name, (_, error) in WRONG_TYPES.items()}


def test_eslint_reports_every_problem(tmp_path: Path) -> None:
    for name, (script, _) in LINT_PROBLEMS.items():
        (tmp_path / name).write_text(script, encoding="utf-8")
    (tmp_path / "good.mjs").write_text("export const one = Math.abs(-1);", encoding="utf-8")
    code, output = run([*lint_command(tmp_path), "--format", "json"], tmp_path)
    assert code == 1
    found = {
        Path(item["filePath"]).name: [m["ruleId"] for m in item["messages"]] for item in json.loads(output)
    }
    assert found == {"good.mjs": [], **{name: [rule] for name, (_, rule) in LINT_PROBLEMS.items()}}


@pytest.mark.skipif(sys.platform == "win32", reason="puts shell scripts onto the PATH")
def test_an_old_node_is_refused_with_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("node", "npm"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho v16.20.2\n", encoding="utf-8")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match=r"v16\.20\.2; install Node\.js 18 or newer"):
        node_and_npm()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no apt-get to begin with")
def test_without_node_or_apt_the_error_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="Install nodejs with this system's package manager"):
        node_and_npm()
