"""A copy of a live store, and the commands that an operator runs."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from operating import Command, command, load_dev, make
from pictures import picture
from services import Product, product
from sqlalchemy import update

from avatarforge.db.engine import Database, open_database
from avatarforge.db.tables import files
from avatarforge.forge import offline
from avatarforge.forge.maintenance import backup
from avatarforge.forge.store.blobs import hash_file
from avatarforge.forge.store.files import Received
from avatarforge.forge.store.folder_lock import lock_folders
from lab import checks

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("AVATARFORGE_"):
            monkeypatch.delenv(name)


async def receive(forge: Product, seed: int) -> Received:
    async def whole() -> AsyncIterator[bytes]:
        yield picture(seed)

    return await forge.files.receive(whole(), "a.png")


async def whole(folder: Path) -> tuple[int, int]:
    """Start from a copy, and hash everything that its rows name: (files, pictures)."""
    (folder / "output").rename(folder / "avatarforge")
    (folder / "output").mkdir()
    (folder / "avatarforge").rename(folder / "output" / "avatarforge")
    async with product(folder) as restored:
        report = await restored.verifier.run(repair=False)
        assert report.clean, report.problems
        assert (report.lost_files, report.lost_outputs) == (0, 0)
        for item in (await restored.files.page(limit=10_000, cursor=None)).files:
            path = restored.files.path(await restored.files.get(item.file.id))
            assert hash_file(path) == (item.file.content_hash, item.file.size)
        return report.files, report.outputs


async def test_a_copy_of_a_store_in_use_is_whole(tmp_path: Path) -> None:
    source, busy, under_way = tmp_path / "live", True, asyncio.Event()

    async def keep_busy(forge: Product, worker: int) -> None:
        for seed in itertools.count(worker * 1000):
            if not busy:
                return
            received = await receive(forge, seed)
            generation_id = await make(forge, received.file.id)
            if seed % 3:
                await forge.files.delete(received.file.id, force=False)
            if seed % 2:
                await forge.generations.delete(generation_id, keep_outputs=False)
            if seed % 1000 == 5:
                under_way.set()

    async with product(source) as forge:
        kept = [(await receive(forge, 500 + number)).file.content_hash for number in range(20)]
        workers = [asyncio.ensure_future(keep_busy(forge, number)) for number in range(1, 4)]
        reports = []
        await under_way.wait()
        for number in range(3):
            target = tmp_path / f"copy-{number}"
            copied, report = await asyncio.to_thread(offline.backup, source, forge.host.output_folder, target)
            assert (copied.lost, report.problems) == (0, ())
            reports.append((target, copied))
        busy = False
        await asyncio.gather(*workers)
    for target, copied in reports:
        assert not target.with_name(f"{target.name}.partial").exists()
        assert await whole(target) == (copied.files, copied.outputs)
        async with product(target) as restored:
            for content_hash in kept:
                assert await restored.files.find(content_hash) is not None


async def test_what_is_deleted_while_it_is_copied_is_not_in_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst moment: after the database was copied and before the bytes are."""
    source, target = tmp_path / "live", tmp_path / "copy"
    async with product(source) as forge:
        gone, stays, free = [(await receive(forge, seed)).file for seed in (1, 2, 3)]
        generation_id, kept_generation = await make(forge, gone.id), await make(forge, stays.id)
        await forge.files.delete(gone.id, force=False)
        loop = asyncio.get_running_loop()

        def delete_first(url_text: str, folder: Path) -> Database:
            for deleting in (
                forge.generations.delete(generation_id, keep_outputs=False),
                forge.files.delete(free.id, force=False),
            ):
                asyncio.run_coroutine_threadsafe(deleting, loop).result()
            return open_database(url_text, folder)

        monkeypatch.setattr(backup, "open_database", delete_first)  # it opens the copy that was just made
        copied, report = await asyncio.to_thread(offline.backup, source, forge.host.output_folder, target)
    assert (copied.files, copied.outputs, copied.deleted, copied.lost, report.clean) == (1, 1, 2, 0, True)
    assert await whole(target) == (1, 1)
    async with product(target) as restored:
        assert [
            item.id
            for item in (await restored.generations.page(status=None, limit=9, offset=0, cursor=None)).records
        ] == [kept_generation]


async def test_what_is_not_whole_in_the_store_is_marked_in_the_copy(tmp_path: Path) -> None:
    source, target = tmp_path / "live", tmp_path / "copy"
    async with product(source) as forge:
        lost, altered = (await receive(forge, 1)).file, (await receive(forge, 2)).file
        forge.files.path(lost).unlink()
        forge.files.path(altered).write_bytes(b"other")
        copied, report = await asyncio.to_thread(offline.backup, source, None, target)
    assert (copied.files, copied.lost, report.clean, report.lost_files) == (0, 2, True, 2)


