"""POST /characters/{character_id}/matrix: every combination of what varies, as one batch."""

from __future__ import annotations

from typing import Any

import pytest

from avatarforge.routes import PREFIX
from avatarforge.routes.responses import BatchAnswer

from .characters import change
from .characters import save as save_character
from .conftest import Client
from .templates import Body, send
from .templates import save as save_template

NOWHERE = "00000000-0000-4000-8000-000000000000"
OUTFITS = [{"name": "Coat", "words": "a long red coat"}, {"name": "Armour", "words": "steel plate"}]


async def mira(client: Client, **more: Any) -> Body:
    return await save_character(client, outfits=OUTFITS, **more)


async def post(client: Client, character: Body, status: int = 200, **body: Any) -> Body:
    found, answer = await send(client, "POST", f"/characters/{character['character_id']}/matrix", json=body)
    assert found == status, answer
    return answer


async def generation(client: Client, item: Body) -> Body:
    return (await send(client, "GET", f"/generations/{item['generation_id']}"))[1]


async def count(client: Client) -> int:
    total: int = (await send(client, "GET", "/generations"))[1]["total"]
    return total


async def test_a_matrix_is_the_product_of_its_lists(client: Client) -> None:
    shown = await mira(client)
    made = await post(
        client,
        shown,
        outfits=["coat", None],
        expressions=["happy", "angry"],
        views=["back", "front"],
        poses=["sitting"],
        name="Mira",
        base={"prompt": "in the rain", "width": 64, "height": 64, "steps": 2},
    )
    BatchAnswer.model_validate(made)
    assert (made["name"], made["status"], made["total"]) == ("Mira", "queued", 8)
    items = made["generations"]
    assert [(item["outfit"], item["expression"], item["view"]) for item in items] == [
        (outfit, expression, view)
        for outfit in ("Coat", None)
        for expression in ("happy", "angry")
        for view in ("back", "front")
    ]
    assert len({item["pose_id"] for item in items}) == len({item["seed"] for item in items}) == 1
    assert items[0]["pose_id"] is not None
    first = await generation(client, items[0])
    used = first["parameters"]
    assert (first["kind"], first["character_id"]) == ("pose", shown["character_id"])
    assert (used["outfit"], used["expression"], used["prompt"]) == ("Coat", "happy", "in the rain")
    assert (used["width"], used["steps"], used["seed"]) == (64, 2, items[0]["seed"])
    again = (await send(client, "GET", f"/batch/{made['batch_id']}"))[1]
    assert [{**item, "status": "queued"} for item in again["generations"]] == items


async def test_nothing_varies_in_an_empty_matrix(client: Client) -> None:
    shown = await mira(client, seed=5)
    made = await post(client, shown)
    (item,) = made["generations"]
    wanted = {"outfit": None, "expression": None, "view": "front", "pose_id": None, "seed": 5}
    assert {name: item[name] for name in wanted} == wanted
    assert (await generation(client, item))["kind"] == "avatar"
    made = await post(client, shown, base={"outfit": "armour", "expression": "sad", "seed": 9}, count=1)
    (item,) = made["generations"]
    assert (item["outfit"], item["expression"], item["seed"]) == ("Armour", "sad", 9)


async def test_every_combination_has_the_same_seeds(client: Client) -> None:
    shown = await mira(client)
    made = await post(client, shown, expressions=["happy", None], count=3, base={"seed": 2**64 - 2})
    assert [(item["expression"], item["seed"]) for item in made["generations"]] == [
        (expression, seed) for expression in ("happy", None) for seed in (2**64 - 2, 2**64 - 1, 0)
    ]
    drawn = (await post(client, shown, views=["front", "left"], count=2))["generations"]
    first = drawn[0]["seed"]
    assert [item["seed"] for item in drawn] == [first, first + 1] * 2


async def test_all_show_one_version_of_the_character(client: Client) -> None:
    shown = await mira(client)
    await change(client, shown, description="an old man")
    made = await post(client, shown, expressions=["happy", "sad"], version=1)
    versions = [(await generation(client, item))["character_version"] for item in made["generations"]]
    newest = await post(client, shown)
    versions.append((await generation(client, newest["generations"][0]))["character_version"])
    assert versions == [1, 1, 2]


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({"outfits": ["coat", "hat"]}, ["body", "outfits", 1]),
        ({"outfits": ["coat", "coat"]}, ["body", "outfits"]),
        ({"outfits": []}, ["body", "outfits"]),
        ({"outfits": [""]}, ["body", "outfits", 0]),
        ({"expressions": ["happy", None, "bored"], "views": ["front", "back"]}, ["body", "expressions", 2]),
        ({"views": ["front", "front"]}, ["body", "views"]),
        ({"views": [None]}, ["body", "views", 0]),
        ({"poses": ["standing", "standing"]}, ["body", "poses"]),
        ({"count": 0}, ["body", "count"]),
        ({"count": 17}, ["body", "count"]),
        ({"version": 0}, ["body", "version"]),
        ({"outfits": ["coat"], "base": {"outfit": "coat"}}, ["body", "base", "outfit"]),
        ({"poses": [None], "base": {"pose_id": "sitting"}}, ["body", "base", "pose_id"]),
        ({"base": {"outfit": "hat"}}, ["body", "base", "outfit"]),
        ({"base": {"width": 7}}, ["body", "base", "width"]),
        ({"base": {"consistency": 0.5}}, ["body", "base", "consistency"]),
        ({"base": {"character_id": NOWHERE}}, ["body", "base", "character_id"]),
        ({"base": {"pose_image": "AAAA"}}, ["body", "base", "pose_image"]),
        ({"base": {"count": 2}}, ["body", "base", "count"]),
        ({"base": {"prompt": "x" * 10_001}}, ["body", "base", "prompt"]),
        ({"requests": []}, ["body", "requests"]),
        ({"name": ""}, ["body", "name"]),
    ],
)
async def test_a_refusal_names_the_field_of_the_matrix(
    client: Client, body: dict[str, Any], location: list[Any]
) -> None:
    answer = await post(client, await mira(client), 422, **body)
    assert answer["detail"][0]["loc"] == location
    assert await count(client) == 0


