"""A delete whose bytes the system will not let go of: done for every client, and told by the check."""

from __future__ import annotations

from held_files import SharingViolation, held
from services import Product

from avatarforge.routes import PREFIX

from .conftest import Client, generate, upload


async def leftovers(client: Client, repair: str = "false") -> list[str | None]:
    answer = await client.post(f"{PREFIX}/maintenance/verify?repair={repair}")
    assert answer.status == 200
    report = await answer.json()
    assert {problem["kind"] for problem in report["problems"]} <= {"leftover"}
    return [problem["repaired"] for problem in report["problems"]]


async def test_a_deleted_picture_that_is_held_is_out_of_reach(client: Client, forge: Product) -> None:
    made = await generate(client)
    forge.host.succeed(made["generation_id"])
    done = await forge.until(made["generation_id"], "completed")
    picture = f"{PREFIX}/outputs/{done.id}/{done.outputs[0].filename}"
    assert (await client.get(picture)).status == 200
    with held(lambda name: name == done.outputs[0].filename, SharingViolation(32)):
        answer = await client.delete(f"{PREFIX}/generations/{done.id}")
        assert (answer.status, (await answer.json())["deleted"]) == (200, True)
        assert forge.outputs.file(done.id, 0).exists()
        for url in (picture, f"{PREFIX}/generations/{done.id}"):
            assert (await client.get(url)).status == 404
        assert await leftovers(client) == [None]
        assert await leftovers(client, "true") == [None]
    assert None not in await leftovers(client, "true")
    assert await leftovers(client) == []
    assert not forge.outputs.folder_of(done.id).exists()


async def test_a_deleted_file_that_is_held_is_out_of_reach(client: Client, forge: Product) -> None:
    file = await upload(client)
    path = forge.files.path(await forge.files.get(file["file_id"]))
    with held(lambda name: name == path.name, SharingViolation(32)):
        answer = await client.delete(f"{PREFIX}/files/{file['file_id']}")
        assert answer.status == 200
        assert path.exists()
        for url in (file["url"], f"{PREFIX}/files/{file['file_id']}/thumbnail"):
            assert (await client.get(url)).status == 404
        assert await leftovers(client) == [None]
    assert None not in await leftovers(client, "true")
    assert not path.exists()
