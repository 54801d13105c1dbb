"""POST /characters/{character_id}/expressions: only the face of a finished picture is drawn again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services import Product

from avatarforge.forge.spec.expressions import EXPRESSION_NAMES

from .characters import change, save
from .conftest import Client
from .templates import Body, refused, send

UNKNOWN = "00000000-0000-4000-8000-000000000000"
SMUG = {"name": "Smug", "words": "a smug grin"}


async def mira(client: Client, **more: Any) -> Body:
    return await save(client, expressions=[SMUG], **more)


async def complete(forge: Product, answer: Body) -> Body:
    forge.host.succeed(answer["comfyui_prompt_id"])
    await forge.until(answer["generation_id"], "completed")
    return answer


async def made(
    client: Client, forge: Product, character: Body, path: str = "/generate_pose?pose=front", **body: Any
) -> Body:
    """A finished generation of a character."""
    sent = {"character_id": character["character_id"], **body}
    status, answer = await send(client, "POST", path, json=sent)
    assert status == 200, answer
    return await complete(forge, answer)


async def redraw(client: Client, character: Body, source: Body, **body: Any) -> tuple[int, Body]:
    path = f"/characters/{character['character_id']}/expressions"
    return await send(client, "POST", path, json={"generation_id": source["generation_id"], **body})


async def get(client: Client, answer: Body) -> Body:
    status, found = await send(client, "GET", f"/generations/{answer['generation_id']}")
    assert status == 200
    return found


def sources(answer: Body) -> list[int]:
    """The numbers of the pictures for which the receipt names the source."""
    return [line["picture"] for line in answer["inputs"] if line["role"] == "source"]


async def test_each_expression_is_a_picture_of_one_generation(client: Client, forge: Product) -> None:
    character = await mira(client)
    source = await made(client, forge, character, seed=5)
    status, answer = await redraw(client, character, source)
    assert status == 200, answer
    assert (answer["kind"], answer["character_id"]) == ("expressions", character["character_id"])
    await complete(forge, answer)
    done = await get(client, answer)
    names = [*EXPRESSION_NAMES, "Smug"]
    assert [picture["expression"] for picture in done["output_files"]] == names
    assert {picture["pose_type"] for picture in done["output_files"]} == {"front"}
    used = done["parameters"]
    assert used["generation_id"] == source["generation_id"]
    assert (used["position"], used["expressions"], used["denoise"], used["margin"]) == (1, names, 0.6, 0.25)
    assert sources(done) == list(range(1, len(names) + 1))
    plain = await get(client, source)
    assert [picture["expression"] for picture in plain["output_files"]] == [None]
    # Sent again, the parameters give the same graph.
    status, again = await redraw(client, character, source, **used)
    assert (status, again["parameters"]) == (200, used)
    first, second = (forge.host.prompts[item["comfyui_prompt_id"]] for item in (answer, again))
    ids = (answer["generation_id"], again["generation_id"])
    assert str(first).replace(*ids) == str(second)


async def test_the_result_outlives_its_source(client: Client, forge: Product) -> None:
    character = await mira(client)
    source = await made(client, forge, character)
    _, answer = await redraw(client, character, source, expressions=["happy", "smug"], seed=3)
    await complete(forge, answer)
    (file_id, *_) = {line["file_id"] for line in answer["inputs"] if line["role"] == "source"}
    kept = await forge.files.get(file_id)
    record = await forge.generations.get(source["generation_id"])
    assert kept.content_hash == record.outputs[0].content_hash
    status, _ = await send(client, "DELETE", f"/generations/{source['generation_id']}")
    assert status == 200
    path = f"/generations/{answer['generation_id']}"
    status, deleted = await send(client, "DELETE", f"/files/{file_id}")
    assert (status, deleted["deleted"]) == (200, "soft")
    status, again = await send(client, "POST", f"{path}/reroll?position=2&seed=8")
    assert (status, again["reroll"]) == (200, "front"), again
    await complete(forge, again)
    done = await get(client, answer)
    assert [picture["seed"] for picture in done["output_files"]] == [3, 8]
    assert sources(done) == [1, 2]
    # Which of the two a view means cannot be told.
    for query, code in {
        "?pose=front": "invalid_request",
        "": "invalid_request",
        "?position=3": "view_not_found",
        "?position=1&pose=back": "view_not_found",
        "?position=0": "invalid_request",
    }.items():
        assert (await refused(client, "POST", f"{path}/reroll{query}"))[:2] == (422, code)


async def test_a_position_chooses_the_picture(client: Client, forge: Product) -> None:
    character = await mira(client)
    sheet = await made(client, forge, character, "/generate_all_poses", views=["back", "quarter", "left"])
    # In the order of the views: back, quarter, left. The first that shows the face is taken.
    for position, view, number in ((None, "quarter", 2), (3, "left", 3)):
        chosen = {} if position is None else {"position": position}
        status, answer = await redraw(client, character, sheet, expressions=["sad"], **chosen)
        assert status == 200, answer
        assert answer["parameters"]["position"] == number
        assert {line["pose_type"] for line in answer["inputs"]} == {view}
    for position, code in ((1, "field_not_applicable"), (4, "view_not_found")):
        status, answer = await redraw(client, character, sheet, position=position)
        assert (status, answer["code"]) == (422, code)
    behind = await made(client, forge, character, "/generate_pose?pose=back_left")
    status, answer = await redraw(client, character, behind)
    assert (status, answer["code"]) == (422, "field_not_applicable")


async def test_a_redrawn_picture_can_be_redrawn(client: Client, forge: Product) -> None:
    character = await mira(client)
    source = await made(client, forge, character, family="doll", seed=4)
    _, first = await redraw(client, character, source, expressions=["happy", "sad"])
    await complete(forge, first)
    status, second = await redraw(client, character, first, position=2, expressions=["angry"])
    assert status == 200, second
    (doll,) = dolls(forge, second)
    assert (doll["seed"], doll["view_seed"]) == (4, -1)


def dolls(forge: Product, answer: Body) -> list[dict[str, Any]]:
    """The inputs of the nodes that draw."""
    prompt = forge.host.prompts[answer["comfyui_prompt_id"]]
    return [node["inputs"] for node in prompt.values() if node["class_type"] == "AvatarForgePaperDoll"]


async def test_a_drawn_face_keeps_the_seed_of_its_picture(client: Client, forge: Product) -> None:
    character = await mira(client)
    sheet = await made(
        client,
        forge,
        character,
        "/generate_all_poses",
        family="doll",
        seed=4,
        count=2,
        views=["front", "left"],
    )
    path = f"/generations/{sheet['generation_id']}/reroll?position=4&seed=8"
    status, again = await send(client, "POST", path)
    assert status == 200, again
    await complete(forge, again)
    # The second sheet has the next seed, and one of its pictures a seed of its own.
    for position, seeds in ((3, (5, -1)), (4, (5, 8))):
        status, answer = await redraw(client, character, sheet, position=position)
        assert status == 200, answer
        assert {(doll["seed"], doll["view_seed"]) for doll in dolls(forge, answer)} == {seeds}
        assert (answer["parameters"]["seed"], answer["parameters"]["denoise"]) == (None, None)
        status, same = await redraw(client, character, sheet, **answer["parameters"])
        assert (status, same["parameters"]) == (200, answer["parameters"])
    for field in ("seed", "denoise"):
        status, refusal = await redraw(client, character, sheet, **{field: 1})
        assert (status, refusal["code"], refusal["parameters"]) == (
            422,
            "field_not_applicable",
            {"field": field},
        )
    await complete(forge, answer)
    path = f"/generations/{answer['generation_id']}/reroll?position=1"
    assert (await refused(client, "POST", path))[:2] == (422, "field_not_applicable")


async def test_a_character_of_a_redraw_has_its_first_picture(client: Client, forge: Product) -> None:
    character = await mira(client)
    source = await made(client, forge, character)
    _, answer = await redraw(client, character, source)
    await complete(forge, answer)
    path = f"/generations/{answer['generation_id']}/character"
    status, saved = await send(client, "POST", path, json={"name": "Neutral Mira"})
    assert status == 200, saved
    assert [reference["view"] for reference in saved["references"]] == ["front"]


async def test_the_request_is_done_once_per_key(client: Client, forge: Product) -> None:
    character = await mira(client)
    source = await made(client, forge, character)
    path = f"/characters/{character['character_id']}/expressions"
    body = {"generation_id": source["generation_id"], "expressions": ["happy"]}
    headers = {"Idempotency-Key": "redraw"}
    answers = [await send(client, "POST", path, json=body, headers=headers) for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0][0] == 200


async def test_what_cannot_be_redrawn_is_refused_before_anything_is_stored(
    client: Client, forge: Product
) -> None:
    character = await mira(client)
    other = await save(client, name="Other")
    source = await made(client, forge, character)
    before = (await send(client, "GET", "/files"))[1]["total"]
    wanted: list[tuple[Body, Body, dict[str, Any], int, str]] = [
        (character, source, {"generation_id": UNKNOWN}, 404, "generation_not_found"),
        ({"character_id": UNKNOWN}, source, {}, 404, "character_not_found"),
        (other, source, {}, 422, "field_not_applicable"),
        (character, source, {"expressions": ["furious"]}, 422, "unknown_option"),
        (character, source, {"expressions": ["happy", " Happy"]}, 422, "invalid_request"),
        (character, source, {"expressions": []}, 422, "invalid_request"),
        (character, source, {"denoise": 0.1}, 422, "invalid_request"),
        (character, source, {"margin": 1.5}, 422, "invalid_request"),
        (character, source, {"position": 0}, 422, "invalid_request"),
        (character, source, {"prompt": "x"}, 422, "invalid_request"),
    ]
    for shown, picture, body, status, code in wanted:
        found, answer = await redraw(client, shown, picture, **body)
        assert (found, answer["code"]) == (status, code), answer
    large = await made(client, forge, character, family="doll", pixel_height=64)
    found, answer = await redraw(client, character, large)
    assert (found, answer["code"]) == (422, "field_not_applicable")
    _, queued = await send(
        client, "POST", "/generate/avatar", json={"character_id": character["character_id"]}
    )
    found, answer = await redraw(client, character, queued)
    assert (found, answer["code"]) == (409, "generation_not_completed")
    assert (await send(client, "GET", "/files"))[1]["total"] == before


async def test_a_picture_without_a_pose_needs_an_extractor(client: Client, forge: Product) -> None:
    character = await mira(client)
    source = await made(client, forge, character, "/generate/avatar")
    status, answer = await redraw(client, character, source)
    assert (status, answer["code"]) == (503, "pose_extractor_missing")
    assert "sdpose" in answer["detail"].lower()
    forge.host.installed = replace(
        forge.host.installed,
        nodes=frozenset({"SDPoseKeypointExtractor"}),
        sdpose=("sdpose.safetensors",),
    )
    status, answer = await redraw(client, character, source, expressions=["sad"])
    assert status == 200, answer
    classes = {node["class_type"] for node in forge.host.prompts[answer["comfyui_prompt_id"]].values()}
    assert {"SDPoseKeypointExtractor", "AvatarForgeFaceRegion"} <= classes


async def test_expressions_of_a_newer_version_suit_an_older_picture(client: Client, forge: Product) -> None:
    character = await mira(client)
    source = await made(client, forge, character)
    await change(client, character, expressions=[SMUG, {"name": "Wink", "words": "winking"}])
    status, answer = await redraw(client, character, source, expressions=["wink"])
    assert (status, answer["parameters"]["expressions"]) == (200, ["Wink"])
    # It still shows the version of the picture.
    assert answer["character_version"] == 1