async def test_too_many_are_refused_with_the_numbers(client: Client) -> None:
    shown = await mira(client)
    views = ["front", "back", "side", "quarter", "left", "right", "quarter_left", "quarter_right"]
    expressions = ["neutral", "happy", "sad", "angry", "surprised", "afraid", "disgusted", "embarrassed"]
    answer = await post(client, shown, 422, views=views, expressions=expressions, count=16)
    told = answer["detail"][0]["msg"]
    assert "8 expressions x 8 views x 16 seeds are 1024 requests; the limit of a matrix is 1000" in told
    assert await count(client) == 0


async def test_what_is_unknown_is_named_by_its_combination(client: Client) -> None:
    shown = await mira(client)
    answer = await post(client, shown, 404, poses=["standing", NOWHERE], views=["back"])
    assert answer["detail"].startswith(f"view back, pose {NOWHERE}: ")
    assert answer["code"] == "pose_not_found"
    missing = {"character_id": NOWHERE}
    assert (await post(client, missing, 404))["code"] == "character_not_found"
    assert (await post(client, shown, 404, version=9))["code"] == "character_version_not_found"
    assert (await post(client, shown, 404, base={"template": "none"}))["code"] == "template_not_found"


async def test_a_template_without_a_seed_has_one_of_each_combination(client: Client) -> None:
    await save_template(client, "fixed", slots={"seed": []})
    shown = await mira(client, template="fixed", seed=5)
    made = await post(client, shown, expressions=["happy", "sad"])
    assert [item["seed"] for item in made["generations"]] == [None, None]
    answer = await post(client, shown, 422, count=2)
    assert (answer["code"], answer["detail"][0]["loc"]) == ("template_slot_missing", ["body", "count"])
    await save_template(client, "with a seed")
    drawn = await post(client, shown, count=2, base={"template": "with a seed"})
    assert [item["seed"] for item in drawn["generations"]] == [5, 6]


async def test_the_body_has_limits(client: Client) -> None:
    shown = await mira(client)
    deep: Any = None
    for _ in range(12):
        deep = [deep]
    assert (await post(client, shown, 422, outfits=deep))["code"] == "invalid_json"
    assert (await post(client, shown, 422, poses=["x"] * 3_001))["code"] == "invalid_json"
    answer = await post(client, shown, 413, name="x" * 1024 * 1024)
    assert answer["code"] == "body_too_large"


async def test_a_repeated_key_makes_one_matrix(client: Client) -> None:
    shown = await mira(client)
    path, key = f"{PREFIX}/characters/{shown['character_id']}/matrix", {"Idempotency-Key": "once"}
    answers = [await client.post(path, json={"count": 2}, headers=key) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert await answers[0].text() == await answers[1].text()
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert (await client.post(path, json={"count": 3}, headers=key)).status == 409
    assert await count(client) == 2


async def test_the_batches_of_a_character_are_found_whatever_its_name(client: Client) -> None:
    shown, other = await mira(client), await mira(client, name="Berta")
    made = await post(client, shown, expressions=["happy", "sad"], name="Anything")
    await post(client, other, name=shown["name"])
    listed = (await send(client, "GET", f"/batch?character_id={shown['character_id']}"))[1]
    assert [batch["batch_id"] for batch in listed["batches"]] == [made["batch_id"]]
    assert listed["total"] == 1
    assert (await send(client, "GET", f"/batch?character_id={NOWHERE}"))[1]["batches"] == []
    assert (await send(client, "GET", "/batch?character_id=x"))[0] == 422


async def test_a_matrix_is_cancelled_and_retried_as_a_batch(client: Client) -> None:
    made = await post(client, await mira(client), expressions=["happy", "sad", "angry"])
    path = f"/batch/{made['batch_id']}"
    assert (await send(client, "POST", f"{path}/cancel"))[1]["failed"] == 3
    again = (await send(client, "POST", f"{path}/retry"))[1]
    assert [item["expression"] for item in again["generations"]] == ["happy", "sad", "angry"]
    assert (again["failed"], again["completed_at"]) == (0, None)
