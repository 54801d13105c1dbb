"""Pictures that are made again until they are good enough: in memory, with scores that tests write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from judging import BAD, GOOD, judge, next_prompt, run, scores, with_judge
from queueing import outputs
from services import Product, product

from avatarforge.db.engine import open_database
from avatarforge.db.records import GenerationRecord
from avatarforge.forge.errors import ConflictError
from avatarforge.forge.generations.tries import tries_of
from avatarforge.forge.ports import PromptEvent
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.forge.spec.until import Until


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        opened.host.installed = with_judge(opened.host.installed)
        yield opened


async def submit(forge: Product, kind: str = "pose", **until: Any) -> GenerationRecord:
    views = ("front", "back") if kind == "all_poses" else ("front",)
    request = AvatarRequest(prompt="a knight", seed=5, family="doll", until=Until(**until))
    return await forge.generations.submit(request, kind, views)  # type: ignore[arg-type]


async def made(forge: Product, record: GenerationRecord, position: int = 0) -> list[tuple[int, bool]]:
    """(number, whether it is current) of each take."""
    listed = await forge.takes.list(record.id, str(position + 1))
    return [(take.picture.take, take.is_current) for take in listed.takes]


async def test_a_picture_that_passes_is_the_only_one(forge: Product) -> None:
    record = await submit(forge, view="right", tries=3)
    assert record.tries_json == "{}"
    await run(forge, record.prompt_id)
    done = await forge.until(record.id, "completed")
    assert (done.outputs[0].scores, done.tries_json) == (scores(record.prompt_id, **GOOD), None)
    (tried,) = tries_of(done)
    assert (tried.tries, tried.passed, tried.take, tried.conditions) == (1, True, 1, ("view",))
    assert (done.receipt.warnings, forge.host.queued) == ((), [])


async def test_it_is_made_again_until_it_passes_and_each_take_keeps_its_scores(forge: Product) -> None:
    record = await submit(forge, view="right", pose=0.8, tries=4)
    await run(forge, record.prompt_id, p0=BAD)
    for number in (2, 3):
        prompt_id = await next_prompt(forge)
        between = await forge.generations.get(record.id)
        assert (between.status, between.reroll is not None) == ("queued", True)
        assert [(one.tries, one.passed) for one in tries_of(between)] == [(number, False)]
        await run(forge, prompt_id, p0=BAD if number == 2 else GOOD)
    done = await forge.until(record.id, "completed")
    assert await made(forge, done) == [(1, False), (2, False), (3, True)]
    (tried,) = tries_of(done)
    assert (tried.tries, tried.limit, tried.passed, tried.take) == (3, 4, True, 3)
    listed = (await forge.takes.list(record.id, "front")).takes
    values = [take.picture.scores["view"].value for take in listed if take.picture.scores]
    assert values == ["wrong", "wrong", "right"]
    assert len(set(take.seed for take in listed)) == 3


async def test_it_stops_at_the_number_of_tries_with_the_best_take(forge: Product) -> None:
    record = await submit(forge, view="right", pose=0.8, tries=3)
    await run(forge, record.prompt_id, p0={**BAD, "pose": 0.4})
    await run(forge, await next_prompt(forge), p0={**BAD, "pose": 0.7})
    await run(forge, await next_prompt(forge), p0={**BAD, "pose": 0.5})
    done = await forge.until(record.id, "completed")
    assert await made(forge, done) == [(1, False), (2, True), (3, False)]
    (tried,) = tries_of(done)
    assert (tried.tries, tried.passed, tried.take) == (3, False, 2)
    (warning,) = done.receipt.warnings
    assert (warning.code, warning.parameters) == ("until_not_reached", {"pictures": ["front"]})
    # What the spec and the receipt say is about the chosen take.
    chosen = (await forge.takes.list(record.id, "front")).takes[1]
    assert done.spec.seed_at(0) == chosen.seed
    assert forge.host.queued == []


@pytest.mark.parametrize(
    ("takes", "best"),
    [
        # A condition more counts before a better mean.
        ([{"pose": 0.79, "view": "unsure"}, {"pose": 0.0, "view": "right"}], 2),
        # Then the mean: a view that is not sure is worth half.
        ([{"pose": 0.5, "view": "wrong"}, {"pose": 0.1, "view": "unsure"}], 2),
        # Then the earliest.
        ([{"pose": 0.5, "view": "wrong"}, {"pose": 0.5, "view": "wrong"}], 1),
        # Nothing was measured of the first.
        ([{}, {"pose": 0.1, "view": "wrong"}], 2),
    ],
)
async def test_the_order_of_takes(forge: Product, takes: list[dict[str, Any]], best: int) -> None:
    record = await submit(forge, view="right", pose=0.8, tries=2)
    await run(forge, record.prompt_id, p0=takes[0])
    await run(forge, await next_prompt(forge), p0=takes[1])
    done = await forge.until(record.id, "completed")
    assert [take for take, current in await made(forge, done) if current] == [best]


async def test_each_view_of_a_sheet_has_its_own_tries(forge: Product) -> None:
    record = await submit(forge, "all_poses", view="right", palette=50, tries=2)
    # Nothing is beside the front that its colours could be compared with.
    assert [one.conditions for one in tries_of(record)] == [("view",), ("view", "palette")]
    await run(forge, record.prompt_id, p0={**GOOD, "palette": None}, p1=BAD)
    again = await next_prompt(forge)
    assert (await forge.generations.get(record.id)).reroll.position == 1  # type: ignore[union-attr]
    await run(forge, again, p1=GOOD)
    done = await forge.until(record.id, "completed")
    assert [(one.tries, one.passed) for one in tries_of(done)] == [(1, True), (2, True)]
    assert [output.take for output in done.outputs] == [1, 2]


async def test_a_try_that_fails_counts_and_the_others_go_on(forge: Product) -> None:
    record = await submit(forge, view="right", tries=3)
    await run(forge, record.prompt_id, p0=BAD)
    second = await next_prompt(forge)
    forge.host.start(second)
    forge.host.end(PromptEvent("failed", second, "out of memory"))
    while (third := await next_prompt(forge)) == second:
        pass
    await run(forge, third, p0=GOOD)
    done = await forge.until(record.id, "completed")
    assert [(one.tries, one.passed) for one in tries_of(done)] == [(3, True)]
    assert [warning.code for warning in done.receipt.warnings] == ["reroll_failed"]


async def test_a_cancel_ends_the_tries_with_what_is_there(forge: Product) -> None:
    record = await submit(forge, view="right", tries=9)
    await run(forge, record.prompt_id, p0=BAD)
    await next_prompt(forge)
    await forge.generations.cancel(record.id)
    done = await forge.until(record.id, "completed")
    assert ([one.tries for one in tries_of(done)], forge.host.queued) == ([2], [])
    assert [warning.code for warning in done.receipt.warnings] == ["reroll_failed", "until_not_reached"]


async def test_a_cancel_between_two_tries(forge: Product) -> None:
    record = await submit(forge, view="right", tries=9)
    forge.host.not_taken = lambda prompt_id: "The queue takes nothing."
    await run(forge, record.prompt_id, p0=BAD)
    while (await forge.generations.get(record.id)).next_try is None:
        pass
    between = await forge.generations.get(record.id)
    assert (between.status, between.prompt_id, between.completed_at) == ("queued", record.prompt_id, None)
    done = await forge.generations.cancel(record.id)
    assert (done.status, done.next_try, [one.tries for one in tries_of(done)]) == ("completed", None, [1])


async def test_a_generation_that_is_deleted_between_two_tries_is_gone(forge: Product) -> None:
    record = await submit(forge, view="right", tries=9)
    forge.host.not_taken = lambda prompt_id: "The queue takes nothing."
    await run(forge, record.prompt_id, p0=BAD)
    while (await forge.generations.get(record.id)).next_try is None:
        pass
    await forge.generations.delete(record.id, keep_outputs=False)
    assert not outputs(forge).folder_of(record.id).exists()
    counted = "SELECT count(*) FROM picture_scores"
    rows = await forge.database.read(lambda connection: connection.exec_driver_sql(counted).scalar_one())
    assert rows == 0


async def test_tries_survive_a_restart_in_every_state(tmp_path: Path) -> None:
    """Killed while the first prompt runs, between two tries, and while a try runs."""
    async with product(tmp_path) as forge:
        forge.host.installed = with_judge(forge.host.installed)
        record = await submit(forge, view="right", tries=3)
        forge.host.start(record.prompt_id)
        forge.host.save(record.prompt_id)
        await forge.until(record.id, "processing")
        host = forge.host
    host.running.clear()
    async with product(tmp_path, host) as forge:
        # Its picture is saved, but not judged: it runs again.
        assert await next_prompt(forge) == record.prompt_id
        host.not_taken = lambda prompt_id: "The queue takes nothing."
        await run(forge, record.prompt_id, p0=BAD)
        while (await forge.generations.get(record.id)).next_try is None:
            pass
    host.not_taken = lambda prompt_id: None
    async with product(tmp_path, host) as forge:
        second = await next_prompt(forge)
        assert second != record.prompt_id
        host.start(second)
        await forge.until(record.id, "processing")
    host.running.clear()
    async with product(tmp_path, host) as forge:
        assert await next_prompt(forge) == second
        await run(forge, second, p0=BAD)
        third = await next_prompt(forge)
        await run(forge, third, p0=BAD)
        done = await forge.until(record.id, "completed")
        assert [(one.tries, one.passed) for one in tries_of(done)] == [(3, False)]
        assert await made(forge, done) == [(1, True), (2, False), (3, False)]
        assert (host.queued, (await forge.verifier.run(repair=False)).clean) == ([], True)


async def test_a_user_can_reroll_meanwhile_and_waits_for_the_tries(forge: Product) -> None:
    record = await submit(forge, view="right", tries=2)
    with pytest.raises(ConflictError):
        await forge.generations.reroll(record.id, "front", 8)
    await run(forge, record.prompt_id, p0=BAD)
    second = await next_prompt(forge)
    waiting = await forge.generations.reroll(record.id, "front", 8)
    assert [wanted.seed for wanted in waiting.waiting_rerolls] == [8]
    await run(forge, second, p0=GOOD)
    while (own := await next_prompt(forge)) == second:
        pass
    done = await forge.generations.get(record.id)
    assert [(one.tries, one.passed) for one in tries_of(done)] == [(2, True)]
    await run(forge, own, p0=BAD)
    while (after := await forge.generations.get(record.id)).is_rerolling or after.status != "completed":
        pass
    # It is the user's: nothing follows it, and it is judged as the others are.
    assert (after.spec.seed_at(0), after.outputs[0].take, forge.host.queued) == (8, 3, [])
    assert after.outputs[0].scores == scores(own, **BAD)
    assert tries_of(after) == tries_of(done)


# Judges that fail


async def test_a_judge_that_fails_keeps_the_pictures(forge: Product) -> None:
    request = AvatarRequest(prompt="a knight", seed=5, family="doll", judge=True)
    record = await forge.generations.submit(request, "all_poses", ("front", "back"))
    host = forge.host
    host.start(record.prompt_id)
    host.save(record.prompt_id)
    await judge_first(forge, record)
    host.end(PromptEvent("failed", record.prompt_id, "DWPreprocessor (node 9): no GPU"))
    done = await forge.until(record.id, "completed")
    assert (len(done.outputs), done.error) == (2, None)
    (warning,) = done.receipt.warnings
    assert (warning.code, warning.parameters["error"]) == ("judge_failed", "DWPreprocessor (node 9): no GPU")
    first, second = (output.scores for output in done.outputs)
    assert first == scores(record.prompt_id, **GOOD)
    assert second is not None
    assert {second[name].value for name in GOOD} == {None}
    assert second["pose"].reason == "DWPreprocessor (node 9): no GPU"


async def judge_first(forge: Product, record: GenerationRecord) -> None:
    prompt = forge.host.prompts[record.prompt_id]
    for node_id, node in list(prompt.items()):
        if node["class_type"] == "AvatarForgeJudgePicture" and node["inputs"]["position"] > 1:
            del prompt[node_id]
    await judge(forge, record.prompt_id)


async def test_a_prompt_that_fails_before_all_pictures_are_saved_has_failed(forge: Product) -> None:
    request = AvatarRequest(prompt="a knight", seed=5, family="doll", judge=True)
    record = await forge.generations.submit(request, "pose", ("front",))
    forge.host.start(record.prompt_id)
    forge.host.end(PromptEvent("failed", record.prompt_id, "no"))
    failed = await forge.until(record.id, "failed")
    assert (failed.outputs, failed.receipt.warnings) == ((), ())
    # What an earlier run saved is no proof that this one did.
    again = await forge.generations.retry(record.id)
    forge.host.save(again.prompt_id)
    await forge.until(record.id, "queued")


async def test_a_judge_that_kills_comfyui_every_time_keeps_the_pictures(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        host = forge.host
        host.installed = with_judge(host.installed)
        request = AvatarRequest(prompt="a knight", seed=5, family="doll", judge=True)
        record = await forge.generations.submit(request, "pose", ("front",))
    host.queued.clear()
    for _ in range(3):
        async with product(tmp_path, host) as forge:
            prompt_id = await next_prompt(forge)
            host.start(prompt_id)
            host.pictures = 0  # the same seed makes the same bytes
            host.save(prompt_id)
            await forge.until(record.id, "processing")
            while not (await forge.generations.get(record.id)).outputs:
                pass
        host.running.clear()
    async with product(tmp_path, host) as forge:
        done = await forge.until(record.id, "completed")
        assert [warning.code for warning in done.receipt.warnings] == ["judge_failed"]
        assert done.outputs[0].scores is not None
        assert done.outputs[0].scores["clean"].value is None


# Judged later


async def completed(forge: Product, **values: Any) -> GenerationRecord:
    request = AvatarRequest(prompt="a knight", seed=5, family="doll", **values)
    record = await forge.generations.submit(request, "all_poses", ("front", "back"))
    await run(forge, record.prompt_id)
    return await forge.until(record.id, "completed")


async def test_a_judgement_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        done = await completed(forge, judge=False)
        queued = await forge.generations.judge(done.id, ["back"])
        forge.host.start(queued.prompt_id)
        await forge.until(done.id, "processing")
        host = forge.host
    host.running.clear()
    async with product(tmp_path, host) as forge:
        prompt_id = await next_prompt(forge)
        assert prompt_id == queued.prompt_id
        await run(forge, prompt_id, p1=BAD)
        after = await forge.until(done.id, "completed")
        assert [output.scores for output in after.outputs] == [None, scores(prompt_id, **BAD)]
        assert (after.judging, after.receipt.warnings) == (None, ())
        assert (after.started_at, after.completed_at) == (done.started_at, done.completed_at)


async def test_a_judgement_that_kills_comfyui_every_time_is_given_up(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        done = await completed(forge, judge=True)
        await forge.generations.judge(done.id, None)
        host = forge.host
    host.queued.clear()
    for _ in range(3):
        async with product(tmp_path, host) as forge:
            host.start(await next_prompt(forge))
            await forge.until(done.id, "processing")
        host.running.clear()
    async with product(tmp_path, host) as forge:
        after = await forge.until(done.id, "completed")
        assert [warning.code for warning in after.receipt.warnings] == ["judge_failed"]
        assert after.outputs == done.outputs


async def test_the_scores_are_those_of_the_take_that_was_judged(forge: Product) -> None:
    """Also if another one is chosen meanwhile."""
    done = await completed(forge, judge=False)
    again = await forge.generations.reroll(done.id, "back", 3)
    await run(forge, again.prompt_id)
    await forge.until(done.id, "completed")
    queued = await forge.generations.judge(done.id, ["back"])
    forge.host.start(queued.prompt_id)
    await forge.until(done.id, "processing")
    await forge.takes.choose(done.id, "back", 1)
    await judge(forge, queued.prompt_id, p1=BAD)
    forge.host.end(PromptEvent("succeeded", queued.prompt_id))
    await forge.until(done.id, "completed")
    listed = (await forge.takes.list(done.id, "back")).takes
    assert [take.picture.scores for take in listed] == [None, scores(queued.prompt_id, **BAD)]
    assert [take.is_current for take in listed] == [True, False]


async def test_a_graph_of_others_writes_no_scores(forge: Product) -> None:
    done = await completed(forge, judge=False)
    for prompt_id in ("another", "", done.id.upper()):
        write = partial(forge.recorder.judged, done.id, 0, prompt_id, scores(prompt_id, **GOOD))
        await asyncio.to_thread(write)
    assert (await forge.generations.get(done.id)).outputs[0].scores is None


async def test_a_broken_row_between_two_tries_stops_no_other(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        forge.host.installed = with_judge(forge.host.installed)
        host = forge.host
        broken, other = [await submit(forge, view="right", tries=3) for _ in range(2)]
        host.not_taken = lambda prompt_id: "The queue takes nothing."
        for record in (broken, other):
            await run(forge, record.prompt_id, p0=BAD)
            while (await forge.generations.get(record.id)).next_try is None:
                pass
    database = open_database("", tmp_path)
    text = "UPDATE generations SET next_try = '[0,' WHERE id = ?"
    database.write_here(lambda connection: connection.exec_driver_sql(text, (broken.id,)))
    database.close()
    host.not_taken = lambda prompt_id: None
    async with product(tmp_path, host) as forge:
        await run(forge, await next_prompt(forge), p0=GOOD)
        assert (await forge.until(other.id, "completed")).outputs[0].take == 2
        left = await forge.until(broken.id, "completed")
        assert (left.next_try_json, left.tries_json, left.outputs[0].take) == (None, None, 1)


async def test_a_cancel_while_pictures_are_judged_keeps_them(forge: Product) -> None:
    request = AvatarRequest(prompt="a knight", seed=5, family="doll", judge=True)
    record = await forge.generations.submit(request, "all_poses", ("front", "back"))
    forge.host.start(record.prompt_id)
    forge.host.save(record.prompt_id)
    while len((await forge.generations.get(record.id)).outputs) < 2:
        pass
    await forge.generations.cancel(record.id)
    done = await forge.until(record.id, "completed")
    assert [warning.code for warning in done.receipt.warnings] == ["judge_failed"]
    reasons = {output.scores["pose"].reason for output in done.outputs if output.scores}
    assert reasons == {"Cancelled on request."}