def test_a_copy_never_goes_over_something(tmp_path: Path) -> None:
    with pytest.raises(offline.CannotRun, match="does not exist"):
        (tmp_path / "data").mkdir()
        offline.backup(tmp_path / "data", None, tmp_path / "copy")
    (tmp_path / "data" / "avatarforge.db").touch()
    with pytest.raises(offline.CannotRun, match="exists already"):
        offline.backup(tmp_path / "data", None, tmp_path)


def shipped(pack: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """`dev.py` of an installed pack, as an operator runs it."""
    return subprocess.run(
        [sys.executable, str(pack / "dev.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def dev(capsys: pytest.CaptureFixture[str]) -> Command:
    return command(capsys)


async def test_the_command_finds_repairs_and_is_clean_then(
    tmp_path: Path, dev: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, storage = tmp_path / "data", tmp_path / "elsewhere"
    async with product(data) as forge:
        record = (await receive(forge, 1)).file
    shutil.move(data / "storage", storage)
    # Settings count as they do in ComfyUI.
    monkeypatch.setenv("AVATARFORGE_STORAGE_PATH", str(storage))
    check = ("fsck", "--data-folder", data, "--json")
    clean = await asyncio.to_thread(dev, *check)
    assert (clean.code, json.loads(clean.out)["files"]) == (0, 1)
    (storage / "blobs" / record.content_hash[:2] / f"{record.content_hash}.png").write_bytes(b"other")
    found = await asyncio.to_thread(dev, *check)
    assert (found.code, json.loads(found.out)["counts"]["altered"]) == (1, 1)
    repaired = await asyncio.to_thread(dev, "fsck", "--data-folder", data, "--repair")
    assert repaired.code == 1
    assert "altered: " in repaired.out
    assert "quarantine/" in repaired.out
    again = await asyncio.to_thread(dev, *check)
    assert (again.code, json.loads(again.out)["lost_files"]) == (0, 1)


def test_the_command_refuses_while_comfyui_runs_and_where_nothing_is(
    tmp_path: Path, dev: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    nothing = dev("fsck", "--data-folder", data)
    assert (nothing.code, "--data-folder is" in nothing.err) == (2, True)
    assert not data.exists()
    top = dev("fsck", "--data-folder", Path(tmp_path.anchor))
    assert (top.code, "does not exist" in top.err) == (2, True)
    data.mkdir()
    (data / "avatarforge.db").write_bytes(b"no database" * 1000)
    assert "cannot be opened: file is not a database" in dev("fsck", "--data-folder", data).err
    locks = lock_folders(data, data / "storage")
    in_use = dev("fsck", "--data-folder", data)
    for lock in locks:
        lock.release()
    assert in_use.code == 2
    assert "POST /avatarforge-controller/maintenance/verify" in in_use.err
    monkeypatch.setenv("AVATARFORGE_MAX_FILE_SIZE", "many")
    wrong = dev("fsck", "--data-folder", data)
    assert (wrong.code, "AVATARFORGE_MAX_FILE_SIZE" in wrong.err) == (2, True)


async def test_the_shipped_pack_can_do_it_without_the_tests(tmp_path: Path) -> None:
    base = tmp_path / "ComfyUI"
    pack = base / "custom_nodes" / "Avatar-Forge"
    ignored = shutil.ignore_patterns(".git", "tests", "web", "docs", ".*_cache", "__pycache__", ".env")
    shutil.copytree(ROOT, pack, ignore=ignored)
    host_folder = base / "user" / "__avatarforge"
    async with product(host_folder) as forge:
        await make(forge)
    shutil.move(host_folder / "output", base / "output")
    copied = shipped(pack, "backup", tmp_path / "copy")
    assert (copied.returncode, "1 pictures" in copied.stdout) == (0, True), copied.stderr
    found = shipped(pack, "fsck", "--json")
    assert found.returncode == 0, found.stderr
    report = json.loads(found.stdout)
    assert (report["outputs"], report["clean"]) == (1, True)
    needs_clone = shipped(pack, "demo")
    assert (needs_clone.returncode, "needs a clone" in needs_clone.stderr) == (1, True)
    assert "dev.py" not in (ROOT / ".comfyignore").read_text().split()


def test_without_the_requirements_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    bare = subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "dev.py"), "fsck"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert bare.returncode == 2
    assert "is not installed" in bare.stderr
    assert "the Python that runs ComfyUI" in bare.stderr
    assert "Traceback" not in bare.stderr


def test_the_groups_of_checks_are_named_alike() -> None:
    assert load_dev().GROUPS == checks.GROUPS


async def test_a_lost_mark_goes_where_the_copy_finds_the_bytes(tmp_path: Path) -> None:
    async with product(tmp_path / "live") as forge:
        await receive(forge, 1)
        await forge.database.write(lambda connection: connection.execute(update(files).values(lost_at=1)))
        copied, report = await asyncio.to_thread(offline.backup, tmp_path / "live", None, tmp_path / "copy")
    assert (copied.files, report.clean, report.lost_files) == (1, True, 0)
