"""The check of what ComfyUI's registry is given."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from lab import metadata

ROOT = Path(__file__).resolve().parents[2]
FILES = ("pyproject.toml", "requirements.txt", "CHANGELOG.md", "bootstrap.py", metadata.ICON, metadata.BANNER)
EMPTY = 'Repository = ""'
ADDRESS = "https://git.example.org/people/avatarforge"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the files that the check reads."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_this_clone_has_no_mistake() -> None:
    mistakes, _missing = metadata.check_metadata(ROOT)
    assert mistakes == []


def test_a_missing_repository_is_reported_and_then_the_addresses_that_follow_from_it(clone: Path) -> None:
    project = clone / "pyproject.toml"
    if EMPTY in project.read_text(encoding="utf-8"):
        (missing,) = metadata.check_metadata(clone)[1]
        assert "Repository in pyproject.toml is not the https address" in missing
        change(project, EMPTY, f'Repository = "{ADDRESS}"')
    icon, banner = metadata.check_metadata(clone)[1]
    assert f'Icon in pyproject.toml must be "{ADDRESS}/raw/main/docs/images/icon.png"' in icon
    assert f'Banner in pyproject.toml must be "{ADDRESS}/raw/main/docs/images/banner.png"' in banner
    change(project, 'Icon = ""', f'Icon = "{ADDRESS}/raw/main/docs/images/icon.png"')
    change(project, 'Banner = ""', f'Banner = "{ADDRESS}/raw/main/docs/images/banner.png"')
    assert metadata.check_metadata(clone) == ([], [])


def test_the_exit_code_tells_a_release_from_a_check(clone: Path) -> None:
    change(clone / "pyproject.toml", 'Icon = ""', 'Icon = "https://example.org/other.png"')
    assert metadata.main([str(clone)]) == 0
    assert metadata.main([str(clone), "--release"]) == 1


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("bootstrap.py", 'VERSION = "0.1.0"', 'VERSION = "0.0.9"', "VERSION in bootstrap.py is not"),
        ("CHANGELOG.md", "## [0.1.0]", "## [0.0.9]", "The newest release in CHANGELOG.md is not"),
        ("pyproject.toml", '">=0.16.3"', '">=0.3.0"', "requires-comfyui must be"),
        ("requirements.txt", "numpy", "scipy", "are not the same"),
    ],
)
def test_what_contradicts_itself_is_a_mistake(
    clone: Path, file: str, old: str, new: str, sentence: str
) -> None:
    change(clone / file, old, new)
    (mistake,) = metadata.check_metadata(clone)[0]
    assert sentence in mistake
    assert metadata.main([str(clone)]) == 1


@pytest.mark.parametrize(
    ("file", "size", "sentence"),
    [
        (metadata.ICON, (800, 401), "is larger than 800x400"),
        (metadata.BANNER, (1260, 541), "is not 21:9"),
    ],
)
def test_a_picture_that_the_registry_refuses_is_a_mistake(
    clone: Path, file: str, size: tuple[int, int], sentence: str
) -> None:
    Image.new("RGB", size).save(clone / file)
    (mistake,) = metadata.check_metadata(clone)[0]
    assert sentence in mistake
