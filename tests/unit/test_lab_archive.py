"""What users install: the archive that comfy-cli makes of the clone."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from lab.archive import pack_archive, unpack_archive
from lab.progress import LabError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
#: What the running pack reads beside its modules.
NEEDED = (
    "__init__.py",
    "bootstrap.py",
    "dev.py",
    "db/migrations/env.py",
    "docs/api.md",
    "docs/configuration.md",
    "docs/security.md",
    "docs/troubleshooting.md",
    "example_workflows/Turnaround sheet.json",
    "example_workflows/Turnaround sheet.jpg",
    "LICENSE",
    "locales/zh/main.json",
    "pyproject.toml",
    "requirements.txt",
    "routes/vendor/swagger-ui/swagger-ui-bundle.js",
    ".env.example",
    "web/avatarforge.js",
    "web/docs/AvatarForgeSave.md",
    "web/panel/panel.mjs",
)
NOT_NEEDED = (
    "tests/",
    ".ci/",
    ".git",
    "CONTRIBUTING.md",
    "docs/images/",
    "docs/architecture.md",
    "docs/benchmarks.md",
    "docs/decisions.md",
    "docs/development.md",
    "docs/glossary.md",
)
LARGEST = 2_700_000  # bytes; almost a third of it are the two viewers of the API's documentation


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack_archive(ROOT, Path(sys.executable), tmp_path_factory.mktemp("packed") / "pack.zip")


def test_it_holds_what_the_pack_needs_and_nothing_for_contributors(archive: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        names = set(packed.namelist())
    assert [name for name in NEEDED if name not in names] == []
    assert [name for name in names if name.startswith(NOT_NEEDED)] == []
    assert archive.stat().st_size < LARGEST


def test_every_module_of_the_pack_is_in_it(archive: Path, tmp_path: Path) -> None:
    unpacked = unpack_archive(archive, tmp_path)
    folders = ("avatarforge_nodes", "db", "forge", "host", "routes", "web", "locales", "example_workflows")
    for folder in folders:
        files = {path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()}
        files = {path for path in files if "__pycache__" not in path.parts}
        assert files - {path.relative_to(unpacked) for path in unpacked.rglob("*")} == set()


@pytest.mark.parametrize("name", ["../outside.py", "/outside.py", "inside/../../outside.py"])
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.zip"
    with zipfile.ZipFile(hostile, "w") as packed:
        packed.writestr(name, "")
    with pytest.raises(LabError, match="outside its folder"):
        unpack_archive(hostile, tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_a_folder_without_git_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="needs a git clone"):
        pack_archive(tmp_path, Path(sys.executable), tmp_path / "pack.zip")
