"""Takes: what a re-roll has replaced is kept, can be chosen again, and goes only when it is deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from queueing import outputs, submit
from services import Product, product

from avatarforge.db.engine import Database, open_database
from avatarforge.db.records import GenerationRecord
from avatarforge.forge import offline
from avatarforge.forge.errors import ConflictError, NotFoundError, UnprocessableError
from avatarforge.forge.generations import rerolls
from avatarforge.forge.generations.outputs import OutputFolder, take_entry, take_of_entry
from avatarforge.forge.maintenance import backup
from avatarforge.forge.ports import PromptEvent
from avatarforge.forge.spec.avatar import AvatarSpec
from avatarforge.forge.spec.outputs import output_name
from avatarforge.forge.spec.receipt import AppliedInput, Receipt
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.forge.spec.reroll import Reroll

SPEC = (Path(__file__).resolve().parents[1] / "data" / "specs" / "0.1.0.json").read_text(encoding="utf-8")


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        yield opened


async def completed(forge: Product, kind: str = "all_poses") -> GenerationRecord:
    record = await submit(forge, kind)
    forge.host.succeed(record.prompt_id)
    return await forge.until(record.id, "completed")


async def rerolled(forge: Product, generation_id: str, *seeds: int, view: str = "back") -> GenerationRecord:
    for seed in seeds:
        again = await forge.generations.reroll(generation_id, view, seed)
        forge.host.succeed(again.prompt_id)
        record = await forge.until(generation_id, "completed")
    return record


async def numbers(
    forge: Product, generation_id: str, picture: str = "back"
) -> list[tuple[int, bool, int | None]]:
    """(number, whether it is current, seed) of each take."""
    listed = await forge.takes.list(generation_id, picture)
    return [(take.picture.take, take.is_current, take.seed) for take in listed.takes]


def bytes_of(forge: Product, record: GenerationRecord) -> list[bytes]:
    return [outputs(forge).file_of(output).read_bytes() for output in record.outputs]


# Kept and chosen


async def test_a_reroll_keeps_the_picture_that_it_replaces(forge: Product) -> None:
    done = await completed(forge)
    before = bytes_of(forge, done)
    after = await rerolled(forge, done.id, 3)
    now = bytes_of(forge, after)
    assert [a == b for a, b in zip(before, now, strict=True)] == [True, False, True, True]
    assert await numbers(forge, done.id) == [(1, False, 5), (2, True, 3)]
    assert (after.outputs[1].take, after.outputs[1].takes) == (2, 2)
    assert {(output.take, output.takes) for output in after.outputs if output.view != "back"} == {(1, 1)}
    kept, _ = (await forge.takes.list(done.id, "back")).takes
    assert outputs(forge).file_of(kept.picture).read_bytes() == before[1]


async def test_another_take_is_chosen_with_its_seed_and_comes_back_as_it_was(forge: Product) -> None:
    done = await completed(forge)
    after = await rerolled(forge, done.id, 3)
    chosen = await forge.takes.choose(done.id, "back", 1)
    assert bytes_of(forge, chosen) == bytes_of(forge, done)
    assert [chosen.spec.seed_at(position) for position in range(4)] == [5, 5, 5, 5]
    assert (chosen.status, chosen.completed_at) == (after.status, after.completed_at)
    assert await numbers(forge, done.id) == [(1, True, 5), (2, False, 3)]
    assert await forge.takes.choose(done.id, "back", 1) == chosen  # it is that already
    again = await forge.takes.choose(done.id, "back", 2)
    assert (again.outputs, again.spec.seed_at(1)) == (after.outputs, 3)


async def test_the_receipt_has_the_lines_of_the_current_take(forge: Product) -> None:
    done = await completed(forge)
    after = await rerolled(forge, done.id, 3)

    def prompts(record: GenerationRecord) -> set[str]:
        return {line.prompt_id for line in record.receipt.inputs if line.view == "back"}

    assert (prompts(done), prompts(after)) == ({done.prompt_id}, {after.prompt_id})
    chosen = await forge.takes.choose(done.id, "back", 1)
    assert prompts(chosen) == {done.prompt_id}
    assert sorted(map(repr, chosen.receipt.inputs)) == sorted(map(repr, done.receipt.inputs))
    first, second = (await forge.takes.list(done.id, "back")).takes
    assert [{line.prompt_id for line in take.inputs} for take in (first, second)] == [
        {done.prompt_id},
        {after.prompt_id},
    ]


async def test_the_newest_take_is_current_whatever_was_chosen_before(forge: Product) -> None:
    done = await completed(forge)
    await rerolled(forge, done.id, 3)
    await forge.takes.choose(done.id, "back", 1)
    await rerolled(forge, done.id, 4)
    assert await numbers(forge, done.id) == [(1, False, 5), (2, False, 3), (3, True, 4)]


async def test_a_choice_during_a_reroll_of_another_picture_stays(forge: Product) -> None:
    """The end of a re-roll goes by the row as it is then."""
    done = await completed(forge)
    await rerolled(forge, done.id, 3)
    again = await forge.generations.reroll(done.id, "front", 8)
    forge.host.start(again.prompt_id)
    await forge.until(done.id, "processing")
    chosen = await forge.takes.choose(done.id, "back", 1)
    assert (chosen.status, chosen.outputs[1]) == (
        "processing",
        (await forge.takes.list(done.id, "back")).takes[0].picture,
    )
    forge.host.save(again.prompt_id)
    forge.host.end(PromptEvent("succeeded", again.prompt_id))
    after = await forge.until(done.id, "completed")
    assert [after.spec.seed_at(position) for position in range(4)] == [8, 5, 5, 5]
    assert [output.take for output in after.outputs] == [2, 1, 1, 1]


async def test_a_failed_reroll_keeps_a_choice_that_was_made_meanwhile(forge: Product) -> None:
    done = await completed(forge)
    await rerolled(forge, done.id, 3)
    again = await forge.generations.reroll(done.id, "back", 8)
    forge.host.start(again.prompt_id)
    await forge.until(done.id, "processing")
    await forge.takes.choose(done.id, "back", 1)
    forge.host.end(PromptEvent("failed", again.prompt_id, "no"))
    after = await forge.until(done.id, "completed")
    assert await numbers(forge, done.id) == [(1, True, 5), (2, False, 3)]
    assert [warning.code for warning in after.receipt.warnings] == ["reroll_failed"]
    assert {line.prompt_id for line in after.receipt.inputs if line.view == "back"} == {done.prompt_id}


async def test_the_takes_of_numbered_pictures_are_apart(forge: Product) -> None:
    request = AvatarRequest(prompt="a knight", seed=5, count=2)
    record = await forge.generations.submit(request, "pose", ("front",))
    forge.host.succeed(record.prompt_id)
    await forge.until(record.id, "completed")
    again = await forge.generations.reroll(record.id, None, 9, position=2)
    forge.host.succeed(again.prompt_id)
    await forge.until(record.id, "completed")
    assert await numbers(forge, record.id, "1") == [(1, True, 5)]
    assert await numbers(forge, record.id, "2") == [(1, False, 6), (2, True, 9)]
    with pytest.raises(UnprocessableError, match="one of 1, 2"):
        await forge.takes.list(record.id, "front")
    chosen = await forge.takes.choose(record.id, "2", 1)
    assert [chosen.spec.seed_at(position) for position in (0, 1)] == [5, 6]


@pytest.mark.parametrize("picture", ["side view", "0", "5", "01", "-1", "\u0662", "", "back/..", "9" * 400])
async def test_a_picture_that_is_not_there_has_no_takes(forge: Product, picture: str) -> None:
    done = await completed(forge)
    with pytest.raises(NotFoundError) as refused:
        await forge.takes.list(done.id, picture)
    assert refused.value.code == "output_not_found"


async def test_the_front_that_a_reroll_looks_at_is_the_current_take(forge: Product) -> None:
    done = await completed(forge)
    await rerolled(forge, done.id, 3, view="front")
    look = partial(forge.recorder.picture, done.id, 0)
    assert (await asyncio.to_thread(look)).name == output_name(0, 2)
    await forge.takes.choose(done.id, "front", 1)
    assert (await asyncio.to_thread(look)).name == output_name(0)


async def test_each_reroll_writes_a_file_of_its_own(forge: Product) -> None:
    """ComfyUI must not remember the save node of an earlier re-roll with the same seed."""
    done = await completed(forge)
    seen = []
    for _ in range(3):
        again = await forge.generations.reroll(done.id, "back", 3)
        fingerprint = partial(forge.recorder.fingerprint, done.id, 1, again.prompt_id)
        seen.append(await asyncio.to_thread(fingerprint))
        forge.host.succeed(again.prompt_id)
        await forge.until(done.id, "completed")
    assert seen == [output_name(1, take) for take in (2, 3, 4)]


async def test_what_was_copied_from_a_take_stays_that_take(forge: Product) -> None:
    done = await completed(forge)
    saved = await forge.character_maker.make(done.id, {"name": "Mira"})
    file_id = saved.content.references[0].file_id
    before = (await forge.files.get(file_id)).content_hash
    assert before == done.outputs[0].content_hash
    after = await rerolled(forge, done.id, 3, view="front")
    await forge.takes.choose(done.id, "front", 1)
    await forge.takes.choose(done.id, "front", 2)
    await forge.takes.delete(done.id, "front", 1)
    assert after.outputs[0].content_hash != before
    assert (await forge.files.get(file_id)).content_hash == before
    assert forge.files.path(await forge.files.get(file_id)).exists()


# Deleted


async def test_a_deleted_take_goes_with_its_file_and_its_number_is_not_used_again(forge: Product) -> None:
    done = await completed(forge)
    after = await rerolled(forge, done.id, 3, 4)
    files = [outputs(forge).file(done.id, 1, take) for take in (1, 2, 3)]
    await forge.takes.choose(done.id, "back", 1)
    await forge.takes.delete(done.id, "back", 3)
    assert [file.exists() for file in files] == [True, True, False]
    left = await forge.generations.get(done.id)
    assert (left.outputs[1].take, left.outputs[1].takes) == (1, 2)
    assert list((forge.blobs.incoming).iterdir()) == []
    await rerolled(forge, done.id, 6)
    assert await numbers(forge, done.id) == [(1, False, 5), (2, False, 3), (4, True, 6)]
    assert after.outputs[1].take == 3


async def test_the_current_take_and_one_that_is_not_there_cannot_be_deleted(forge: Product) -> None:
    done = await completed(forge)
    await rerolled(forge, done.id, 3)
    with pytest.raises(ConflictError) as refused:
        await forge.takes.delete(done.id, "back", 2)
    assert refused.value.code == "take_is_current"
    for act in (forge.takes.delete, forge.takes.choose):
        with pytest.raises(NotFoundError) as missing:
            await act(done.id, "back", 7)
        assert missing.value.code == "take_not_found"
        with pytest.raises(NotFoundError):
            await act("nope", "back", 1)
    assert await numbers(forge, done.id) == [(1, False, 5), (2, True, 3)]


async def test_all_takes_go_with_their_generation(forge: Product) -> None:
    done = await completed(forge)
    await rerolled(forge, done.id, 3)
    await forge.generations.delete(done.id, keep_outputs=False)
    assert not outputs(forge).folder_of(done.id).exists()
    counted = "SELECT count(*) FROM takes"
    rows = await forge.database.read(lambda connection: connection.exec_driver_sql(counted).scalar_one())
    assert rows == 0


async def test_a_take_that_was_being_deleted_goes_at_the_next_start(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        done = await completed(forge)
        await rerolled(forge, done.id, 3)
        # A crash before the commit of the one, and after the commit of the other: its row is gone.
        gone = outputs(forge).file(done.id, 1, 9)
        gone.write_bytes(b"of a deleted take")
        for take in (1, 2, 9):
            forge.blobs.journal.add(take_entry(done.id, 1, take))
    async with product(tmp_path, forge.host) as forge:
        assert not gone.exists()
        assert all(outputs(forge).file(done.id, 1, take).exists() for take in (1, 2))
        assert list(forge.blobs.incoming.iterdir()) == []


def test_an_entry_names_one_take() -> None:
    generation_id = "11111111-1111-4111-8111-111111111111"
    assert take_of_entry(take_entry(generation_id, 63, 12)) == (generation_id, 63, 12)
    others = ("x.outputs", "x.take", "x.take1", "x.take1x", "x.take1x2x3", "x.takeax2", f"{'0' * 64}.png")
    assert {take_of_entry(other) for other in others} == {None}


# Checked and copied


async def test_the_check_finds_and_repairs_takes_that_are_not_current(forge: Product) -> None:
    done = await completed(forge)
    await rerolled(forge, done.id, 3)
    report = await forge.verifier.run(repair=False)
    assert (report.clean, report.outputs) == (True, 5)
    file = outputs(forge).file(done.id, 1, 1)
    content = file.read_bytes()
    file.unlink()
    report = await forge.verifier.run(repair=True)
    (problem,) = report.problems
    assert (problem.kind, problem.repaired) == ("output_missing", "marked lost")
    with pytest.raises(NotFoundError) as lost:
        await forge.takes.choose(done.id, "back", 1)
    assert lost.value.code == "file_lost"
    file.write_bytes(content)
    await forge.verifier.run(repair=True)
    assert (await forge.takes.choose(done.id, "back", 1)).outputs[1].lost_at is None
    # The one that is not current now was altered by somebody.
    outputs(forge).file(done.id, 1, 2).write_bytes(content)
    (problem,) = (await forge.verifier.run(repair=True)).problems
    assert (problem.kind, "Take 2 of picture 2" in problem.detail) == ("output_altered", True)
    assert await numbers(forge, done.id) == [(1, True, 5), (2, False, 3)]
    assert (await forge.verifier.run(repair=False)).clean


async def test_a_backup_has_all_takes(tmp_path: Path) -> None:
    source, target = tmp_path / "live", tmp_path / "copy"
    async with product(source) as forge:
        done = await completed(forge)
        await rerolled(forge, done.id, 3)
        copied, report = await asyncio.to_thread(offline.backup, source, forge.host.output_folder, target)
        assert (copied.outputs, copied.lost, copied.deleted, report.clean) == (5, 0, 0, True)
        copy = OutputFolder(target / "output")
        for take in (1, 2):
            content = outputs(forge).file(done.id, 1, take).read_bytes()
            assert copy.file(done.id, 1, take).read_bytes() == content


async def test_a_take_that_is_deleted_while_it_is_copied_is_not_in_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the database was copied and before the pictures are."""
    source, target = tmp_path / "live", tmp_path / "copy"
    async with product(source) as forge:
        done = await completed(forge)
        await rerolled(forge, done.id, 3)
        loop = asyncio.get_running_loop()

        def delete_first(url_text: str, folder: Path) -> Database:
            deleting = forge.takes.delete(done.id, "back", 1)
            asyncio.run_coroutine_threadsafe(deleting, loop).result()
            return open_database(url_text, folder)

        monkeypatch.setattr(backup, "open_database", delete_first)  # it opens the copy that was just made
        copied, report = await asyncio.to_thread(offline.backup, source, forge.host.output_folder, target)
    assert (copied.outputs, copied.lost, copied.deleted, report.clean) == (4, 0, 1, True)


