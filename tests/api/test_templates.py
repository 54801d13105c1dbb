"""Templates over HTTP, from saving to the generations that use them."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from graphs import Graph, custom_sampler, edit_in_app_mode, node, plain, titled
from pictures import picture
from services import Product, product
from sqlalchemy import func, select

from avatarforge.db.tables import template_versions, templates
from avatarforge.forge.errors import NodeProblem
from avatarforge.forge.settings import Settings
from avatarforge.routes import PREFIX

from .conftest import Client, application, generate, upload

TEMPLATES = f"{PREFIX}/templates"
Body = dict[str, Any]


async def send(client: Client, method: str, path: str, **options: Any) -> tuple[int, Body]:
    answer = await client.request(method, PREFIX + path, **options)
    return answer.status, await answer.json()


async def save(client: Client, name: str = "mine", graph: Graph | None = None, **more: Any) -> Body:
    body = {"name": name, "prompt": graph or plain(), **more}
    status, answer = await send(client, "POST", "/templates", json=body)
    assert status == 200, answer
    return answer


async def refused(client: Client, method: str, path: str, **options: Any) -> tuple[int, str, str]:
    """(status, code, sentences)"""
    status, answer = await send(client, method, path, **options)
    detail = answer["detail"]
    text = detail if isinstance(detail, str) else " ".join(item["msg"] for item in detail)
    return status, answer["code"], text


async def test_a_template_is_saved_listed_and_shown(client: Client) -> None:
    saved = await save(client, "My Graph/1", workflow={"nodes": [], "links": [], "extra": {}})
    assert saved.keys() == {
        "template_id",
        "name",
        "version",
        "slots",
        "created_at",
        "updated_at",
        "prompt",
        "workflow",
    }
    assert (saved["name"], saved["version"], saved["prompt"]) == ("My Graph/1", 1, plain())
    assert saved["slots"]["seed"] == [
        {"node": "3", "title": "KSampler", "class_type": "KSampler", "input": "seed", "source": "link"}
    ]
    for reference in (saved["template_id"], saved["template_id"].upper(), "my%20graph%2f1"):
        assert await send(client, "GET", f"/templates/{reference}") == (200, saved)
    status, listed = await send(client, "GET", "/templates")
    summary = {name: value for name, value in saved.items() if name not in ("prompt", "workflow")}
    assert (status, listed) == (200, {"total": 1, "templates": [summary], "limit": 50, "next_cursor": None})


async def test_the_list_is_paged_and_searched(client: Client) -> None:
    for number in range(5):
        await save(client, f"graph {number}")
    names, cursor = [], ""
    while True:
        _, page = await send(client, "GET", f"/templates?limit=2{cursor}")
        assert page["total"] == 5
        names += [item["name"] for item in page["templates"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert names == [f"graph {number}" for number in (4, 3, 2, 1, 0)]
    _, page = await send(client, "GET", "/templates?q=GRAPH%203")
    assert [item["name"] for item in page["templates"]] == ["graph 3"]
    assert (await send(client, "GET", "/templates?q=%25"))[1]["total"] == 0
    assert (await refused(client, "GET", "/templates?cursor=nonsense"))[:2] == (422, "invalid_cursor")


@pytest.mark.parametrize("name", ["mine", "MINE", "  mine ", "\uff2d\uff29\uff2e\uff25"])
async def test_a_name_is_taken_whatever_its_capitals(client: Client, name: str) -> None:
    await save(client, "Mine")
    status, code, _ = await refused(client, "POST", "/templates", json={"name": name, "prompt": plain()})
    assert (status, code) == (409, "template_exists")


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\nb", "\ud800", 5, None])
async def test_a_name_that_is_none_is_refused(client: Client, name: Any) -> None:
    status, code, _ = await refused(client, "POST", "/templates", json={"name": name, "prompt": plain()})
    assert (status, code) in ((422, "invalid_request"), (422, "invalid_json"))


async def test_a_new_version_replaces_the_graph_and_if_match_guards_it(client: Client) -> None:
    first = await save(client)
    path = f"/templates/{first['template_id']}"
    changed = plain()
    changed["6"]["inputs"]["text"] = "a tower"
    status, second = await send(client, "PUT", path, json={"prompt": changed}, headers={"If-Match": "1"})
    assert (status, second["version"], second["prompt"]) == (200, 2, changed)
    assert second["created_at"] == first["created_at"]
    for stale in ("1", '"1"', "3"):
        answer = await refused(client, "PUT", path, json={"prompt": plain()}, headers={"If-Match": stale})
        assert answer[:2] == (412, "precondition_failed")
    for match in ('"2"', "*"):
        status, _ = await send(client, "PUT", path, json={"prompt": plain()}, headers={"If-Match": match})
        assert status == 200
    answer = await refused(client, "PUT", path, json={"prompt": plain()}, headers={"If-Match": "x"})
    assert answer[0] == 422
    await save(client, "other")
    renamed = await refused(client, "PUT", path, json={"prompt": plain(), "name": "OTHER"})
    assert renamed[:2] == (409, "template_exists")
    status, answer_body = await send(client, "PUT", path, json={"prompt": plain(), "name": "MINE"})
    assert (status, answer_body["name"], answer_body["version"]) == (200, "MINE", 5)


async def test_what_does_not_exist_is_404(client: Client) -> None:
    for method, path in (
        ("GET", "/templates/none"),
        ("GET", "/templates/none/export"),
        ("DELETE", "/templates/none"),
        ("DELETE", "/templates/00000000-0000-4000-8000-000000000000"),
    ):
        assert (await refused(client, method, path))[:2] == (404, "template_not_found")
    answer = await refused(client, "PUT", "/templates/none", json={"prompt": plain()})
    assert answer[:2] == (404, "template_not_found")
    body = {"prompt": "x", "template": "none"}
    assert (await refused(client, "POST", "/generate/avatar", json=body))[:2] == (404, "template_not_found")
    assert (await refused(client, "GET", "/templates/builtin/none"))[:2] == (404, "not_found")


async def test_an_exported_file_is_imported_with_its_slots(client: Client) -> None:
    graph, workflow = edit_in_app_mode()
    saved = await save(client, "edit", graph, workflow=workflow)
    status, file = await send(client, "GET", "/templates/edit/export")
    assert (status, file["name"], file["prompt"]) == (200, "edit", graph)
    assert file["workflow"] == workflow
    assert (await refused(client, "POST", "/templates/import", json=file))[:2] == (409, "template_exists")
    await send(client, "DELETE", "/templates/edit")
    status, again = await send(client, "POST", "/templates/import", json=file)
    assert status == 200

    def where(slots: Any) -> Any:
        return {slot: [(item["node"], item["input"]) for item in items] for slot, items in slots.items()}

    assert where(again["slots"]) == where(saved["slots"])
    assert {item["source"] for items in again["slots"].values() for item in items} == {"request"}


async def test_a_built_in_family_is_a_starting_point(client: Client, forge: Product) -> None:
    status, file = await send(client, "GET", "/templates/builtin/sd15")
    assert status == 200
    assert {"prompt", "negative", "pose", "seed", "width", "height", "output"} <= file["slots"].keys()
    status, _ = await send(client, "POST", "/templates/import", json={**file, "name": "own sd15"})
    assert status == 200
    done = await generate(client, "/generate_all_poses", template="own sd15", width=64, height=96)
    prompt = forge.host.prompts[done["comfyui_prompt_id"]]
    assert [
        item["inputs"]["view"] for item in prompt.values() if item["class_type"] == "AvatarForgePrompt"
    ] == [
        "front",
        "back",
        "side",
        "quarter",
    ]
    forge.host.installed = type(forge.host.installed)((), (), (), ())
    assert (await refused(client, "GET", "/templates/builtin/sd15"))[:2] == (503, "checkpoint_missing")


async def test_inspection_tells_everything_and_saves_nothing(client: Client, forge: Product) -> None:
    forge.host.refusal = "ComfyUI refused the prompt."
    forge.host.problems = (
        NodeProblem("12", "Detailer", "FaceDetailer", "missing_node", None, None, "FaceDetailer is missing."),
        NodeProblem(
            "4", "Load", "CheckpointLoaderSimple", "missing_model", "ckpt_name", "a.ckpt", "No a.ckpt."
        ),
        NodeProblem("3", "KSampler", "KSampler", "other", "steps", None, "Steps are too few."),
    )
    status, found = await send(client, "POST", "/templates/inspect", json={"prompt": plain()})
    assert status == 200
    assert found["slots"]["prompt"][0]["node"] == "6"
    assert found["missing_nodes"] == [{"node": "12", "title": "Detailer", "class_type": "FaceDetailer"}]
    assert found["missing_models"] == [
        {
            "node": "4",
            "title": "Load",
            "class_type": "CheckpointLoaderSimple",
            "input": "ckpt_name",
            "value": "a.ckpt",
        }
    ]
    assert found["problems"] == ["Steps are too few."]
    assert (await send(client, "GET", "/templates"))[1]["total"] == 0
    for path in ("/templates", "/templates/import"):
        status, answer = await send(client, "POST", path, json={"name": "x", "prompt": plain()})
        assert (status, answer["code"]) == (422, "template_incomplete")
        assert [(item["type"], item["loc"]) for item in answer["detail"]] == [
            ("missing_node", ["body", "prompt", "12"]),
            ("missing_model", ["body", "prompt", "4", "inputs", "ckpt_name"]),
            ("other", ["body", "prompt", "3", "inputs", "steps"]),
        ]
    forge.host.problems = forge.host.problems[2:]
    refusal = await refused(client, "POST", "/templates", json={"name": "x", "prompt": plain()})
    assert refusal[:2] == (422, "prompt_refused")
    forge.host.problems = ()
    refusal = await refused(client, "POST", "/templates", json={"name": "x", "prompt": plain()})
    assert refusal == (422, "prompt_refused", "ComfyUI refused the prompt.")
    assert forge.host.submitted == []


async def test_a_workflow_of_the_editor_is_refused_with_where_the_other_form_comes_from(
    client: Client,
) -> None:
    workflow = {"nodes": [{"id": 1, "type": "KSampler"}], "links": [[1, 1, 0, 2, 0, "MODEL"]], "version": 0.4}
    status, code, text = await refused(client, "POST", "/templates", json={"name": "x", "prompt": workflow})
    assert (status, code) == (422, "template_invalid")
    assert "Save as AvatarForge template" in text and "Export (API)" in text
    status, found = await send(client, "POST", "/templates/inspect", json={"prompt": workflow})
    assert (status, found["slots"], found["problems"]) == (200, {}, [text])


HOSTILE: dict[str, Any] = {
    "a list": [],
    "a text": "x",
    "nothing": None,
    "an empty graph": {},
    "a node that is a list": {"1": []},
    "a node without a class": {"1": {"inputs": {}}},
    "a dangling link": {"1": node("SaveImage", images=["2", 0])},
    "a circle": {"1": node("A", x=["2", 0]), "2": node("A", x=["1", 0])},
    "no output": {"1": node("A")},
    "half a character": {"1": node("SaveImage", "\ud800", images=["1", 0])},
    "a name of a property": {"__proto__": node("A"), "constructor": {"class_type": "A"}},
    "a huge number": {"1": node("KSampler", seed=10**300)},
    "odd values": {
        "1": {"class_type": "A", "inputs": {"a": [[], {}], "b": {"c": [None]}, "d": [None, None]}}
    },
    "odd titles": {"1": {"class_type": "A", "inputs": {}, "_meta": {"title": {"x": 1}}}},
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_body_is_answered_with_a_5xx(client: Client, name: str) -> None:
    for path, extra in (("/templates", {"name": "x"}), ("/templates/inspect", {})):
        variants: tuple[Body, ...] = (
            {},
            {"slots": {"prompt": {"node": "1"}}},
            {"workflow": {"extra": {"linearData": [[]]}}},
        )
        for more in variants:
            status, _ = await send(client, "POST", path, json={**extra, "prompt": HOSTILE[name], **more})
            assert status == 422 or (status == 200 and path.endswith("inspect"))


@pytest.mark.parametrize(
    "slots",
    [
        [],
        "x",
        {"prompt": "6"},
        {"prompt": {"input": "text"}},
        {"prompt": {"node": None}},
        {"prompt": [{"node": []}]},
    ],
)
async def test_slots_of_another_shape_are_refused(client: Client, slots: Any) -> None:
    body = {"name": "x", "prompt": plain(), "slots": slots}
    assert (await refused(client, "POST", "/templates", json=body))[:2] == (422, "invalid_request")


async def test_a_body_of_a_graph_has_limits_of_its_own(
    forge: Product, aiohttp_client: Any, tmp_path: Any
) -> None:
    settings = Settings(max_template_size=64 * 1024, max_template_nodes=10, max_templates=2)
    async with product(tmp_path / "small", settings=settings) as small:
        client = await aiohttp_client(application(small.services))
        large = {**plain(), "20": node("Note", text="x" * 70_000)}
        answer = await refused(client, "POST", "/templates", json={"name": "x", "prompt": large})
        assert answer[:2] == (413, "body_too_large")
        many = {**plain(), **{str(number): node("Note") for number in range(20, 30)}}
        status, code, text = await refused(client, "POST", "/templates", json={"name": "x", "prompt": many})
        assert (status, code) == (422, "template_invalid") and "the limit is 10" in text
        await save(client, "a")
        await save(client, "b")
        answer = await refused(client, "POST", "/templates", json={"name": "c", "prompt": plain()})
        assert answer[:2] == (409, "too_many_templates")
    deep: Any = 1
    for _ in range(70):
        deep = [deep]
    client = await aiohttp_client(application(forge.services))
    body = {"name": "x", "prompt": plain(), "workflow": {"extra": deep}}
    assert (await refused(client, "POST", "/templates", json=body))[:2] == (422, "invalid_json")
    # More values than any other body may have.
    wide = {"nodes": [{"widgets_values": list(range(100))} for _ in range(100)]}
    await save(client, "wide", workflow=wide)


async def test_where_saving_is_forbidden_saved_ones_still_work(aiohttp_client: Any, tmp_path: Any) -> None:
    async with product(tmp_path) as forge:
        await save(await aiohttp_client(application(forge.services)))
    async with product(tmp_path, settings=Settings(allow_templates=False)) as forge:
        client = await aiohttp_client(application(forge.services))
        body = {"name": "x", "prompt": plain()}
        for method, path in (
            ("POST", "/templates"),
            ("POST", "/templates/import"),
            ("PUT", "/templates/mine"),
        ):
            assert (await refused(client, method, path, json=body))[:2] == (403, "templates_disabled")
        await generate(client, template="mine")
        assert (await send(client, "POST", "/templates/inspect", json={"prompt": plain()}))[0] == 200
        assert (await send(client, "DELETE", "/templates/mine"))[0] == 200


async def test_a_request_fills_the_slots(client: Client, forge: Product) -> None:
    await save(client)
    answer = await generate(client, template="MINE", seed=7, width=128, height=192, negative_prompt="hat")
    assert answer["parameters"] == {
        **dict.fromkeys(answer["parameters"]),
        "prompt": "a knight",
        "realism": False,
        "template": "mine",
        "seed": 7,
        "width": 128,
        "height": 192,
        "steps": 1,
        "cfg": 2.0,
        "negative_prompt": "hat",
    }
    prompt = forge.host.prompts[answer["comfyui_prompt_id"]]
    assert prompt["5"]["inputs"]["width"] == 128
    assert prompt["3"]["inputs"]["seed"] == 7
    forge.host.succeed(answer["comfyui_prompt_id"])
    record = await forge.until(answer["generation_id"], "completed")
    assert record.outputs[0].view == "front"
    again = await generate(client, **{**answer["parameters"], "realism": None} | {"realism": False})
    assert forge.host.prompts[again["comfyui_prompt_id"]]["3"]["inputs"] == prompt["3"]["inputs"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("checkpoint", "anime-sd15.safetensors"),
        ("sampler", "euler"),
        ("scheduler", "normal"),
        ("pose_strength", 0.5),
        ("pose_strength", 0),
        ("seed", 0),
        ("cfg", 0),
        ("consistency", 0.5),
        ("model", "anime-sd15.safetensors"),
        ("family", "sd15"),
        ("loras", []),
        ("reference_strength", 0.5),
        ("realism", True),
        ("width", 64),
        ("height", 64),
        ("pose_file_id", None),
        ("reference_file_id", None),
    ],
)
async def test_a_field_without_a_slot_is_refused_by_name(client: Client, field: str, value: Any) -> None:
    graph = plain()
    graph["3"]["inputs"]["latent_image"] = ["20", 0]
    graph["20"] = node("EmptyLatentByRatio", ratio="1:1")
    await save(client, "mine", graph, slots={"seed": [], "cfg": []})
    if value is None:
        value = (await upload(client))["file_id"]
    body = {"prompt": "x", "template": "mine", field: value}
    status, answer = await send(client, "POST", "/generate/avatar", json=body)
    assert (status, answer["code"]) == (422, "template_slot_missing")
    assert answer["parameters"] == {"template": "mine", "field": field}
    assert answer["detail"][0]["loc"] == ["body", field]
    assert field in answer["detail"][0]["msg"]


async def test_several_views_and_rerolls_run_the_version_that_they_began_with(
    client: Client, forge: Product
) -> None:
    saved = await save(client, "mine", custom_sampler())
    pose = await upload(client, picture(5))
    answer = await generate(
        client, "/generate_all_poses", template="mine", pose_file_id=pose["file_id"], pose_mode="raw"
    )
    prompt_id = answer["comfyui_prompt_id"]
    assert [(line["role"], line["pose_type"], line["kind"]) for line in answer["inputs"]] == [
        ("pose", "front", "template"),
        ("view", "back", "template"),
        ("view", "side", "template"),
        ("view", "quarter", "template"),
    ]
    forge.host.succeed(prompt_id)
    await forge.until(answer["generation_id"], "completed")
    # The template changes, and is deleted.
    changed = custom_sampler()
    changed["10"]["inputs"]["cfg"] = 9.0
    path = f"/templates/{saved['template_id']}"
    assert (await send(client, "PUT", path, json={"prompt": changed}))[0] == 200
    assert (await send(client, "DELETE", path))[0] == 200
    assert (await refused(client, "GET", path))[:2] == (404, "template_not_found")
    await save(client, "MINE")  # its name is free
    status, again = await send(
        client, "POST", f"/generations/{answer['generation_id']}/reroll?pose=back&seed=77"
    )
    assert status == 200, again
    prompt = forge.host.prompts[again["comfyui_prompt_id"]]
    assert prompt["10"]["inputs"]["cfg"] == 5.0
    assert prompt["11"]["inputs"]["noise_seed"] == 77
    forge.host.succeed(again["comfyui_prompt_id"])
    await forge.until(answer["generation_id"], "completed")
    _, done = await send(client, "GET", f"/generations/{answer['generation_id']}")
    assert [output["seed"] for output in done["output_files"]].count(77) == 1
    assert len(done["inputs"]) == 4


async def test_a_drawn_seed_is_one_that_every_node_takes(client: Client, forge: Product) -> None:
    await save(client)
    answer = await generate(client, template="mine")
    assert 0 <= answer["parameters"]["seed"] < 2**31
    forge.host.succeed(answer["comfyui_prompt_id"])
    await forge.until(answer["generation_id"], "completed")
    _, again = await send(client, "POST", f"/generations/{answer['generation_id']}/reroll?pose=front")
    prompt = forge.host.prompts[again["comfyui_prompt_id"]]
    assert prompt["3"]["inputs"]["seed"] < 2**31
    assert prompt["3"]["inputs"]["seed"] != answer["parameters"]["seed"]


async def test_a_template_without_a_seed_is_not_rerolled(client: Client, forge: Product) -> None:
    await save(client, "mine", slots={"seed": []})
    answer = await generate(client, template="mine")
    assert answer["parameters"]["seed"] is None
    forge.host.succeed(answer["comfyui_prompt_id"])
    await forge.until(answer["generation_id"], "completed")
    path = f"/generations/{answer['generation_id']}/reroll?pose=front"
    assert (await refused(client, "POST", path))[:2] == (422, "template_slot_missing")
    body = {"prompt": "x", "template": "mine", "seed": 5}
    assert (await refused(client, "POST", "/generate/avatar", json=body))[:2] == (
        422,
        "template_slot_missing",
    )


async def test_a_failed_generation_is_retried_after_its_template_was_deleted(
    client: Client, forge: Product
) -> None:
    await save(client)
    answer = await generate(client, template="mine")
    await send(client, "DELETE", "/templates/mine")
    forge.host.drop(answer["comfyui_prompt_id"])
    await forge.until(answer["generation_id"], "failed")
    status, again = await send(client, "POST", f"/generations/{answer['generation_id']}/retry")
    assert (status, again["status"]) == (200, "queued")


async def test_the_graph_of_a_deleted_template_goes_with_its_last_generation(
    client: Client, forge: Product
) -> None:
    def rows() -> tuple[int, int]:
        def read(connection: Any) -> tuple[int, int]:
            counts = [
                connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables
            ]
            return counts[0], counts[1]

        tables = (templates, template_versions)
        return forge.database.read_here(read)

    await save(client)
    answer = await generate(client, template="mine")
    await send(client, "DELETE", "/templates/mine")
    assert rows() == (1, 1)
    await send(client, "DELETE", f"/generations/{answer['generation_id']}")
    assert rows() == (0, 0)


async def test_only_the_newest_versions_and_those_in_use_are_kept(aiohttp_client: Any, tmp_path: Any) -> None:
    async with product(tmp_path, settings=Settings(max_template_versions=2)) as forge:
        client = await aiohttp_client(application(forge.services))
        await save(client)
        await generate(client, template="mine")
        for _ in range(4):
            status, _ = await send(client, "PUT", "/templates/mine", json={"prompt": plain()})
            assert status == 200
        query = select(template_versions.c.number).order_by(template_versions.c.number)
        kept = forge.database.read_here(lambda connection: connection.execute(query).scalars().all())
        assert list(kept) == [1, 4, 5]


async def test_a_stored_file_that_a_graph_names_is_used_by_it(client: Client) -> None:
    file_id = (await upload(client, kind="reference"))["file_id"]
    graph = titled()
    graph["5"] = node("AvatarForgeLoadReference", "face", file_id=file_id.upper())
    await save(client, "mine", graph)
    _, listed = await send(client, "GET", "/files")
    assert [item["references"] for item in listed["files"]] == [1]
    assert (await send(client, "POST", "/cleanup/orphaned-files?days=0"))[1]["files_deleted"] == 0
    assert (await send(client, "DELETE", f"/files/{file_id}"))[1]["deleted"] == "soft"
    await send(client, "DELETE", "/templates/mine")
    # Its bytes went with the last use, so that the content is new again.
    assert (await upload(client, kind="reference"))["file_id"] != file_id


async def test_two_that_save_at_once_get_one_name(client: Client) -> None:
    body = {"name": "mine", "prompt": plain()}
    answers = await asyncio.gather(
        *(send(client, "POST", "/templates", json=copy.deepcopy(body)) for _ in range(5))
    )
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409, 409]


async def test_templates_need_the_key_as_all_routes_do(opened: Callable[..., Awaitable[Client]]) -> None:
    client = await opened(api_key="a-key-of-more-than-16-characters")
    answer = await client.post(TEMPLATES, data=json.dumps({"name": "x"}))
    assert answer.status == 401
