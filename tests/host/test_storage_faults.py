"""A full, a read-only and a damaged disk under a real ComfyUI. One ComfyUI for all of it, in order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pictures import picture
from small_disk import small_disk

from lab.api import Api
from lab.server import ComfyServer

Factory = Callable[..., ComfyServer]


def send(api: Api, data: bytes) -> tuple[int, str]:
    answer = api.post("/upload/reference_image", files={"file": ("a.png", data)})
    return answer.status_code, answer.json().get("detail", "")


def failed_with_words(api: Api, words: str, **body: Any) -> None:
    ended = api.wait(api.generate(**body)["generation_id"])
    assert (ended["status"], words in ended["error"]) == ("failed", True), ended["error"]
    assert ended["output_files"] == []


def test_a_failing_disk_is_told_loses_nothing_and_works_again(comfy_factory: Factory, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        storage, output = disk.folder / "storage", disk.folder / "output"
        output.mkdir()
        server = comfy_factory(
            env={"AVATARFORGE_STORAGE_PATH": str(storage)}, args=("--output-directory", str(output))
        )
        api = Api(server.url)
        kept = api.upload(picture(1))
        done = api.wait(api.generate(seed=1, reference_file_id=kept["file_id"])["generation_id"])
        assert done["status"] == "completed"
        before = sorted(path.name for path in disk.folder.rglob("*") if path.is_file())

        # Full: definite answers, nothing left over, what was there is served, and room makes it work again.
        disk.fill()
        for data in (picture(2), picture(3, (512, 512))):
            status, detail = send(api, data)
            assert (status, "The disk is full" in detail) == (507, True), detail
            assert str(tmp_path) not in detail
        assert api.get("/health").json()["storage"]["status"] == "unhealthy"
        failed_with_words(api, "The disk is full", seed=2)
        assert api.get(kept["url"]).content == picture(1)
        assert api.root("/queue").status_code == 200
        disk.empty()
        assert sorted(path.name for path in disk.folder.rglob("*") if path.is_file()) == before
        assert send(api, picture(3, (512, 512)))[0] == 200
        assert api.wait(api.generate(seed=2)["generation_id"])["status"] == "completed"

        # Read-only, by a disk laid over: the same with its own words.
        with (
            small_disk(storage / "incoming", 1) as over_storage,
            small_disk(output / "avatarforge", 1) as over_output,
        ):
            over_storage.set_read_only(True)
            over_output.set_read_only(True)
            status, detail = send(api, picture(4))
            assert (status, "Read-only file system" in detail) == (503, True), detail
            assert "Read-only file system" in api.get("/health").json()["reason"]
            failed_with_words(api, "Read-only file system", seed=3)
            assert api.get(kept["url"]).content == picture(1)
        assert send(api, picture(4))[0] == 200

        # Bytes that go or change behind our back: told, and the next upload of that content heals them.
        for seed, damage in ((5, lambda path: path.unlink()), (6, alter)):
            file = api.upload(picture(seed))
            damage(next(storage.rglob(f"{file['content_hash']}.png")))
            failed_with_words(api, f"bytes of file {file['file_id']}", reference_file_id=file["file_id"])
            again = api.upload(picture(seed))
            assert (again["file_id"], again["is_duplicate"]) == (file["file_id"], True)
            assert api.wait(api.generate(reference_file_id=file["file_id"])["generation_id"])["status"] == (
                "completed"
            )
        # A picture that cannot be removed: deleted for every client, told by the check, and gone in the end.
        gone = api.generate(seed=7)["generation_id"]
        assert api.wait(gone)["status"] == "completed"
        with small_disk(output / "avatarforge" / gone / "mounted", 1):
            assert api.delete(f"/generations/{gone}").status_code == 200
            assert api.get(f"/outputs/{gone}/avatarforge_00001.png").status_code == 404
            (problem,) = api.post("/maintenance/verify", params={"repair": "true"}).json()["problems"]
            assert (problem["kind"], problem["repaired"]) == ("leftover", None)
        assert api.post("/maintenance/verify", params={"repair": "true"}).status_code == 200
        assert not (output / "avatarforge" / gone).exists()

        report = api.post("/maintenance/verify").json()
        assert report["clean"], report["problems"]
        assert report["outputs"] == 4

        # A running ComfyUI keeps the operator's command out, and a stopped one lets it in.
        busy = fsck(server, output / "avatarforge", storage)
        assert (busy.returncode, "maintenance/verify" in busy.stderr) == (2, True)
        server.stop()
        checked = fsck(server, output / "avatarforge", storage)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert json.loads(checked.stdout)["files"] == report["files"]
        wrong = fsck(server, output, storage)
        assert (wrong.returncode, f"here {output / 'avatarforge'}." in wrong.stderr) == (2, True), wrong


def alter(path: Path) -> None:
    """Other bytes of the same size."""
    path.write_bytes(path.read_bytes()[:-9] + bytes(9))


def fsck(server: ComfyServer, pictures: Path, storage: Path) -> subprocess.CompletedProcess[str]:
    """As an operator runs it: from the installed pack, which has no tests."""
    command = server.base / "custom_nodes" / "avatarforge" / "dev.py"
    outputs = ("--output-folder", str(pictures))
    return subprocess.run(
        [sys.executable, str(command), "fsck", "--json", *outputs],
        env={**os.environ, "AVATARFORGE_STORAGE_PATH": str(storage)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
