"""Scores over HTTP: with the pictures, later, and as conditions of a request."""

from __future__ import annotations

from typing import Any

import pytest
from judging import BAD, GOOD, judge, next_prompt, run, with_judge
from services import Product

from avatarforge.forge.ports import InstalledModels, PromptEvent
from avatarforge.routes import PREFIX
from avatarforge.routes.responses import GenerationAnswer, TakesAnswer

from .conftest import Client, generate
from .streams import streaming
from .templates import refused, send

DOLL = {"family": "doll"}


@pytest.fixture(autouse=True)
def installed(forge: Product) -> InstalledModels:
    """What is installed: also what judges."""
    forge.host.installed = with_judge(forge.host.installed)
    return forge.host.installed


def judges(forge: Product, answer: dict[str, Any]) -> list[dict[str, Any]]:
    prompt = forge.host.prompts[answer["comfyui_prompt_id"]]
    return [node["inputs"] for node in prompt.values() if node["class_type"] == "AvatarForgeJudgePicture"]


async def judged(forge: Product, client: Client, **body: Any) -> dict[str, Any]:
    made = await generate(client, "/generate_all_poses", views=["front", "back"], **DOLL, **body)
    await run(forge, made["comfyui_prompt_id"], p1=BAD)
    await forge.until(made["generation_id"], "completed")
    return (await send(client, "GET", f"/generations/{made['generation_id']}"))[1]


async def test_an_answer_has_the_scores_and_how_each_was_measured(client: Client, forge: Product) -> None:
    answer = await judged(forge, client, judge=True)
    GenerationAnswer.model_validate(answer)
    front, back = answer["output_files"]
    assert (front["scores"], back["scores"]) == (GOOD, BAD)
    first, second = answer["judgements"]
    assert (first["position"], first["pose_type"], first["take"]) == (1, "front", 1)
    assert first["comfyui_prompt_id"] == answer["comfyui_prompt_id"]
    assert second["view"] == {
        "value": "wrong",
        "method": "a stand-in",
        "model": "model.safetensors",
        "reason": None,
        "details": {},
    }
    assert (answer["parameters"]["judge"], answer["parameters"]["until"]) == (True, None)


@pytest.mark.parametrize(
    ("route", "extractor", "judge", "expected"),
    [
        ("/generate_all_poses", True, None, 4),
        ("/generate_all_poses", True, False, 0),
        ("/generate_all_poses", False, None, 0),
        ("/generate_all_poses", False, True, 4),
        ("/generate_pose?pose=front", True, None, 0),
        ("/generate_pose?pose=front", True, True, 1),
        ("/generate/avatar", True, None, 0),
    ],
)
async def test_sheets_are_judged_where_a_pose_extractor_is_installed(
    client: Client, forge: Product, route: str, extractor: bool, judge: bool | None, expected: int
) -> None:
    if not extractor:
        forge.host.installed = InstalledModels((), (), ("euler",), ("normal",))
    answer = await generate(client, route, **DOLL, judge=judge)
    assert len(judges(forge, answer)) == expected
    assert answer["parameters"]["judge"] is (expected > 0)
    assert [file["scores"] for file in answer["output_files"]] == []


async def test_a_batch_judges_its_sheets_too(client: Client, forge: Product) -> None:
    requests = [{"prompt": "a knight", "kind": "all_poses", **DOLL, "until": {"view": "right", "tries": 2}}]
    status, batch = await send(client, "POST", "/batch", json={"requests": requests})
    assert status == 200, batch
    prompt_id = await next_prompt(forge)
    await run(forge, prompt_id, p0=GOOD, p1=GOOD, p2=GOOD, p3=BAD)
    again = await next_prompt(forge)
    path = f"/batch/{batch['batch_id']}"
    assert (await send(client, "GET", path))[1]["status"] in ("queued", "processing")
    await run(forge, again, p3=GOOD)
    status, ended = await send(client, "GET", f"{path}?wait=60")
    assert (ended["status"], ended["completed"]) == ("completed", 1)
    generation_id = ended["generations"][0]["generation_id"]
    _, answer = await send(client, "GET", f"/generations/{generation_id}")
    assert [(one["tries"], one["passed"]) for one in answer["tries"]] == [(1, True)] * 3 + [(2, True)]


async def test_a_batch_is_cancelled_between_two_tries(client: Client, forge: Product) -> None:
    requests = [{"prompt": "a knight", **DOLL, "until": {"view": "right", "tries": 9}}]
    _, batch = await send(client, "POST", "/batch", json={"requests": requests})
    prompt_id = await next_prompt(forge)
    forge.host.not_taken = lambda prompt_id: "The queue takes nothing."
    await run(forge, prompt_id, p0=BAD)
    while not (await forge.generations.get(prompt_id)).next_try_json:
        pass
    status, cancelled = await send(client, "POST", f"/batch/{batch['batch_id']}/cancel")
    assert (status, cancelled["status"], cancelled["completed"]) == (200, "completed", 1)


# Later


