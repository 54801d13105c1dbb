"""OmniChar files over HTTP. A stand-in takes the place of the package that reads them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from pictures import picture

from avatarforge.forge.export.omnichar import MODULE

from .conftest import Client
from .templates import send

ZIP = {"Content-Type": "application/zip"}
IMPORT = "/characters/import?format=omnichar"


@dataclass
class Read:
    """What the stand-in finds in every file."""

    name: str = "Mira\x00"
    description: str | None = "A knight of the north."
    prompt: str | None = "a woman, steel armour"
    references: list[bytes] = field(default_factory=lambda: [picture(1), picture(1), picture(2, kind="JPEG")])
    loras: list[str] = field(default_factory=lambda: ["mira.safetensors"])


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Read:
    read = Read()

    def load(path: Path) -> Read:
        if Path(path).read_bytes() == b"damaged":
            raise KeyError("manifest")
        return read

    monkeypatch.setitem(sys.modules, MODULE, SimpleNamespace(load=load))
    return read


async def test_a_file_becomes_a_character_and_the_same_one_again(client: Client, found: Read) -> None:
    status, answer = await send(client, "POST", IMPORT, data=b"char", headers=ZIP)
    assert status == 200, answer
    assert (answer["outcome"], answer["name"], answer["description"]) == ("created", "Mira", found.prompt)
    assert [item["role"] for item in answer["references"]] == ["identity"] * 2
    assert (answer["files_added"], answer["missing"]) == (2, [{"kind": "lora", "name": "mira.safetensors"}])
    status, again = await send(client, "POST", IMPORT, data=b"char", headers=ZIP)
    assert (status, again["outcome"], again["character_id"]) == (200, "unchanged", answer["character_id"])


async def test_what_cannot_be_read_or_stored_is_refused(client: Client, found: Read) -> None:
    status, answer = await send(client, "POST", IMPORT, data=b"damaged", headers=ZIP)
    assert (status, answer["code"]) == (400, "invalid_character_file")
    found.references = [picture(3), b"no picture"]
    status, answer = await send(client, "POST", IMPORT, data=b"char", headers=ZIP)
    assert (status, answer["code"]) == (400, "invalid_character_file")
    assert (await send(client, "GET", "/files"))[1]["total"] == 0
    assert (await send(client, "GET", "/characters"))[1]["total"] == 0


async def test_without_its_package_the_refusal_names_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, MODULE, None)  # as if it were not installed
    status, answer = await send(client, "POST", IMPORT, data=b"char", headers=ZIP)
    assert (status, answer["code"]) == (503, "omnichar_missing")
    assert "avatarforge[omnichar]" in answer["detail"]
