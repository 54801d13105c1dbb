"""Templates over HTTP: save, list, replace, inspect, import, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from graphs import edit_in_app_mode, node, plain
from services import Product, product

from avatarforge.forge.errors import NodeProblem
from avatarforge.forge.settings import Settings

from .conftest import Client, application, generate
from .templates import Body, refused, save, send


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
