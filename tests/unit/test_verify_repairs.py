"""The check of the store: each kind of damage is found, repaired, and not found again."""

from __future__ import annotations

import pytest
from damages import (
    DAMAGES,
    Damage,
    Store,
    alter,
    break_picture,
    change_picture,
    dangle_input,
    leave_noted_bytes,
    lose_free,
    lose_row,
    lose_used,
    put_liar,
    receive,
)
from pictures import picture

from avatarforge.db.tables import generation_inputs
from avatarforge.forge.errors import NotFoundError
from avatarforge.forge.maintenance.report import KINDS
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.forge.store.blobs import hash_file


def test_every_kind_but_a_damaged_database_is_tried() -> None:
    assert {kind for _, kind in DAMAGES} == set(KINDS) - {"database"}


@pytest.mark.parametrize(("damage", "kind"), DAMAGES)
async def test_damage_is_found_repaired_and_not_found_again(store: Store, damage: Damage, kind: str) -> None:
    await damage(store)
    found = await store.forge.verifier.run(repair=False)
    assert {name: count for name, count in found.counts.items() if count} == {kind: 1}
    assert [(problem.kind, problem.repaired) for problem in found.problems] == [(kind, None)]
    assert str(store.forge.blobs.folder) not in found.problems[0].detail
    looked_only = await store.forge.verifier.run(repair=False)
    assert looked_only.counts == found.counts

    repaired = await store.forge.verifier.run(repair=True)
    assert repaired.counts == found.counts
    assert all(problem.repaired for problem in repaired.problems)
    again = await store.forge.verifier.run(repair=False)
    assert again.clean, again.problems


@pytest.mark.parametrize("damage", [lose_used, alter])
async def test_a_lost_file_is_hidden_until_its_content_is_uploaded_again(
    store: Store, damage: Damage
) -> None:
    forge, used = store.forge, store.used
    await damage(store)
    await forge.verifier.run(repair=True)
    assert (await forge.verifier.run(repair=False)).lost_files == 1
    for refused in (
        forge.files.get(used.id),
        forge.generations.submit(AvatarRequest("x", reference_file_id=used.id), "avatar", ("front",)),
    ):
        with pytest.raises(NotFoundError, match="Upload it again"):
            await refused
    assert await forge.files.find(used.content_hash) is None
    assert used.id not in [item.file.id for item in (await forge.files.page(limit=9, cursor=None)).files]

    back = await receive(forge, 2)
    assert (back.file.id, back.is_duplicate) == (used.id, True)
    assert hash_file(forge.files.locate(used.id)[1])[0] == used.content_hash
    report = await forge.verifier.run(repair=False)
    assert (report.clean, report.lost_files) == (True, 0)


async def test_altered_bytes_are_kept_in_quarantine(store: Store) -> None:
    await alter(store)
    altered = store.blob(store.used).read_bytes()
    await store.forge.verifier.run(repair=True)
    assert store.quarantined() == [altered]
    assert not store.blob(store.used).exists()


async def test_a_lost_file_can_be_deleted(store: Store) -> None:
    await lose_free(store)
    await store.forge.verifier.run(repair=True)
    assert (await store.forge.files.delete(store.free.id, force=False)).how == "hard"
    report = await store.forge.verifier.run(repair=False)
    assert (report.clean, report.lost_files) == (True, 0)


async def test_a_picture_without_a_row_is_taken_back(store: Store) -> None:
    await lose_row(store)
    (problem,) = (await store.forge.verifier.run(repair=True)).problems
    assert problem.file_id is not None
    back = await store.forge.files.get(problem.file_id)
    assert (back.content_hash, back.size, back.width) == (store.free.content_hash, store.free.size, 64)
    assert (await receive(store.forge, 1)).file.id == back.id


async def test_what_is_no_picture_of_the_store_is_kept_in_quarantine(store: Store) -> None:
    await put_liar(store)
    await store.forge.verifier.run(repair=True)
    assert store.quarantined() == [picture(3)]


async def test_bytes_that_were_being_deleted_are_not_taken_back(store: Store) -> None:
    await leave_noted_bytes(store)
    await store.forge.verifier.run(repair=True)
    assert not store.blob(store.free).exists()
    assert await store.forge.files.find(store.free.content_hash) is None


async def test_a_changed_picture_is_taken_as_it_is_and_a_broken_one_is_lost(store: Store) -> None:
    await change_picture(store)
    await store.forge.verifier.run(repair=True)
    (taken,) = (await store.forge.generations.get(store.made.id)).outputs
    assert (taken.content_hash, taken.size) == hash_file(store.picture)
    await break_picture(store)
    await store.forge.verifier.run(repair=True)
    assert store.quarantined() == [b"no picture"]
    assert (await store.forge.verifier.run(repair=False)).lost_outputs == 1


async def test_references_are_the_rows_after_a_repair(store: Store) -> None:
    await dangle_input(store)
    await store.forge.verifier.run(repair=True)
    left = await store.forge.database.read(
        lambda connection: connection.execute(generation_inputs.select()).all()
    )
    assert left == []
