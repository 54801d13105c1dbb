"""Characters as files over HTTP: export, import into another store, and what is refused."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import FormData
from archives import Entry, archive, members, packed
from pictures import picture
from services import Product, product

from avatarforge.forge.settings import Settings
from avatarforge.routes import PREFIX

from .characters import change, save
from .conftest import Client, application, generate, upload
from .templates import Body, send

ZIP = {"Content-Type": "application/zip"}
FRAME = {
    "people": [{"pose_keypoints_2d": [8, 8, 1, *([32, 40, 1] * 17)]}],
    "canvas_width": 64,
    "canvas_height": 64,
}
ANOTHER = "11111111-1111-4111-8111-111111111111"


async def export(client: Client, character: Body, query: str = "") -> bytes:
    answer = await client.get(f"{PREFIX}/characters/{character['character_id']}/export{query}")
    assert answer.status == 200, await answer.text()
    return await answer.read()


async def bring(client: Client, data: bytes, query: str = "") -> tuple[int, Body]:
    return await send(client, "POST", f"/characters/import{query}", data=data, headers=ZIP)


async def refused(client: Client, data: bytes, query: str = "") -> tuple[int, str, str]:
    status, answer = await bring(client, data, query)
    return status, answer["code"], str(answer["detail"])


@pytest.fixture
async def elsewhere(tmp_path: Any, aiohttp_client: Any) -> Any:
    """Another store, which knows nothing yet."""
    async with product(tmp_path / "elsewhere") as other:
        yield await aiohttp_client(application(other.services))


async def nothing_arrives(forge: Product) -> None:
    """Wait until no temporary file is left: it goes after the answer."""
    while list(forge.blobs.incoming.iterdir()):  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)


async def complete(client: Client) -> Body:
    """A character that has everything, in two versions."""
    ids = [(await upload(client, picture(number)))["file_id"] for number in (1, 2)]
    status, pose = await send(client, "POST", "/poses/library", json={"name": "My wave", "pose": FRAME})
    assert status == 200, pose
    first = await save(
        client,
        negative="glasses",
        clothing="a green dress",
        style="watercolor",
        realism=False,
        references=[{"file_id": ids[0], "role": "face", "strength": 0.5}],
        model="anything.safetensors",
        loras=[{"name": "mira.safetensors", "strength": 0.7}],
        seed=2**64 - 1,
        defaults={"width": 512, "height": 768, "pose_id": "my wave"},
        outfits=[{"name": "Winter coat", "words": "a long red coat", "file_id": ids[1]}],
        expressions=[{"name": "smug", "words": "a smug grin"}],
    )
    return await change(client, first, description="an old woman, grey hair", clothing=None)


SAME = (
    *("character_id", "name", "description", "version", "references", "outfits", "expressions"),
    *("defaults", "loras"),
)


async def test_a_file_restores_the_same_character_with_the_same_ids(
    client: Client, elsewhere: Client
) -> None:
    character = await complete(client)
    data = await export(client, character)
    status, answer = await bring(elsewhere, data)
    assert status == 200, answer
    assert {name: answer[name] for name in SAME} == {name: character[name] for name in SAME}
    assert (answer["outcome"], answer["files_added"], answer["poses_added"]) == ("created", 3, 1)
    assert answer["missing"] == [
        {"kind": "model", "name": "anything.safetensors"},
        {"kind": "lora", "name": "mira.safetensors"},
    ]
    assert answer["licence_note"].startswith("No licence is stated.")
    path = f"/characters/{character['character_id']}?version=1"
    _, old = await send(client, "GET", path)
    _, restored = await send(elsewhere, "GET", path)
    assert {name: restored[name] for name in SAME} == {name: old[name] for name in SAME}
    face = character["references"][0]["file_id"]
    assert await (await elsewhere.get(f"{PREFIX}/files/{face}")).read() == picture(1)
    assert (await send(elsewhere, "GET", "/poses/library/my%20wave"))[0] == 200
    assert await export(elsewhere, character) == data


async def test_the_manifest_says_what_is_in_the_file(client: Client) -> None:
    character = await complete(client)
    found = members(await export(client, character, "?licence=CC0"))
    manifest = json.loads(found.pop("manifest.json"))
    assert (manifest["format"], manifest["format_version"]) == ("avatarforge-character", 1)
    assert (manifest["licence_note"], manifest["exported_by"]) == ("CC0", "AvatarForge 0.0.0")
    assert [version["version"] for version in manifest["versions"]] == [1, 2]
    assert manifest["versions"][1]["content"]["description"] == character["description"]
    assert [pose["name"] for pose in manifest["poses"]] == ["My wave"]
    listed = {item["member"]: item["sha256"] for item in manifest["files"]}
    assert listed == {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}
    assert all(member == f"files/{sha256}.{member.rpartition('.')[2]}" for member, sha256 in listed.items())
    assert list(listed.values()) == sorted(listed.values())


async def test_the_newest_version_can_be_exported_alone(client: Client, elsewhere: Client) -> None:
    character = await complete(client)
    status, answer = await bring(elsewhere, await export(client, character, "?versions=newest"))
    assert (status, answer["version"], answer["outcome"]) == (200, 2, "created")
    _, versions = await send(elsewhere, "GET", f"/characters/{character['character_id']}/versions")
    assert [item["version"] for item in versions["versions"]] == [2]
    status, answer = await send(client, "GET", f"/characters/{character['character_id']}/export?versions=1")
    assert (status, answer["code"]) == (422, "invalid_request")


async def test_the_bytes_have_a_tag_ranges_and_a_safe_name(client: Client, forge: Product) -> None:
    character = await save(client, name='Mira "../\\x"; ы', clothing="a dress")
    path = f"{PREFIX}/characters/{character['character_id']}/export"
    whole = await client.get(path)
    data, tag = await whole.read(), whole.headers["ETag"]
    assert (whole.content_type, whole.headers["Accept-Ranges"]) == ("application/zip", "bytes")
    assert 'filename="Mira-x-_.zip"' in whole.headers["Content-Disposition"]
    again = await client.get(path)
    assert (await again.read(), again.headers["ETag"]) == (data, tag)
    assert (await client.get(path, headers={"If-None-Match": tag})).status == 304
    part = await client.get(path, headers={"Range": "bytes=2-5"})
    assert (part.status, await part.read()) == (206, data[2:6])
    head = await client.head(path)
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(data)))
    await change(client, character, clothing=None)
    assert (await client.get(path, headers={"If-None-Match": tag})).status == 200
    await nothing_arrives(forge)


async def test_a_form_is_read_too(client: Client, elsewhere: Client) -> None:
    data = await export(client, await save(client))
    form = FormData()
    form.add_field("file", data, filename="mira.zip", content_type="application/zip")
    answer = await elsewhere.post(f"{PREFIX}/characters/import", data=form)
    assert (answer.status, (await answer.json())["outcome"]) == (200, "created")
    for name, more in (("picture", False), ("file", True)):
        form = FormData()
        form.add_field(name, data, filename="a.zip")
        if more:
            form.add_field("more", "x")
        answer = await elsewhere.post(f"{PREFIX}/characters/import", data=form)
        body = await answer.json()
        assert (answer.status, body["code"]) == (400, "invalid_upload"), body
    plain = {"Content-Type": "text/plain"}
    answer = await elsewhere.post(f"{PREFIX}/characters/import", data=data, headers=plain)
    assert answer.status == 400


async def test_what_is_here_already_is_not_changed(client: Client, forge: Product) -> None:
    character = await complete(client)
    data = await export(client, character)
    status, answer = await bring(client, data)
    assert (status, answer["outcome"], answer["files_added"]) == (200, "unchanged", 0)
    assert answer["version"] == 2
    # What has gone on since has all that the file has.
    newer = await change(client, character, seed=1)
    status, answer = await bring(client, data)
    assert (status, answer["outcome"], answer["version"]) == (200, "unchanged", newer["version"])
    assert (await send(client, "GET", "/characters"))[1]["total"] == 1


async def test_other_contents_of_the_same_id_need_a_choice(client: Client, elsewhere: Client) -> None:
    character = await save(client)
    assert (await bring(elsewhere, await export(client, character)))[0] == 200
    await change(elsewhere, character, clothing="a hat")
    await change(client, character, clothing="a coat")
    data = await export(client, character)
    status, code, text = await refused(elsewhere, data)
    assert (status, code) == (409, "character_differs")
    assert "as_copy=true" in text
    assert "replace=true" in text
    assert (await refused(elsewhere, data, "?as_copy=true&replace=true"))[:2] == (422, "conflicting_fields")
    status, code, text = await refused(elsewhere, data, "?as_copy=true")
    assert (status, code, "?name=" in text) == (409, "character_exists", True)
    _, copy = await bring(elsewhere, data, "?as_copy=true&name=Mira%20two")
    assert copy["outcome"] == "copied"
    assert copy["character_id"] != character["character_id"]
    # The name is a version of its own, after those of the file.
    assert (copy["name"], copy["clothing"], copy["version"]) == ("Mira two", "a coat", 3)
    _, replaced = await bring(elsewhere, data, "?replace=true")
    assert (replaced["outcome"], replaced["clothing"], replaced["version"]) == ("replaced", "a coat", 3)
    assert replaced["character_id"] == character["character_id"]
    _, again = await bring(elsewhere, data, "?replace=true")
    assert (again["outcome"], again["version"]) == ("unchanged", 3)
    _, old = await send(elsewhere, "GET", f"/characters/{character['character_id']}?version=2")
    assert old["clothing"] == "a hat"


async def test_a_name_that_is_taken_needs_another(client: Client, elsewhere: Client) -> None:
    await save(elsewhere, name="MIRA", references=[])
    data = await export(client, await save(client))
    status, code, text = await refused(elsewhere, data)
    assert (status, code, "?name=" in text) == (409, "character_exists", True)
    status, answer = await bring(elsewhere, data, "?name=Mirabel")
    assert (status, answer["name"], answer["version"]) == (200, "Mirabel", 2)
    # The versions of the file are all there.
    assert (await bring(elsewhere, data))[1]["outcome"] == "unchanged"


async def test_a_deleted_character_comes_back(client: Client) -> None:
    character = await change(client, await save(client), description="an old woman, grey hair")
    used = await generate(client, character_id=character["character_id"], character_version=1)
    data = await export(client, character)
    path = f"/characters/{character['character_id']}"
    assert (await send(client, "DELETE", path))[0] == 200
    status, answer = await bring(client, data)
    assert (status, answer["outcome"], answer["version"]) == (200, "restored", 2), answer
    assert {name: answer[name] for name in SAME} == {name: character[name] for name in SAME}
    assert (await send(client, "GET", f"{path}?version=1"))[0] == 200
    assert used["character_version"] == 1
    assert (await send(client, "GET", "/characters?q=grey%20hair"))[1]["total"] == 1
    assert (await send(client, "DELETE", path))[0] == 200


async def test_contents_that_are_stored_keep_their_ids(client: Client, elsewhere: Client) -> None:
    data = await export(client, await complete(client))
    here = (await upload(elsewhere, picture(1)))["file_id"]
    _, answer = await bring(elsewhere, data)
    assert answer["references"][0]["file_id"] == here
    assert answer["files_added"] == 2
    assert (await bring(elsewhere, data))[1]["outcome"] == "unchanged"


async def test_an_id_of_another_file_or_pose_is_not_taken_over(client: Client, elsewhere: Client) -> None:
    character = await complete(client)
    files = members(await export(client, character))
    taken = (await upload(elsewhere, picture(9)))["file_id"]
    other = {**FRAME, "canvas_width": 128}
    _, pose = await send(elsewhere, "POST", "/poses/library", json={"name": "My wave", "pose": other})
    text = files["manifest.json"].decode().replace(character["references"][0]["file_id"], taken)
    manifest = json.loads(text)
    text = text.replace(manifest["poses"][0]["pose_id"], pose["pose_id"])
    hostile = packed({**files, "manifest.json": text.encode()})
    _, answer = await bring(elsewhere, hostile)
    assert answer["outcome"] == "created"
    assert answer["references"][0]["file_id"] != taken
    assert await (await elsewhere.get(f"{PREFIX}/files/{taken}")).read() == picture(9)
    # The default names the pose of the file by its id now, since its name is another's here.
    named = answer["defaults"]["pose_id"]
    assert named != pose["pose_id"]
    _, brought = await send(elsewhere, "GET", f"/poses/library/{named}")
    assert brought["name"] == "My wave (2)"
    assert (await bring(elsewhere, hostile))[1]["outcome"] == "unchanged"


async def test_a_pose_that_is_here_is_used(client: Client, elsewhere: Client) -> None:
    await send(elsewhere, "POST", "/poses/library", json={"name": "my WAVE", "pose": FRAME})
    _, answer = await bring(elsewhere, await export(client, await complete(client)))
    assert (answer["poses_added"], answer["defaults"]["pose_id"]) == (0, "my wave")


def changed(files: dict[str, bytes], change: Callable[[dict[str, Any]], object]) -> bytes:
    """The file with another manifest."""
    manifest = json.loads(files["manifest.json"])
    change(manifest)
    return packed({**files, "manifest.json": json.dumps(manifest).encode()})


def content(**values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda manifest: manifest["versions"][-1]["content"].update(values)


def picture_entry(manifest: dict[str, Any]) -> dict[str, Any]:
    return next(item for item in manifest["files"] if item["member"].endswith(".png"))


def listed(**values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda manifest: picture_entry(manifest).update(values)


#: What is wrong -> (the change of the manifest, what the refusal says).
MANIFESTS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another format": (lambda manifest: manifest.update(format="zip"), "format"),
    "a later version": (lambda manifest: manifest.update(format_version=2), "update it"),
    "no version": (lambda manifest: manifest.pop("format_version"), "format_version"),
    "an unknown field": (lambda manifest: manifest.update(more=1), "more"),
    "an id that is none": (lambda manifest: manifest.update(character_id="../../etc"), "character_id"),
    "control characters": (lambda manifest: manifest.update(licence_note="a\x1b[31m"), "control"),
    "no versions": (lambda manifest: manifest.update(versions=[]), "versions"),
    "versions twice": (lambda manifest: manifest["versions"].append(manifest["versions"][0]), "order"),
    "a version of zero": (lambda manifest: manifest["versions"][0].update(version=0), "version"),
    "a time that is none": (
        lambda manifest: manifest["versions"][0].update(created_at="2026-02-31T00:00:00.000000Z"),
        "time",
    ),
    "no description": (content(description=" "), "description"),
    "a description that is too long": (content(description="x" * 10_001), "description"),
    "codes in a name": (content(name="a\x00b"), "name"),
    "an unknown field of a version": (content(path="/etc/passwd"), "path"),
    "two models": (content(model="a", family="sd15"), "contradict"),
    "outfits of one name": (content(outfits=[{"name": "a", "words": "b"}] * 2), "twice"),
    "a strength out of range": (content(loras=[{"name": "a", "strength": 1e9}]), "strength"),
    "a file that is not in it": (content(references=[{"file_id": ANOTHER}]), ANOTHER),
    "another hash": (listed(sha256="0" * 64), "not the member"),
    "another member": (listed(member=f"files/{'0' * 64}.png", sha256="0" * 64), "does not name"),
    "a path out of the archive": (listed(member="../../../etc/passwd"), "member"),
    "an absolute path": (listed(member="/etc/passwd"), "member"),
    "another size": (listed(size=1), "size"),
    "a file twice": (lambda manifest: manifest["files"].append(manifest["files"][0]), "same file_id"),
    "a pose without a file": (
        lambda manifest: manifest.update(poses=[{"pose_id": ANOTHER, "name": "a", "file_id": ANOTHER}]),
        "pose 'a'",
    ),
}


async def untouched(client: Client, forge: Product) -> None:
    """Nothing is left of a refused file."""
    assert (await send(client, "GET", "/characters"))[1]["total"] == 0
    assert (await send(client, "GET", "/files"))[1]["total"] == 0
    assert (await send(client, "GET", "/poses/library"))[1]["total"] == 0
    assert [path for path in forge.blobs.folder.rglob("*") if path.is_file()] == []
    assert forge.workers.uploads.taken == 0


async def test_a_manifest_that_is_not_right_is_refused(
    client: Client, tmp_path: Any, aiohttp_client: Any
) -> None:
    files = members(await export(client, await complete(client)))
    async with product(tmp_path / "elsewhere") as other:
        elsewhere = await aiohttp_client(application(other.services))
        for name, (change_manifest, said) in MANIFESTS.items():
            status, code, text = await refused(elsewhere, changed(files, change_manifest))
            assert (status, code) == (400, "invalid_character_file"), (name, text)
            assert text.startswith("Invalid character file: "), name
            assert said in text, (name, text)
            await untouched(elsewhere, other)
        # The file itself is fine.
        assert (await bring(elsewhere, packed(files)))[0] == 200


def renamed(files: dict[str, bytes], data: bytes, extension: str = "png") -> bytes:
    """The file with other bytes in the place of its first picture, of which the manifest knows."""
    manifest = json.loads(files["manifest.json"])
    entry = picture_entry(manifest)
    rest = {name: value for name, value in files.items() if name not in (entry["member"], "manifest.json")}
    sha256 = hashlib.sha256(data).hexdigest()
    entry.update(sha256=sha256, size=len(data), member=f"files/{sha256}.{extension}")
    return packed({"manifest.json": json.dumps(manifest).encode(), **rest, entry["member"]: data})


async def test_an_archive_that_is_not_right_is_refused(
    client: Client, tmp_path: Any, aiohttp_client: Any
) -> None:
    files = members(await export(client, await complete(client)))
    first = next(name for name in files if name.endswith(".png"))
    manifest = files["manifest.json"]
    others = {name: data for name, data in files.items() if name != "manifest.json"}
    hostile = {
        "no archive": (b"PK\x03\x04" * 20, "zip archive"),
        "no manifest": (packed(others), "manifest.json"),
        "no json": (packed({**others, "manifest.json": b"{"}), "JSON"),
        "deep json": (packed({**others, "manifest.json": b"[" * 100_000}), "nests"),
        "a name twice": (packed({**others, "manifest.json": b'{"format": 1, "format": 2}'}), "twice"),
        "a list": (packed({**others, "manifest.json": b"[]"}), "format"),
        "a missing picture": (packed({name: files[name] for name in files if name != first}), "missing"),
        "more than the manifest": (packed({**files, "../../evil.py": b"x"}), "evil.py"),
        "an archive in it": (packed({**files, "files/more.zip": packed(files)}), "more.zip"),
        "altered bytes": (packed({**files, first: files[first][:-1] + b"x"}), "SHA-256"),
        "no picture": (renamed(files, b"GIF89a" + b"x" * 100), "PNG"),
        "a cut picture": (renamed(files, picture(5)[:-30]), "files/"),
        "a small picture": (renamed(files, picture(5, (8, 8))), "64"),
        "a picture under another type": (renamed(files, picture(5, kind="JPEG")), "image/jpeg"),
        "a pose as a picture": (renamed(files, json.dumps(FRAME).encode()), "pose"),
        "a link": (
            archive(Entry(data=manifest), *(Entry(n, d, mode=0o120777) for n, d in others.items())),
            "link",
        ),
    }
    async with product(tmp_path / "elsewhere") as other:
        elsewhere = await aiohttp_client(application(other.services))
        for name, (data, said) in hostile.items():
            status, code, text = await refused(elsewhere, data)
            assert (status, code) == (400, "invalid_character_file"), (name, text)
            assert said in text, (name, text)
            await untouched(elsewhere, other)


async def test_sizes_and_counts_are_limited(client: Client, tmp_path: Any, aiohttp_client: Any) -> None:
    character = await complete(client)
    data = await export(client, character)
    limits = {
        "max_character_file_size": (1024 * 1024, 413, "character_file_too_large"),
        "max_characters": (1, 409, "too_many_characters"),
        "max_library_poses": (1, 409, "too_many_poses"),
        "storage_quota_files": (2, 507, "quota_exceeded"),
        "max_file_size": (4096, 400, "invalid_character_file"),
    }
    for name, (limit, status, code) in limits.items():
        async with product(tmp_path / name, settings=Settings(**{name: limit})) as other:
            elsewhere = await aiohttp_client(application(other.services))
            if name == "max_character_file_size":
                answer = await refused(elsewhere, data + b"x" * limit)
            else:
                if name == "max_characters":
                    await save(elsewhere, name="Another")
                elif name == "max_library_poses":
                    frame = {**FRAME, "canvas_width": 128}
                    await send(elsewhere, "POST", "/poses/library", json={"name": "a", "pose": frame})
                before = (await send(elsewhere, "GET", "/files"))[1]["total"]
                answer = await refused(elsewhere, data)
                assert (await send(elsewhere, "GET", "/files"))[1]["total"] == before
            assert answer[:2] == (status, code), (name, answer)


async def test_only_so_many_versions_are_kept(client: Client, tmp_path: Any, aiohttp_client: Any) -> None:
    character = await save(client)
    for seed in range(3):
        await change(client, character, seed=seed)
    data = await export(client, character)
    async with product(tmp_path / "elsewhere", settings=Settings(max_character_versions=2)) as other:
        elsewhere = await aiohttp_client(application(other.services))
        assert (await bring(elsewhere, data))[1]["version"] == 4
        _, versions = await send(elsewhere, "GET", f"/characters/{character['character_id']}/versions")
        assert [item["version"] for item in versions["versions"]] == [4, 3]
        assert (await bring(elsewhere, data))[1]["outcome"] == "unchanged"


async def test_a_file_that_would_be_too_large_is_not_made(tmp_path: Any, aiohttp_client: Any) -> None:
    settings = Settings(max_character_file_size=1024 * 1024)
    async with product(tmp_path / "elsewhere", settings=settings) as other:
        elsewhere = await aiohttp_client(application(other.services))
        large = (await upload(elsewhere, picture(1, (600, 600))))["file_id"]
        character = await save(elsewhere, references=[{"file_id": large}])
        path = f"/characters/{character['character_id']}/export"
        status, answer = await send(elsewhere, "GET", path)
        assert (status, answer["code"]) == (413, "character_file_too_large")
        await change(elsewhere, character, references=[])
        assert (await elsewhere.get(f"{PREFIX}{path}?versions=newest")).status == 200


async def test_what_cannot_be_read_is_not_exported(client: Client, forge: Product) -> None:
    character = await complete(client)
    path = f"/characters/{character['character_id']}/export"
    assert (await send(client, "GET", f"/characters/{ANOTHER}/export"))[1]["code"] == "character_not_found"
    record = await forge.files.get(character["references"][0]["file_id"])
    forge.files.path(record).write_bytes(b"altered")
    status, answer = await send(client, "GET", path)
    assert (status, answer["code"]) == (404, "file_lost")
    await nothing_arrives(forge)
