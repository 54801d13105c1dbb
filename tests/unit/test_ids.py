"""Ids in capitals, where nodes of a graph name them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from pictures import picture
from queueing import recorder, submit
from services import Product, product

from avatarforge.forge.errors import NotFoundError
from avatarforge.forge.ids import canonical_id, is_id
from avatarforge.forge.spec.outputs import OUTPUT_NAME

ID = "b1c29540-8712-4faf-8d5c-9ed86409ddce"
WIDE = "\uff41" + ID[1:]  # a letter of another alphabet that looks like an a
NO_IDS = ["", "x", ID[:-1], f"{ID}0", ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}", f"{ID}\n", WIDE]


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("text", [ID, ID.upper(), ID.title()])
def test_a_uuid_has_one_form(text: str) -> None:
    assert (is_id(text), canonical_id(text)) == (True, ID)


@pytest.mark.parametrize("text", NO_IDS)
def test_anything_else_stays_as_it_is(text: str) -> None:
    assert not is_id(text)
    assert (canonical_id(text), canonical_id(text.upper())) == (text, text.upper())


async def test_nodes_find_a_file_by_its_id_in_capitals(forge: Product) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield picture()

    stored = (await forge.files.receive(content(), "a.png")).file
    record, path = await asyncio.to_thread(forge.files.locate, stored.id.upper())
    assert (record.id, path) == (stored.id, forge.files.path(stored))
    with pytest.raises(NotFoundError):
        await asyncio.to_thread(forge.files.locate, str(uuid.uuid4()).upper())


async def test_a_skeleton_is_kept_with_a_hash_in_capitals(forge: Product) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield picture(1)

    photo = (await forge.files.receive(content(), "a.png")).file
    keep = partial(forge.files.keep_skeleton, extractor="dwpose", bones="standard", png=picture(2))
    kept = await keep(photo.content_hash.upper())
    assert kept is not None
    assert await forge.files.extracted_pose(photo.content_hash) == kept


async def test_nodes_find_a_generation_by_its_id_in_capitals(forge: Product) -> None:
    saving = recorder(forge)
    record = await submit(forge)
    # Its own prompt, whose graph names it in capitals: it saves to its own folder.
    assert await asyncio.to_thread(saving.claim, record.id.upper(), record.prompt_id) == record.id
    forge.host.succeed(record.prompt_id)
    await forge.until(record.id, "completed")
    for written in (record.id, record.id.upper()):
        path = await asyncio.to_thread(saving.picture, written, 0)
        assert path.parent.name == record.id
        fingerprint = await asyncio.to_thread(saving.fingerprint, written, 0, record.prompt_id)
        assert fingerprint == f"{path.name} {path.stat().st_mtime_ns}"


async def test_a_graph_queued_by_hand_under_an_id_in_capitals_is_one_generation(forge: Product) -> None:
    saving = recorder(forge)
    prompt_id = str(uuid.uuid4()).upper()
    claimed = await asyncio.to_thread(saving.claim, "", prompt_id)
    assert claimed == prompt_id.lower()
    folder = forge.host.output_folder / claimed
    folder.mkdir(parents=True)
    for position in (0, 1):
        (folder / OUTPUT_NAME.format(position + 1)).write_bytes(picture(position))
        assert await asyncio.to_thread(saving.claim, "", prompt_id) == claimed
        await asyncio.to_thread(saving.saved, claimed, prompt_id, "{}", position)
    assert len((await forge.generations.get(claimed)).outputs) == 2


async def test_the_pictures_of_a_generation_are_not_written_over_from_its_id_in_capitals(
    forge: Product,
) -> None:
    record = await submit(forge)
    claimed = await asyncio.to_thread(recorder(forge).claim, "", record.prompt_id.upper())
    assert claimed != record.id
    assert is_id(claimed)
