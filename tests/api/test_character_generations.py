"""Generations that show a character, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from graphs import plain
from pictures import picture
from services import Product

from avatarforge.routes import PREFIX

from .characters import MIRA, change, save
from .conftest import Client, generate, upload
from .templates import Body, refused, send
from .templates import save as save_template

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def spec_of(forge: Product, answer: Body) -> Any:
    return (await forge.generations.get(answer["generation_id"])).spec


async def show(client: Client, character: Body, path: str = "/generate/avatar", **more: Any) -> Body:
    """The answer to a request for a picture of a character, without a prompt."""
    body = {"character_id": character["character_id"], **more}
    status, answer = await send(client, "POST", path, json=body)
    assert status == 200, answer
    return answer


async def complete(forge: Product, answer: Body) -> None:
    forge.host.succeed(answer["comfyui_prompt_id"])
    await forge.until(answer["generation_id"], "completed")


async def full(client: Client, **more: Any) -> Body:
    """A character that has everything."""
    ids = [(await upload(client, picture(number)))["file_id"] for number in (1, 2)]
    return await save(
        client,
        **{
            "negative": "glasses, hat",
            "clothing": "a green dress",
            "style": "watercolor",
            "realism": True,
            "references": [{"file_id": ids[0], "strength": 0.6}],
            "model": "anime-sd15.safetensors",
            "seed": 77,
            "defaults": {"width": 128, "height": 192, "steps": 3, "consistency": 0.25, "pose_mode": "raw"},
            "outfits": [
                {"name": "Winter coat", "words": "a long red coat, boots", "file_id": ids[1]},
                {"name": "Swimsuit", "words": "a swimsuit"},
            ],
            "expressions": [{"name": "Smug", "words": "a smug grin"}],
            **more,
        },
    )


async def test_a_request_is_filled_in_from_the_character(client: Client, forge: Product) -> None:
    mira = await full(client)
    answer = await show(client, mira)
    used = answer["parameters"]
    assert (answer["character_id"], answer["character_version"]) == (mira["character_id"], 1)
    assert (used["character_id"], used["character_version"], used["outfit"]) == (
        mira["character_id"],
        1,
        None,
    )
    wanted = {
        "prompt": "",
        "clothing": "a green dress",
        "style": "watercolor",
        "realism": True,
        "negative_prompt": "glasses, hat",
        "model": "anime-sd15.safetensors",
        "seed": 77,
        "width": 128,
        "height": 192,
        "steps": 3,
        "reference_file_id": mira["references"][0]["file_id"],
        "reference_strength": 0.6,
    }
    assert {name: used[name] for name in wanted} == wanted
    spec = await spec_of(forge, answer)
    assert spec.character.description == MIRA["description"]
    assert spec.character.name == "Mira"
    plain_one = await generate(client)
    assert (plain_one["character_id"], plain_one["character_version"]) == (None, None)
    assert plain_one["parameters"]["character_id"] is None


async def test_what_the_request_sends_itself_wins(client: Client, forge: Product) -> None:
    mira = await full(client)
    own = (await upload(client, picture(9)))["file_id"]
    sent: dict[str, Any] = {
        "prompt": "in the rain",
        "clothing": "",
        "style": "",
        "realism": False,
        "seed": 5,
        "width": 64,
        "steps": 2,
        "reference_file_id": own,
        "reference_strength": 1.0,
    }
    used = (await show(client, mira, **sent, negative_prompt="hat, shoes"))["parameters"]
    assert {name: used[name] for name in sent} == sent
    assert used["negative_prompt"] == "glasses, hat, shoes"
    # Another model: its own steps, and the size of the character.
    other = (await show(client, mira, model="realistic-sd15.safetensors"))["parameters"]
    assert other["model"] == "realistic-sd15.safetensors"
    assert (other["steps"] != 3, other["width"]) == (True, 128)
    drawn = await show(client, mira, family="doll", reference_strength=0)
    assert (await spec_of(forge, drawn)).is_drawn


async def test_outfits_and_expressions_of_the_character(client: Client, forge: Product) -> None:
    mira = await full(client)
    answer = await show(client, mira, outfit=" WINTER coat", expression="SMUG", clothing="boots, a scarf")
    used = answer["parameters"]
    assert used["clothing"] == "a long red coat, boots, a scarf"
    assert (used["outfit"], used["expression"]) == ("Winter coat", "SMUG")
    spec = await spec_of(forge, answer)
    assert (spec.expression_words, spec.character.outfit) == ("a smug grin", "Winter coat")
    text = str(forge.host.prompts[answer["comfyui_prompt_id"]])
    assert "a smug grin" in text and "a long red coat" in text and MIRA["description"] in text
    assert (await spec_of(forge, await show(client, mira, expression="Happy"))).expression_words == ""
    for field, value in (("outfit", "Ballgown"), ("outfit", ""), ("expression", "bored")):
        status, found = await send(
            client,
            "POST",
            "/generate/avatar",
            json={"character_id": mira["character_id"], field: value},
        )
        assert (status, found["code"]) == (422, "unknown_option")
        assert found["detail"][0]["loc"] == ["body", field]
        assert found["parameters"] == {"field": field, "value": value}
        assert ("Swimsuit" if field == "outfit" else "Smug") in found["detail"][0]["msg"]


async def test_without_a_character_all_is_as_before(client: Client, forge: Product) -> None:
    for body, problem in (
        ({}, ("missing", "Field required")),
        ({"prompt": ""}, ("string_too_short", "String should have at least 1 character")),
        ({"prompt": "  "}, ("string_too_short", "String should have at least 1 character")),
        ({"prompt": None}, ("string_type", "Input should be a valid string")),
        ({"prompt": 5}, ("string_type", "Input should be a valid string")),
        (
            {"prompt": "", "character_id": None},
            ("string_too_short", "String should have at least 1 character"),
        ),
    ):
        status, answer = await send(client, "POST", "/generate/avatar", json=body)
        assert (status, answer["code"]) == (422, "invalid_request")
        (only,) = answer["detail"]
        assert (only["loc"], only["type"], only["msg"]) == (["body", "prompt"], *problem)
    for field, value in (("outfit", "coat"), ("character_version", 1)):
        sent = {"prompt": "a knight", field: value}
        status, answer = await send(client, "POST", "/generate/avatar", json=sent)
        assert (status, answer["code"]) == (422, "field_not_applicable")
        assert answer["detail"][0]["loc"] == ["body", field]
    mira = await save(client)
    for prompt in ({}, {"prompt": ""}, {"prompt": " "}, {"prompt": None}):
        assert (await show(client, mira, **prompt))["parameters"]["prompt"] == ""
    for wrong in (5, ["x"], "x" * 10_001, "a\x00"):
        unusable = {"character_id": mira["character_id"], "prompt": wrong}
        assert (await refused(client, "POST", "/generate/avatar", json=unusable))[:2] == (
            422,
            "invalid_request",
        )
    assert len(forge.host.submitted) == 4


async def test_the_document_says_when_a_prompt_is_needed(client: Client) -> None:
    schema = (await (await client.get(f"{PREFIX}/openapi.json")).json())["components"]["schemas"][
        "AvatarBody"
    ]
    assert "prompt" not in schema.get("required", [])
    assert [item["required"] for item in schema["anyOf"]] == [["prompt"], ["character_id"]]
    assert schema["anyOf"][0]["properties"]["prompt"]["minLength"] == 1


async def test_what_is_gone_is_404_and_nothing_is_queued(client: Client, forge: Product) -> None:
    mira = await save(client)
    gone = await save(client, name="Gone")
    await send(client, "DELETE", f"/characters/{gone['character_id']}")
    for body, code in (
        ({"character_id": UNKNOWN}, "character_not_found"),
        ({"character_id": "Mira"}, "character_not_found"),
        ({"character_id": gone["character_id"], "character_version": 1}, "character_not_found"),
        ({"character_id": mira["character_id"], "character_version": 2}, "character_version_not_found"),
    ):
        for path in ("/generate/avatar", "/generate_pose?pose=front", "/generate_all_poses"):
            assert (await refused(client, "POST", path, json=body))[:2] == (404, code)
    missing = await change(client, mira, model="none.safetensors")
    body = {"character_id": missing["character_id"]}
    assert (await refused(client, "POST", "/generate/avatar", json=body))[:2] == (422, "checkpoint_not_found")
    assert forge.host.submitted == []


REPEATED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "nothing more": ("/generate/avatar", {}, {}),
    "an outfit": ("/generate_pose?pose=back", {"outfit": "winter coat", "clothing": "a scarf"}, {}),
    "an expression": ("/generate/avatar", {"expression": "smug", "prompt": "in the rain"}, {}),
    "a sheet": ("/generate_all_poses", {"negative_prompt": "rain"}, {}),
    "views of the character": ("/generate_all_poses", {}, {"defaults": {"views": ["left", "front"]}}),
    "no LoRA": ("/generate/avatar", {"loras": []}, {"loras": [{"name": "none.safetensors"}]}),
    "other clothes": ("/generate/avatar", {"clothing": "rags", "reference_strength": 0.2}, {}),
    "words that nest": (
        "/generate/avatar",
        {"outfit": "odd", "clothing": "a, (b, c", "negative_prompt": "(x, y"},
        {"outfits": [{"name": "odd", "words": "(coat, a"}], "negative": "(z"},
    ),
    "a drawn family": (
        "/generate_all_poses",
        {"outfit": "swimsuit"},
        {"model": None, "family": "doll", "defaults": {"width": 128}},
    ),
}


@pytest.mark.parametrize("name", REPEATED)
async def test_parameters_sent_again_give_the_same_spec(client: Client, forge: Product, name: str) -> None:
    path, sent, character = REPEATED[name]
    first = await show(client, await full(client, **character), path, **sent)
    again = await generate(client, path, **first["parameters"])
    assert await spec_of(forge, again) == await spec_of(forge, first)
    assert again["parameters"] == first["parameters"]
    # The character changes, and what the generation used does not.
    await change(client, first, clothing="rags", outfits=[], expressions=[], loras=[], references=[], seed=1)
    later = await generate(client, path, **first["parameters"])
    assert await spec_of(forge, later) == await spec_of(forge, first)


async def test_two_versions_each_repeat_their_own_pictures(client: Client, forge: Product) -> None:
    mira = await save(client, seed=3, clothing="a dress")
    old = await show(client, mira)
    await change(client, mira, clothing="a suit", name="Mira Two")
    new = await show(client, mira)
    assert (new["character_version"], new["parameters"]["clothing"]) == (2, "a suit")
    again = await show(client, mira, character_version=1)
    assert await spec_of(forge, again) == await spec_of(forge, old)
    assert (await spec_of(forge, again)).character.name == "Mira"


async def test_the_list_of_a_character(client: Client, forge: Product) -> None:
    mira, tom = await save(client), await save(client, name="Tom")
    made = [await show(client, character) for character in (mira, tom, mira, mira)]
    await generate(client)
    await complete(forge, made[2])
    of_mira = [made[index]["generation_id"] for index in (3, 2, 0)]

    async def ids(query: str) -> tuple[int, list[str], str | None]:
        _, page = await send(client, "GET", f"/generations?{query}")
        return page["total"], [item["generation_id"] for item in page["generations"]], page["next_cursor"]

    query = f"character_id={mira['character_id'].upper()}"
    total, found, cursor = await ids(f"{query}&limit=2")
    assert (total, found) == (3, of_mira[:2])
    assert await ids(f"{query}&limit=2&cursor={cursor}") == (3, of_mira[2:], None)
    assert (await ids(f"{query}&offset=1"))[:2] == (3, of_mira[1:])
    assert (await ids(f"{query}&status=completed"))[:2] == (1, [of_mira[1]])
    assert (await ids(f"{query}&status=queued&offset=1"))[:2] == (2, [of_mira[2]])
    assert (await ids(f"character_id={UNKNOWN}"))[:2] == (0, [])
    assert (await ids(""))[0] == 5


async def test_after_the_deletion_of_its_character_a_generation_goes_on(
    client: Client, forge: Product
) -> None:
    mira = await full(client)
    made = await show(client, mira, "/generate_pose?pose=front", outfit="winter coat")
    await complete(forge, made)
    files = [item["file_id"] for item in (await send(client, "GET", "/files"))[1]["files"]]
    await send(client, "DELETE", f"/characters/{mira['character_id']}")
    for file_id in files:  # the version that the generation shows still names them
        assert (await send(client, "DELETE", f"/files/{file_id}"))[1]["deleted"] == "soft"
    path = f"/generations/{made['generation_id']}"
    status, again = await send(client, "POST", f"{path}/reroll?pose=front&seed=9")
    assert (status, again["character_id"]) == (200, mira["character_id"])
    await complete(forge, again)
    assert (await forge.verifier.run(repair=False)).clean
    assert (await send(client, "DELETE", path))[0] == 200
    assert (await send(client, "GET", "/health"))[1]["storage"]["files"] == 0
    assert (await forge.verifier.run(repair=False)).clean


async def test_a_character_with_a_template(client: Client, forge: Product) -> None:
    template = await save_template(client)
    mira = await full(client, model=None, template="MINE")
    answer = await show(client, mira, outfit="swimsuit", expression="smug")
    used = answer["parameters"]
    assert (used["template"], used["clothing"], used["width"], used["seed"]) == (
        "mine",
        "a swimsuit",
        128,
        77,
    )
    # What the template has no slot for is left to it.
    assert (used["realism"], used["loras"], used["consistency"]) == (False, None, None)
    again = await generate(client, **used)
    assert await spec_of(forge, again) == await spec_of(forge, answer)
    text = str(forge.host.prompts[answer["comfyui_prompt_id"]])
    assert MIRA["description"] in text and "a smug grin" in text
    await complete(forge, answer)
    _, made = await send(
        client, "POST", f"/generations/{answer['generation_id']}/character", json={"name": "Copy"}
    )
    assert (made["template"], made["model"]) == (template["template_id"], None)
    assert made["description"] == MIRA["description"]
    wordless = plain()
    await save_template(client, "wordless", wordless, slots={"prompt": []})
    body = {"character_id": mira["character_id"], "template": "wordless"}
    assert (await refused(client, "POST", "/generate/avatar", json=body))[:2] == (
        422,
        "template_slot_missing",
    )


async def test_words_that_become_too_long_together_are_refused(client: Client) -> None:
    mira = await save(client, outfits=[{"name": "a", "words": "x" * 1000}], negative="y" * 6000)
    for field, more in (
        ("clothing", {"outfit": "a", "clothing": "z" * 1500}),
        ("negative_prompt", {"negative_prompt": "z" * 6000}),
    ):
        body = {"character_id": mira["character_id"], **more}
        status, answer = await send(client, "POST", "/generate/avatar", json=body)
        assert (status, answer["detail"][0]["loc"]) == (422, ["body", field])
