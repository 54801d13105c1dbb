"""Folders that an operator mixes up: `fsck` and `backup` refuse, name the right one, and change nothing."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from operating import Command, command, make
from pictures import picture
from services import product
from sqlalchemy import update

from avatarforge.db.tables import outputs
from avatarforge.forge import offline


@dataclass(frozen=True)
class Comfy:
    """The folders of a ComfyUI with one stored file and one finished generation."""

    base: Path
    generation_id: str

    @property
    def data(self) -> Path:
        return self.base / "user" / "__avatarforge"

    @property
    def output(self) -> Path:
        return self.base / "output"

    @property
    def pictures(self) -> Path:
        return self.output / "avatarforge"

    def files(self) -> dict[str, bytes]:
        left_out = (".lock", "-wal", "-shm", ".db")
        return {
            str(path): path.read_bytes()
            for path in self.base.rglob("*")
            if path.is_file() and not path.name.endswith(left_out)
        }


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Comfy:
    base = tmp_path_factory.mktemp("prepared") / "ComfyUI"

    async def chunks() -> AsyncIterator[bytes]:
        yield picture(1)

    async def prepare() -> str:
        async with product(base / "user" / "__avatarforge") as forge:
            await forge.files.receive(chunks(), "a.png")
            return await make(forge)

    generation_id = asyncio.run(prepare())
    shutil.move(base / "user" / "__avatarforge" / "output", base / "output")
    return Comfy(base, generation_id)


@pytest.fixture
def comfy(tmp_path: Path, prepared: Comfy, monkeypatch: pytest.MonkeyPatch) -> Comfy:
    for name in os.environ:
        if name.startswith("AVATARFORGE_"):
            monkeypatch.delenv(name)
    shutil.copytree(prepared.base, tmp_path / "ComfyUI")
    return Comfy(tmp_path / "ComfyUI", prepared.generation_id)


@pytest.fixture
def dev(capsys: pytest.CaptureFixture[str]) -> Command:
    return command(capsys)


Named = Callable[[Comfy], Path]


def other_store(comfy: Comfy) -> Path:
    """Of another ComfyUI: its folders are named by generations, and none of them is of this store."""
    folder = comfy.base.parent / "other" / "output" / "avatarforge"
    (folder / "11111111-1111-4111-8111-111111111111").mkdir(parents=True)
    return folder


def empty(comfy: Comfy) -> Path:
    folder = comfy.base.parent / "empty"
    folder.mkdir()
    return folder


#: What is named instead of output/avatarforge, and whether the answer knows the right folder.
WRONG_OUTPUTS: list[tuple[Named, bool]] = [
    (lambda comfy: comfy.output, True),
    (lambda comfy: comfy.base, True),
    (lambda comfy: comfy.pictures / comfy.generation_id, True),
    (lambda comfy: comfy.pictures / "mistyped", True),
    (lambda comfy: comfy.data, False),
    (lambda comfy: comfy.data / "storage", False),
    (lambda comfy: comfy.base / "missing", False),
    (lambda comfy: next(comfy.pictures.rglob("*.png")), False),
    (other_store, False),
    (empty, False),
]


@pytest.mark.parametrize("name", ["fsck", "fsck --repair", "backup"])
@pytest.mark.parametrize(("named", "is_known"), WRONG_OUTPUTS)
def test_a_wrong_output_folder_is_refused_and_the_right_one_is_named(
    comfy: Comfy, dev: Command, named: Named, is_known: bool, name: str
) -> None:
    wrong, before = named(comfy), comfy.files()
    target = [comfy.base.parent / "copy"] if name == "backup" else []
    ran = dev(*name.split(), *target, "--data-folder", comfy.data, "--output-folder", wrong)
    assert (ran.code, ran.out) == (2, "")
    assert str(wrong) in ran.err
    assert "--output-folder is ComfyUI's output/avatarforge" in ran.err
    assert (f"here {comfy.pictures}." in ran.err) == is_known
    assert comfy.files() == before
    assert not [path for path in comfy.base.parent.iterdir() if path.name.startswith("copy")]


def test_a_backup_as_output_folder_is_told_where_its_pictures_lie(comfy: Comfy, dev: Command) -> None:
    copy = comfy.base.parent / "copy"
    assert dev("backup", copy, "--data-folder", comfy.data).code == 0
    ran = dev("fsck", "--data-folder", copy, "--output-folder", copy)
    assert (ran.code, f"here {copy / 'output'}." in ran.err) == (2, True)
    right = dev("fsck", "--json", "--data-folder", copy, "--output-folder", copy / "output")
    assert (right.code, json.loads(right.out)["outputs"]) == (0, 1)


@pytest.mark.parametrize("named", [True, False])
def test_the_right_output_folder_is_taken(comfy: Comfy, dev: Command, named: bool) -> None:
    argument = ("--output-folder", comfy.pictures) if named else ()
    ran = dev("fsck", "--json", "--data-folder", comfy.data, *argument)
    assert (ran.code, json.loads(ran.out)["outputs"]) == (0, 1)


def test_one_picture_of_many_that_is_gone_is_a_finding_and_no_wrong_folder(
    comfy: Comfy, dev: Command
) -> None:
    next(comfy.pictures.rglob("*.png")).unlink()
    ran = dev("fsck", "--json", "--data-folder", comfy.data, "--output-folder", comfy.pictures)
    assert (ran.code, json.loads(ran.out)["counts"]["output_missing"]) == (1, 1)


def test_a_usual_folder_without_pictures_of_the_store_is_left_out_and_told(
    comfy: Comfy, dev: Command
) -> None:
    """ComfyUI was started with --output-directory, and its usual folder is there all the same."""
    shutil.rmtree(comfy.pictures)
    comfy.pictures.mkdir()
    for arguments in (["fsck"], ["backup", comfy.base.parent / "copy"]):
        ran = dev(*arguments, "--data-folder", comfy.data)
        assert (ran.code, "The generated pictures were left out" in ran.out) == (0, True), ran


async def test_a_store_whose_pictures_are_all_known_to_be_lost_takes_an_empty_folder(
    comfy: Comfy, dev: Command
) -> None:
    async with product(comfy.data) as forge:
        await forge.database.write(lambda connection: connection.execute(update(outputs).values(lost_at=1)))
    shutil.rmtree(comfy.pictures)
    comfy.pictures.mkdir()
    named = ("--data-folder", comfy.data, "--output-folder", comfy.pictures)
    ran = await asyncio.to_thread(dev, "fsck", "--json", *named)
    assert (ran.code, json.loads(ran.out)["lost_outputs"]) == (0, 1)


@pytest.mark.parametrize(
    "named",
    [
        lambda comfy: comfy.base,
        lambda comfy: comfy.base / "user",
        lambda comfy: comfy.data / "storage",
        lambda comfy: comfy.data / "avatarforge.db",
    ],
)
@pytest.mark.parametrize("name", ["fsck", "backup"])
def test_a_wrong_data_folder_is_refused_and_the_right_one_is_named(
    comfy: Comfy, dev: Command, named: Named, name: str
) -> None:
    before = comfy.files()
    target = [comfy.base.parent / "copy"] if name == "backup" else []
    ran = dev(name, *target, "--data-folder", named(comfy))
    assert (ran.code, f"here {comfy.data}." in ran.err) == (2, True), ran.err
    assert comfy.files() == before
    assert not list(comfy.base.parent.glob("copy*"))
    assert not (named(comfy) / "avatarforge.db").exists()


@pytest.mark.parametrize("folder", ["/", "/missing", "."])
def test_a_data_folder_without_parents_is_a_sentence(dev: Command, folder: str, comfy: Comfy) -> None:
    ran = dev("fsck", "--data-folder", folder)
    assert (ran.code, "--data-folder is ComfyUI's user/__avatarforge" in ran.err) == (2, True), ran.err


@pytest.mark.parametrize(
    "inside",
    [
        lambda comfy: comfy.data / "backup",
        lambda comfy: comfy.data / "storage" / "blobs" / "backup",
        lambda comfy: comfy.pictures / "backup",
        lambda comfy: comfy.output / ".." / "user" / "__avatarforge" / "backup",
    ],
)
def test_a_backup_into_what_it_copies_is_refused(comfy: Comfy, dev: Command, inside: Named) -> None:
    before = comfy.files()
    ran = dev("backup", inside(comfy), "--data-folder", comfy.data)
    assert (ran.code, "lies inside" in ran.err) == (2, True), ran.err
    assert comfy.files() == before
    assert not inside(comfy).exists()


def test_a_backup_into_a_storage_elsewhere_is_refused(
    comfy: Comfy, dev: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = comfy.base.parent / "disk" / "storage"
    shutil.move(comfy.data / "storage", storage)
    monkeypatch.setenv("AVATARFORGE_STORAGE_PATH", str(storage))
    ran = dev("backup", storage / "backup", "--data-folder", comfy.data)
    assert (ran.code, "lies inside" in ran.err) == (2, True), ran.err


def test_a_folder_of_somebody_else_is_not_taken_for_an_unfinished_backup(comfy: Comfy, dev: Command) -> None:
    mine = comfy.base.parent / "copy.partial" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    ran = dev("backup", comfy.base.parent / "copy", "--data-folder", comfy.data)
    assert (ran.code, "is no backup that was broken off" in ran.err) == (2, True), ran.err
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("is_begun", [True, False])
def test_a_backup_that_was_broken_off_is_begun_again(comfy: Comfy, dev: Command, is_begun: bool) -> None:
    partial = comfy.base.parent / "copy.partial"
    (partial / "storage" if is_begun else partial).mkdir(parents=True)
    if is_begun:
        (partial / "avatarforge.db").write_bytes(b"half")
    assert dev("backup", comfy.base.parent / "copy", "--data-folder", comfy.data).code == 0
    assert not partial.exists()


@pytest.mark.parametrize("name", ["fsck", "fsck --repair", "backup"])
def test_a_storage_whose_drive_is_not_there_is_refused_and_not_made(
    comfy: Comfy, dev: Command, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = comfy.base.parent / "disk" / "storage"
    monkeypatch.setenv("AVATARFORGE_STORAGE_PATH", str(storage))
    target = [comfy.base.parent / "copy"] if name == "backup" else []
    ran = dev(*name.split(), *target, "--data-folder", comfy.data)
    assert (ran.code, "names 1 stored files. Is STORAGE_PATH right" in ran.err) == (2, True), ran.err
    assert not storage.exists()
    storage.mkdir(parents=True)
    assert dev("fsck", "--json", "--data-folder", comfy.data).code == 1


def test_the_commands_of_python_refuse_the_same(comfy: Comfy) -> None:
    with pytest.raises(offline.CannotRun, match="holds no picture of this store"):
        offline.fsck(comfy.data, comfy.output, repair=False)
    with pytest.raises(offline.CannotRun, match="holds no picture of this store"):
        offline.backup(comfy.data, comfy.output, comfy.base.parent / "copy")