async def test_finished_pictures_are_judged_later(client: Client, forge: Product) -> None:
    made = await judged(forge, client, judge=False)
    path = f"/generations/{made['generation_id']}"
    assert [file["scores"] for file in made["output_files"]] == [None, None]
    async with streaming(client, f"{path}/events") as stream:
        await stream.next()
        status, queued = await send(client, "POST", f"{path}/judge", json={"views": ["back"]})
        assert (status, queued["status"], queued["judging"]) == (200, "queued", True)
        (inputs,) = judges(forge, queued)
        assert (inputs["position"], inputs["view"]) == (2, "back")
        prompt_id = queued["comfyui_prompt_id"]
        forge.host.start(prompt_id)
        await judge(forge, prompt_id, p1=BAD)
        forge.host.tell(PromptEvent("saved", prompt_id))
        told = (await stream.until("output"))[-1].data["output_files"]
        assert [file["scores"] for file in told] == [None, BAD]
        forge.host.end(PromptEvent("succeeded", prompt_id))
        ended = (await stream.until("completed"))[-1].data["generation"]
    assert (ended["judging"], ended["warnings"]) == (False, [])
    assert [file["scores"] for file in ended["output_files"]] == [None, BAD]
    kept = ("started_at", "completed_at", "parameters", "inputs")
    assert {name: ended[name] for name in kept} == {name: made[name] for name in kept}
    assert [file["url"] for file in ended["output_files"]] == [file["url"] for file in made["output_files"]]


async def test_a_judgement_is_begun_once_however_often_it_is_sent(client: Client, forge: Product) -> None:
    made = await judged(forge, client, judge=True)
    path = f"{PREFIX}/generations/{made['generation_id']}/judge"
    headers = {"Idempotency-Key": "k"}
    first = await client.post(path, json={}, headers=headers)
    again = await client.post(path, json={}, headers=headers)
    assert await again.text() == await first.text()
    assert len(forge.host.queued) == 1


async def test_a_judgement_that_fails_keeps_what_was_known(client: Client, forge: Product) -> None:
    made = await judged(forge, client, judge=True)
    path = f"/generations/{made['generation_id']}"
    _, queued = await send(client, "POST", f"{path}/judge", json={})
    forge.host.start(queued["comfyui_prompt_id"])
    forge.host.end(PromptEvent("failed", queued["comfyui_prompt_id"], "no GPU"))
    await forge.until(made["generation_id"], "completed")
    _, after = await send(client, "GET", path)
    assert [warning["code"] for warning in after["warning_details"]] == ["judge_failed"]
    assert after["output_files"] == made["output_files"]


async def test_a_reroll_waits_for_a_judgement_and_a_cancel_ends_it(client: Client, forge: Product) -> None:
    made = await judged(forge, client, judge=False)
    path = f"/generations/{made['generation_id']}"
    _, queued = await send(client, "POST", f"{path}/judge", json={})
    status, waiting = await send(client, "POST", f"{path}/reroll?pose=back&seed=9")
    assert (status, waiting["waiting_rerolls"][0]["seed"]) == (200, 9)
    assert (await refused(client, "POST", f"{path}/judge", json={}))[:2] == (409, "generation_not_completed")
    status, cancelled = await send(client, "POST", f"{path}/cancel")
    assert (status, cancelled["status"], cancelled["judging"]) == (200, "completed", False)
    assert cancelled["waiting_rerolls"] == []
    assert queued["comfyui_prompt_id"] not in forge.host.queued


async def test_what_cannot_be_judged_is_refused(client: Client, forge: Product) -> None:
    path = "/generations/b1c29540-8712-4faf-8d5c-9ed86409ddce/judge"
    assert (await refused(client, "POST", path, json={}))[:2] == (404, "generation_not_found")
    queued = await generate(client, **DOLL)
    path = f"/generations/{queued['generation_id']}/judge"
    assert (await refused(client, "POST", path, json={}))[:2] == (409, "generation_not_completed")
    made = await judged(forge, client)
    path = f"/generations/{made['generation_id']}/judge"
    assert (await refused(client, "POST", path, json={"views": ["side"]}))[:2] == (422, "view_not_found")
    bodies: list[dict[str, Any]] = [
        {"views": []},
        {"views": ["up"]},
        {"views": ["back"] * 2},
        {"view": "back"},
    ]
    for body in bodies:
        assert (await refused(client, "POST", path, json=body))[:2] == (422, "invalid_request")
    assert len(forge.host.queued) == 1


async def test_pictures_that_are_gone_cannot_be_judged(client: Client, forge: Product) -> None:
    made = await judged(forge, client)
    for file in (forge.host.output_folder / made["generation_id"]).iterdir():
        file.unlink()
    await forge.verifier.run(repair=True)
    path = f"/generations/{made['generation_id']}/judge"
    assert (await refused(client, "POST", path, json={}))[:2] == (404, "file_lost")