# Waiting re-rolls


async def test_several_rerolls_are_queued_and_run_one_after_another(forge: Product) -> None:
    done = await completed(forge)
    first = await forge.generations.reroll(done.id, "back", 3)
    await forge.generations.reroll(done.id, "back", 4)
    third = await forge.generations.reroll(done.id, "side", 6)
    assert third.prompt_id == first.prompt_id
    assert [(wanted.position, wanted.seed) for wanted in third.waiting_rerolls] == [(1, 4), (2, 6)]
    assert forge.host.queued == [first.prompt_id]
    for count in (3, 4):
        forge.host.succeed(forge.host.queued[0])
        while len(forge.host.submitted) < count:
            await forge.generations.get(done.id)  # each read lets other tasks run
    forge.host.succeed(forge.host.queued[0])
    while (after := await forge.generations.get(done.id)).status != "completed" or after.is_rerolling:
        pass
    assert await numbers(forge, done.id) == [(1, False, 5), (2, False, 3), (3, True, 4)]
    assert await numbers(forge, done.id, "side") == [(1, False, 5), (2, True, 6)]
    assert after.receipt.warnings == ()


async def test_rerolls_that_are_sent_at_once_all_run(forge: Product) -> None:
    done = await completed(forge)
    await asyncio.gather(*(forge.generations.reroll(done.id, "back", seed) for seed in range(10, 14)))
    for count in range(2, 6):
        while len(forge.host.submitted) < count:
            await forge.generations.get(done.id)
        forge.host.succeed(forge.host.queued[0])
    while (await forge.generations.get(done.id)).outputs[1].takes < 5:
        pass
    made = [seed for _, _, seed in await numbers(forge, done.id)]
    assert (made[0], sorted(seed for seed in made[1:] if seed)) == (5, [10, 11, 12, 13])


