"""The nodes that show a saved character, on stand-ins of ComfyUI: what they read and give."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from pictures import picture
from receiving import receive
from services import Product, product
from stand_in_comfyui import Blocker

from avatarforge.forge.errors import AvatarForgeError, NotFoundError, UnavailableError, UnprocessableError
from avatarforge.forge.families import PROMPT_KINDS
from avatarforge.forge.families.prompt_text import compose_prompt, prompt_parts
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.forge.spec.views import views_of_node

OUTPUTS = (
    *("description", "clothing", "negative", "style", "expression"),
    *("identity", "face", "outfit", "style_picture", "seed", "realism"),
)
MIRA: dict[str, Any] = {
    "name": "Mira",
    "description": "a young woman, red hair",
    "clothing": "a green dress",
    "negative": "hat",
    "style": "watercolor",
    "realism": True,
    "outfits": [{"name": "Winter coat", "words": "a long red coat, boots"}],
    "expressions": [{"name": "smug", "words": "a smug grin"}],
}


@dataclass(frozen=True)
class Nodes:
    """The nodes on the services of a product. They block, as in ComfyUI's worker thread."""

    forge: Product
    registry: Any
    load_class: Any
    prompt_class: Any

    async def save(self, **values: Any) -> str:
        return (await self.forge.characters.create({**MIRA, **values})).record.id

    async def upload(self, seed: int, width: int) -> str:
        return (await receive(self.forge.files, picture(seed, (width, 64)))).file.id

    async def load(self, character: str, **inputs: Any) -> dict[str, Any]:
        values = {"version": 0, "outfit": "", "expression": "", "view": "any", "missing": "error", **inputs}
        found = await asyncio.to_thread(self.load_class.execute, character, **values)
        return dict(zip(OUTPUTS, found, strict=True))

    async def texts(self, character: str, **inputs: Any) -> list[tuple[str, str]]:
        """(positive, negative) of each view."""
        values = {"version": 0, "outfit": "", "expression": "", "prompt": "", "view": "front"}
        values |= {"elevation": "level", "family": "sd15", **inputs}
        positive, negative = await asyncio.to_thread(self.prompt_class.execute, None, character, **values)
        return list(zip(positive, negative, strict=True))

    async def fingerprint(self, character: str | None, version: int | None = 0) -> Any:
        both = [
            await asyncio.to_thread(node.fingerprint_inputs, character=character, version=version, outfit="")
            for node in (self.load_class, self.prompt_class)
        ]
        assert repr(both[0]) == repr(both[1])
        return both[0]


@pytest.fixture
async def nodes(bootstrap: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Nodes]:
    from avatarforge.avatarforge_nodes import character, prompt

    monkeypatch.setattr(prompt, "encode_texts", lambda _, texts, __: list(texts))
    async with product(tmp_path) as forge:
        for name in ("files", "characters"):
            monkeypatch.setattr(bootstrap.registry, name, getattr(forge, name))
        yield Nodes(forge, bootstrap.registry, character.LoadCharacter, character.CharacterPrompt)


async def test_a_character_has_its_words_with_an_outfit_and_an_expression(nodes: Nodes) -> None:
    mira = await nodes.save(seed=7)
    plain = await nodes.load("mira")
    assert {name: plain[name] for name in OUTPUTS if not isinstance(plain[name], Blocker)} == {
        "description": "a young woman, red hair",
        "clothing": "a green dress",
        "negative": "hat",
        "style": "watercolor",
        "expression": "",
        "seed": 7,
        "realism": True,
    }
    dressed = await nodes.load(mira.upper(), outfit=" winter COAT ", expression="Smug")
    assert (dressed["clothing"], dressed["expression"]) == ("a long red coat, boots", "a smug grin")
    assert (await nodes.load("Mira", expression="happy"))["expression"] == "happy"


async def test_a_picture_of_each_role_is_the_one_that_suits(nodes: Nodes) -> None:
    """The pictures differ in their widths."""
    files = {width: await nodes.upload(width, width) for width in (64, 72, 80, 88, 96, 104)}
    references = [
        {"file_id": files[64], "strength": 0.0},
        {"file_id": files[72], "view": "front"},
        {"file_id": files[80], "view": "back"},
        {"file_id": files[88], "role": "face"},
        {"file_id": files[96], "role": "outfit"},
    ]
    coat = {"name": "Coat", "words": "a coat", "file_id": files[104]}
    await nodes.save(references=references, outfits=[coat])
    found = await nodes.load("Mira")
    assert [tuple(found[name].shape) for name in OUTPUTS[5:8]] == [
        (1, 64, width, 3) for width in (72, 88, 96)
    ]
    assert isinstance(found["identity"], torch.Tensor)
    assert 0 <= float(found["identity"].min()) < float(found["identity"].max()) <= 1
    for view, width in (("back", 80), ("back_left", 80), ("quarter", 72)):
        assert (await nodes.load("Mira", view=view))["identity"].shape[2] == width
    assert (await nodes.load("Mira", outfit="coat"))["outfit"].shape[2] == 104
    # A lost picture is in the way only of what uses it.
    nodes.forge.files.path(await nodes.forge.files.get(files[88])).unlink()
    lost = await nodes.load("Mira", missing="leave out")
    assert isinstance(lost["face"], Blocker)
    assert lost["identity"].shape[2] == 72


