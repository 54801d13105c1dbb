"""OmniChar files over HTTP: with a stand-in for the package that reads them, and with itself where it is
installed."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from omnichar import ID, MODULE, char_file
from pictures import picture
from services import product

from avatarforge.forge.export import omnichar
from avatarforge.forge.settings import Settings

from .conftest import Client, application
from .templates import send

ZIP = {"Content-Type": "application/zip"}
IMPORT = "/characters/import?format=omnichar"


@pytest.fixture(params=["stand-in", "package"])
def package(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "package":
        pytest.importorskip(omnichar.MODULE)
    else:
        monkeypatch.setitem(sys.modules, omnichar.MODULE, MODULE)


pytestmark = pytest.mark.usefixtures("package")


async def bring(client: Client, data: bytes, query: str = "") -> tuple[int, dict[str, Any]]:
    return await send(client, "POST", IMPORT + query, data=data, headers=ZIP)


async def test_a_file_becomes_a_character_and_the_same_one_again(client: Client) -> None:
    bodies, clothes = [(picture(2), "body")] * 2, (picture(3, kind="JPEG"), "cloth")
    pictures = ((picture(1), "face"), *bodies, clothes)
    data = char_file(*pictures, name="Mira\x01", loras=["mira.safetensors", "mira-2.safetensors"])
    status, answer = await bring(client, data)
    assert status == 200, answer
    assert (answer["outcome"], answer["character_id"], answer["name"]) == ("created", ID, "Mira")
    assert (answer["description"], answer["exported_by"]) == ("A knight of the north.", "OmniChar")
    assert answer["updated_at"].startswith("2025-10-09T08:53:20")
    assert [item["role"] for item in answer["references"]] == ["face", "identity", "outfit"]
    assert (answer["files_added"], answer["loras"]) == (3, [])
    assert answer["missing"] == [
        {"kind": "lora", "name": "mira.safetensors"},
        {"kind": "lora", "name": "mira-2.safetensors"},
    ]
    status, again = await bring(client, data)
    assert (status, again["outcome"], again["references"]) == (200, "unchanged", answer["references"])


async def test_faces_alone_are_who_it_is(client: Client) -> None:
    """They are the default of its format; not every model takes faces."""
    _, answer = await bring(client, char_file((picture(1), ""), (picture(2), "face"), (picture(3), "cloth")))
    assert [item["role"] for item in answer["references"]] == ["identity", "identity", "outfit"]


async def test_what_it_does_not_say_has_a_value(client: Client) -> None:
    data = char_file(char_id="../x", name="", description=" ", modified_at=10**15, text={})
    status, answer = await bring(client, data)
    assert (status, answer["name"], answer["description"]) == (200, "character", "character"), answer
    # The id follows from the contents.
    assert (await bring(client, data))[1]["outcome"] == "unchanged"
    assert answer["character_id"] != ID


async def test_a_file_that_went_another_way_needs_a_choice(client: Client) -> None:
    await bring(client, char_file((picture(1), "face")))
    changed = char_file((picture(1), "face"), description="A knight of the south.")
    status, answer = await bring(client, changed)
    assert (status, answer["code"]) == (409, "character_differs")
    status, answer = await bring(client, changed, "&replace=true")
    assert (status, answer["outcome"], answer["version"]) == (200, "replaced", 2)
    assert answer["description"] == "A knight of the south."


SIZE = {"width": 1, "height": 1}
LARGE = b"\x89PNG" + bytes(range(256)) * 300
#: What is wrong -> (the file, what the refusal says).
HOSTILE: dict[str, tuple[bytes, str]] = {
    "no archive": (b"PK\x03\x04" * 20, "zip archive"),
    "another format": (char_file(magic="X"), "omnichar-sdk cannot read it as an OmniChar file"),
    "no picture": (char_file((picture(1), "face"), (b"no picture", "face")), "PNG"),
    "a picture that is missing": (char_file(refs=[{"path": "refs/7.png", **SIZE}]), "missing"),
    "a picture elsewhere": (char_file(refs=[{"path": "../../a.png", **SIZE}]), "missing"),
    "a picture that is too large": (char_file((LARGE, "face")), "MAX_FILE_SIZE"),
    "a long description": (char_file(description=bytes(range(256)) * 5000), "text/description.md"),
    "a bomb": (char_file(description=b"\0" * 5_000_000), "claims"),
    "references that are none": (char_file(refs=[1]), "cannot read"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_is_not_right_is_refused(name: str, tmp_path: Any, aiohttp_client: Any) -> None:
    data, said = HOSTILE[name]
    async with product(tmp_path, settings=Settings(max_file_size=64 * 1024)) as forge:
        client = await aiohttp_client(application(forge.services))
        status, answer = await bring(client, data)
        assert (status, answer["code"]) == (400, "invalid_character_file"), answer
        assert said in answer["detail"], answer
        assert str(forge.blobs.folder) not in answer["detail"]
        assert (await send(client, "GET", "/files"))[1]["total"] == 0
        assert (await send(client, "GET", "/characters"))[1]["total"] == 0


async def test_without_its_package_the_refusal_names_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, omnichar.MODULE, None)  # as if it were not installed
    status, answer = await bring(client, char_file())
    assert (status, answer["code"]) == (503, "omnichar_missing")
    assert "avatarforge[omnichar]" in answer["detail"]