async def test_waiting_rerolls_survive_a_restart(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        done = await completed(forge)
        first = await forge.generations.reroll(done.id, "back", 3)
        forge.host.start(first.prompt_id)
        await forge.until(done.id, "processing")
        await forge.generations.reroll(done.id, "side", 2**64 - 1)
    # ComfyUI was killed: its queue is gone.
    forge.host.running.clear()
    async with product(tmp_path, forge.host) as forge:
        while first.prompt_id not in forge.host.queued:
            await forge.generations.get(done.id)
        forge.host.succeed(first.prompt_id)
        while not forge.host.queued:
            await forge.generations.get(done.id)
        forge.host.succeed(forge.host.queued[0])
        while (await forge.generations.get(done.id)).is_rerolling:
            pass
        assert await numbers(forge, done.id) == [(1, False, 5), (2, True, 3)]
        assert await numbers(forge, done.id, "side") == [(1, False, 5), (2, True, 2**64 - 1)]


async def test_a_reroll_that_waits_alone_begins_after_a_restart(tmp_path: Path) -> None:
    """As after a crash between the end of one and the beginning of the next."""
    async with product(tmp_path) as forge:
        done = await completed(forge)
    database = open_database("", tmp_path)
    database.write_here(
        lambda connection: connection.exec_driver_sql("UPDATE generations SET waiting_rerolls = '[[1, 7]]'")
    )
    database.close()
    async with product(tmp_path, forge.host) as forge:
        while not forge.host.queued:
            await forge.generations.get(done.id)
        forge.host.succeed(forge.host.queued[0])
        while (await forge.generations.get(done.id)).is_rerolling:
            pass
        assert await numbers(forge, done.id) == [(1, False, 5), (2, True, 7)]


async def test_a_cancel_stops_the_running_one_and_those_that_wait(forge: Product) -> None:
    done = await completed(forge)
    first = await forge.generations.reroll(done.id, "back", 3)
    await forge.generations.reroll(done.id, "side", 4)
    forge.host.start(first.prompt_id)
    await forge.until(done.id, "processing")
    cancelled = await forge.generations.cancel(done.id)
    assert (cancelled.status, cancelled.is_rerolling, cancelled.outputs) == ("completed", False, done.outputs)
    assert forge.host.submitted == [done.prompt_id, first.prompt_id]
    with pytest.raises(ConflictError):
        await forge.generations.cancel(done.id)


async def test_one_that_cannot_begin_says_why_and_the_next_one_has_its_turn(forge: Product) -> None:
    done = await completed(forge)
    first = await forge.generations.reroll(done.id, "back", 3)
    await forge.generations.reroll(done.id, "back", 4)
    check = forge.host.check
    refused: list[str] = []

    async def refuse_once(prompt_id: str, prompt: object) -> object:
        if not refused:
            refused.append(prompt_id)
            forge.host.refusal = "A node is gone."
        try:
            return await check(prompt_id, prompt)  # type: ignore[arg-type]
        finally:
            forge.host.refusal = None

    await forge.generations.reroll(done.id, "side", 6)
    forge.host.check = refuse_once  # type: ignore[assignment,method-assign]
    forge.host.succeed(first.prompt_id)
    while len(forge.host.submitted) < 3:
        await forge.generations.get(done.id)
    forge.host.succeed(forge.host.queued[0])
    while (after := await forge.generations.get(done.id)).is_rerolling:
        pass
    assert await numbers(forge, done.id) == [(1, False, 5), (2, True, 3)]
    assert await numbers(forge, done.id, "side") == [(1, False, 5), (2, True, 6)]
    (warning,) = after.receipt.warnings
    assert (warning.code, "A node is gone." in warning.detail) == ("reroll_failed", True)


async def test_the_first_run_is_not_waited_for(forge: Product) -> None:
    record = await submit(forge)
    with pytest.raises(ConflictError) as refused:
        await forge.generations.reroll(record.id, "front", 3)
    assert refused.value.code == "generation_not_completed"


async def test_both_numbers_have_a_limit(forge: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    done = await completed(forge)
    monkeypatch.setattr(rerolls, "MOST_WAITING_REROLLS", 2)
    for view in ("back", "side", "front"):
        await forge.generations.reroll(done.id, view, 3)
    with pytest.raises(ConflictError) as refused:
        await forge.generations.reroll(done.id, "quarter", 3)
    assert (refused.value.code, refused.value.parameters) == ("too_many_rerolls", {"limit": 2})
    # The one that runs counts, and so do those that wait.
    monkeypatch.setattr(rerolls, "MOST_WAITING_REROLLS", 9)
    monkeypatch.setattr(rerolls, "MOST_TAKES", 2)
    for view in ("back", "side"):
        with pytest.raises(ConflictError) as refused:
            await forge.generations.reroll(done.id, view, 3)
        assert (refused.value.code, refused.value.parameters) == ("too_many_takes", {"limit": 2})
    assert (await forge.generations.reroll(done.id, "quarter", 3)).is_rerolling


# Stored forms


def test_a_reroll_of_a_release_without_takes_makes_the_second_one() -> None:
    stored = '{"position":1,"view":"back","seed":3,"inputs":[]}'
    assert Reroll.from_json(stored).take == 2


def test_what_brings_a_picture_back_undoes_what_replaced_it() -> None:
    spec = AvatarSpec.from_json(SPEC)
    view = spec.pictures[0]
    old = AppliedInput("pose", view, "photo", "a", "b", "5", "Node", "m", 1.0, 1, 2, "first")
    new = AppliedInput("pose", view, "photo", "a", "b", "5", "Node", "m", 1.0, 1, 2, "second")
    receipt = Receipt((old,))
    back = Reroll.of_current(spec, receipt, 0, 1)
    replaced = Reroll(0, view, 99, (new,), 2).apply(spec, receipt)
    assert replaced[0].seed_at(0) == 99
    again, its_receipt = Reroll.from_json(back.to_json()).apply(*replaced)
    assert (again.seed_at(0), its_receipt) == (spec.seed_at(0), receipt)