async def test_takes_keep_their_scores(client: Client, forge: Product) -> None:
    made = await judged(forge, client, judge=True)
    path = f"/generations/{made['generation_id']}"
    _, again = await send(client, "POST", f"{path}/reroll?pose=back&seed=9")
    await run(forge, again["comfyui_prompt_id"], p1=GOOD)
    await forge.until(made["generation_id"], "completed")
    _, listed = await send(client, "GET", f"{path}/views/back/takes")
    TakesAnswer.model_validate(listed)
    assert [take["scores"] for take in listed["takes"]] == [BAD, GOOD]
    assert [take["judgement"]["take"] for take in listed["takes"]] == [1, 2]
    _, chosen = await send(client, "POST", f"{path}/views/back/takes/1/choose")
    assert [file["scores"] for file in chosen["output_files"]] == [GOOD, BAD]
    await send(client, "DELETE", f"{path}/views/back/takes/2")
    counted = "SELECT count(*) FROM picture_scores"
    assert await forge.database.read(lambda c: c.exec_driver_sql(counted).scalar_one()) == 2


# Until


async def test_an_answer_says_what_was_tried(client: Client, forge: Product) -> None:
    until = {"view": "right", "pose": 0.5, "tries": 2}
    made = await generate(client, **DOLL, until=until)
    assert made["parameters"]["until"] == {"palette": None, "identity": None, **until}
    assert made["parameters"]["judge"] is True
    nothing = {"position": 1, "pose_type": "front", "conditions": ["pose", "view"], "limit": 2, "take": None}
    assert made["tries"] == [{**nothing, "tries": 0, "passed": None}]
    path = f"/generations/{made['generation_id']}"
    async with streaming(client, f"{path}/events") as stream:
        await stream.next()
        await run(forge, made["comfyui_prompt_id"], p0=BAD)
        told = (await stream.until("queued"))[-2]
        assert (told.kind, told.data["status"]) == ("output", "queued")
        assert told.data["tries"] == [{**nothing, "tries": 1, "passed": False}]
        await run(forge, await next_prompt(forge), p0=GOOD)
        ended = (await stream.until("completed"))[-1].data["generation"]
    assert ended["tries"] == [{**nothing, "tries": 2, "passed": True, "take": 2}]
    GenerationAnswer.model_validate(ended)
    assert ended == (await send(client, "GET", path))[1]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"until": {"view": "right"}, "judge": False}, "field_not_applicable"),
        ({"until": {}}, "invalid_request"),
        ({"until": {"tries": 3}}, "invalid_request"),
        ({"until": {"pose": 1.1}}, "invalid_request"),
        ({"until": {"pose": -0.1}}, "invalid_request"),
        ({"until": {"view": "wrong"}}, "invalid_request"),
        ({"until": {"view": "right", "tries": 0}}, "invalid_request"),
        ({"until": {"view": "right", "tries": 21}}, "invalid_request"),
        ({"until": {"clean": True}}, "invalid_request"),
        ({"until": "right"}, "invalid_request"),
        ({"judge": "yes"}, "invalid_request"),
        # Nothing is beside a single picture that it could be compared with.
        ({"until": {"palette": 50}}, "not_measurable"),
        ({"until": {"identity": 50}}, "not_measurable"),
    ],
)
async def test_conditions_that_cannot_be(
    client: Client, forge: Product, body: dict[str, Any], code: str
) -> None:
    body = {"prompt": "a knight", **DOLL, **body}
    assert (await refused(client, "POST", "/generate/avatar", json=body))[:2] == (422, code)
    assert forge.host.queued == []


async def test_a_pose_that_nothing_decides_cannot_be_measured(client: Client, forge: Product) -> None:
    forge.host.installed = with_judge(
        InstalledModels(forge.host.installed.checkpoints, (), ("euler",), ("normal",))
    )
    body = {"prompt": "a knight", "sampler": "euler", "scheduler": "normal", "until": {"pose": 0.5}}
    status, code, text = await refused(client, "POST", "/generate_pose?pose=front", json=body)
    assert (status, code, "until.pose" in text) == (422, "not_measurable", True)


@pytest.mark.parametrize("name", ["pose", "view", "identity"])
async def test_conditions_that_nothing_installed_can_measure_are_refused_by_name(
    client: Client, forge: Product, name: str
) -> None:
    forge.host.installed = InstalledModels((), (), ("euler",), ("normal",))
    until = {name: {"pose": 0.5, "view": "right", "identity": 50}[name]}
    body = {"prompt": "a knight", **DOLL, "until": until}
    status, code, text = await refused(client, "POST", "/generate_all_poses", json=body)
    assert (status, code, f"until.{name}" in text) == (503, "judge_model_missing", True)


async def test_a_webhook_comes_after_the_last_try(client: Client, forge: Product) -> None:
    made = await generate(client, **DOLL, until={"view": "right", "tries": 2})
    record = await forge.generations.get(made["generation_id"])
    counted = "SELECT count(*) FROM webhooks"
    url = "UPDATE generations SET callback_url = 'http://127.0.0.1:9/'"
    await forge.database.write(lambda connection: connection.exec_driver_sql(url).rowcount)

    async def waiting() -> int:
        return int(await forge.database.read(lambda c: c.exec_driver_sql(counted).scalar_one()))

    await run(forge, record.prompt_id, p0=BAD)
    again = await next_prompt(forge)
    assert await waiting() == 0
    await run(forge, again, p0=BAD)
    await forge.until(record.id, "completed")
    assert await waiting() == 1