async def test_a_picture_that_is_missing_stops_what_uses_it_or_is_left_out(nodes: Nodes) -> None:
    await nodes.save()
    found = await nodes.load("Mira")
    for output, role in (("identity", "identity"), ("face", "face"), ("style_picture", "style")):
        assert isinstance(found[output], Blocker)
        assert f"'Mira' has no reference picture of the role {role}" in str(found[output].message)
    left_out = await nodes.load("Mira", missing="leave out")
    assert [left_out[name] for name in OUTPUTS[5:9]] == [None] * 4


async def test_nodes_that_take_a_picture_work_without_one(nodes: Nodes) -> None:
    from avatarforge.avatarforge_nodes.reference import ApplyReference, ReferenceLatent

    assert nodes.registry.characters is nodes.forge.characters
    assert ReferenceLatent.execute(None, None, 64, 64) == (None,)
    assert ApplyReference.execute("model", None, 1.0, 0.0, 1.0) == ("model",)


async def test_a_character_without_a_seed_always_has_the_same_one(nodes: Nodes) -> None:
    first, other = await nodes.save(), await nodes.save(name="Other")
    seeds = [(await nodes.load(name))["seed"] for name in (first, "Mira", other)]
    assert seeds[0] == seeds[1] != seeds[2]
    assert all(0 <= seed < 2**53 for seed in seeds)


async def test_the_words_of_a_view_are_those_of_a_request(nodes: Nodes) -> None:
    """By the specs that the API makes, in the words of every family."""
    mira = await nodes.save(seed=7)
    cases: tuple[tuple[str, dict[str, Any]], ...] = (
        ("front", {}),
        ("all four", {"prompt": "in the rain, red hair", "expression": "smug"}),
        ("back", {"outfit": "Winter coat", "clothing": "a scarf", "negative_prompt": "hat, rain"}),
        ("all eight", {"style": "pixel art", "expression": "angry", "elevation": "above"}),
        ("side", {"clothing": "rags", "style": "a style of its own"}),
    )
    for views, inputs in cases:
        rows = views_of_node(views)
        named = tuple(row for row in rows if row is not None)
        request = AvatarRequest(character_id=mira, **inputs)
        kind = "all_poses" if len(named) > 1 else "pose"
        if views == "all eight":
            request = AvatarRequest(character_id=mira, views=named, **inputs)
        record = await nodes.forge.generations.submit(request, kind, named)  # type: ignore[arg-type]
        parts = prompt_parts(record.spec)
        for family, prompt_kind in PROMPT_KINDS.items():
            wanted = [compose_prompt(parts, view, prompt_kind.words) for view in named]
            assert await nodes.texts("Mira", view=views, family=family, **inputs) == wanted, (views, family)


async def test_the_result_is_new_whenever_the_character_is(nodes: Nodes) -> None:
    mira = await nodes.save()
    first = await nodes.fingerprint("Mira")
    assert first == await nodes.fingerprint(mira) == await nodes.fingerprint(" MIRA ", 1)
    await nodes.forge.characters.change(mira, {"description": "an old woman"})
    assert await nodes.fingerprint("Mira") != first
    assert await nodes.fingerprint("Mira", 1) == first
    assert (await nodes.load("Mira"))["description"] == "an old woman"
    assert (await nodes.load("Mira", version=1))["description"] == "a young woman, red hair"
    await nodes.forge.characters.delete(mira)
    await nodes.save()
    assert await nodes.fingerprint("Mira", 1) != first
    # ComfyUI gives None for an input that another node decides.
    for linked in ((None, 0), ("Mira", None)):
        assert math.isnan(await nodes.fingerprint(*linked))


async def test_a_deleted_character_is_there_for_the_generations_that_show_it(nodes: Nodes) -> None:
    mira = await nodes.save()
    await nodes.forge.generations.submit(AvatarRequest(character_id=mira), "avatar", None)
    await nodes.forge.characters.delete(mira)
    assert (await nodes.load(mira, version=1))["description"] == "a young woman, red hair"
    for name, version in ((mira, 0), ("Mira", 1)):
        with pytest.raises(NotFoundError):
            await nodes.load(name, version=version)


@pytest.mark.parametrize(
    ("character", "inputs", "error", "said"),
    [
        ("Nobody", {}, NotFoundError, "No character 'Nobody' is saved. POST /characters saves one"),
        (" ", {}, UnprocessableError, "Enter the name or the id of a saved character. POST /characters"),
        ("0b0f4f5e-3c7a-4f0c-9d57-0b1a7c6a1f11", {}, NotFoundError, "is saved. POST /characters"),
        ("x" * 5000, {}, NotFoundError, "is saved. POST /characters"),
        ("Mira", {"version": 9}, NotFoundError, "has no version 9"),
        ("Mira", {"outfit": "crown"}, UnprocessableError, "has no outfit 'crown'. It has: Winter coat."),
        ("Mira", {"outfit": "x" * 101}, UnprocessableError, "has at most 100 characters"),
        ("Mira", {"expression": "dead"}, UnprocessableError, "There is no expression 'dead'"),
    ],
)
async def test_what_is_not_there_is_an_error_that_says_what_to_do(
    nodes: Nodes, character: str, inputs: dict[str, Any], error: type[AvatarForgeError], said: str
) -> None:
    await nodes.save()
    for run in (nodes.load, nodes.texts):
        with pytest.raises(error) as caught:
            await run(character, **inputs)
        assert said in str(caught.value)
        assert len(str(caught.value)) < 500


async def test_without_a_start_the_reason_is_the_error(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes.registry, "characters", None)
    monkeypatch.setattr(nodes.registry, "reason", "the disk is full")
    with pytest.raises(UnavailableError, match="the disk is full"):
        await nodes.load("Mira")
