"""The nodes of a saved character in graphs that a real ComfyUI runs, which has no model at all."""

from __future__ import annotations

import hashlib
import io
import secrets
from typing import Any

import pytest
from generating import fresh, pixels
from graphs import Graph, node
from PIL import Image

from lab.api import Api
from lab.server import ComfyServer

WORDS: dict[str, Any] = {"style": "", "realism": False, "negative_prompt": "", "view": "front"}
SMALL: dict[str, Any] = {"width": 64, "height": 96, "seed": 3, "view_seed": -1}
SMALL |= {"consistency": 1.0, "steps": 1}


@pytest.fixture(scope="module")
def doll(modelless: ComfyServer) -> Api:
    return Api(modelless.url)


def sent(api: Api, method: str, path: str, **body: Any) -> dict[str, Any]:
    answer = api.request(method, path, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def loads(name: str) -> dict[str, Any]:
    values: dict[str, Any] = {"version": 0, "outfit": "", "expression": "", "view": "any", "missing": "error"}
    return node("AvatarForgeLoadCharacter", character=name, **values)


def template(api: Api, graph: Graph) -> str:
    name: str = sent(api, "POST", "/templates", name=f"graph {secrets.token_hex(4)}", prompt=graph)["name"]
    return name


def ended(api: Api, **body: Any) -> dict[str, Any]:
    generation: dict[str, Any] = api.wait(sent(api, "POST", "/generate/avatar", **body)["generation_id"])
    return generation


def test_a_graph_never_shows_what_a_character_was_before(doll: Api) -> None:
    name = f"Mira {secrets.token_hex(4)}"
    graph = {
        "1": loads(name),
        "2": node("AvatarForgePaperDoll", prompt="a woman", clothing=["1", 1], **WORDS, **SMALL),
        "3": node("SaveImage", filename_prefix="mira", images=["2", 0]),
    }
    body = {"template": template(doll, graph), "prompt": "a young woman, red hair", "seed": 3}
    missing = ended(doll, **body)
    assert f"No character '{name}' is saved. POST /characters saves one" in missing["error"]
    mira = sent(doll, "POST", "/characters", name=name, description="a woman", clothing="a green dress")
    green, again = (pixels(doll, ended(doll, **body)) for _ in range(2))
    assert green == again
    sent(doll, "PATCH", f"/characters/{mira['character_id']}", clothing="black armour, a helmet")
    black = pixels(doll, ended(doll, **body))
    assert len(black) == 1 and black != green


def test_a_picture_that_a_character_lacks_is_the_error_of_what_uses_it(doll: Api) -> None:
    name = f"Vex {secrets.token_hex(4)}"
    graph = {"1": loads("Somebody"), "2": node("SaveImage", filename_prefix="vex", images=["1", 5])}
    vex = sent(doll, "POST", "/characters", name=name, description="a knight")
    body = {"template": template(doll, graph), "character_id": vex["character_id"]}
    failed = ended(doll, **body)
    assert failed["status"] == "failed"
    assert f"The character '{name}' has no reference picture of the role identity" in failed["error"]
    shown = fresh()
    references = [{"file_id": doll.upload(shown, "reference")["file_id"]}]
    sent(doll, "PATCH", f"/characters/{vex['character_id']}", references=references)
    done = ended(doll, **body)
    assert (done["status"], done["warnings"]) == ("completed", [])
    with Image.open(io.BytesIO(shown)) as picture:
        assert pixels(doll, done) == [hashlib.sha256(picture.convert("RGB").tobytes()).hexdigest()]
