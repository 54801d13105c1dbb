"""References on a real ComfyUI: each one counts, and versions of a character repeat their pictures."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from generating import pixels

from lab.api import Api

#: Runs exactly this body, and returns the finished generation.
Send = Callable[..., dict[str, Any]]
Reference = dict[str, Any]
Pixels = tuple[str, ...]


def roles(generation: dict[str, Any]) -> list[tuple[str, str]]:
    """The references in a receipt, as (file id, role)."""
    return [
        (line["file_id"], line["reference_role"])
        for line in generation["inputs"]
        if line["role"] == "reference"
    ]


def seen(api: Api, generation: dict[str, Any], references: Sequence[Reference]) -> Pixels:
    """The pixels of a generation, whose receipt has to name these references."""
    assert roles(generation) == [(item["file_id"], item["role"]) for item in references]
    return tuple(pixels(api, generation))


def each_counts(api: Api, send: Send, references: Sequence[Reference], **body: Any) -> dict[str, Pixels]:
    """Check that leaving out any reference changes pixels and receipt, and that strength 0 leaves it out.

    Returns the pixels with all of them as "all", and without one as "without " and its role and number.
    """
    found = {"all": seen(api, send(**body, references=references), references)}
    for number, item in enumerate(references, 1):
        others = [each for each in references if each is not item]
        found[f"without {item['role']} {number}"] = seen(api, send(**body, references=others), others)
    *rest, last = references
    off = send(**body, references=[*rest, {**last, "strength": 0.0}])
    assert seen(api, off, rest) == list(found.values())[-1]
    assert len(set(found.values())) == len(found)
    return found


def versions_repeat(api: Api, send: Send, references: Sequence[Reference], **body: Any) -> dict[str, Pixels]:
    """Check the same of two references of a character, the second of which its second version leaves out.

    Each version has its own pictures, whatever ran in between, and they are those of a request that says the
    same. `body` has words, a seed and a model or a family; what it has besides become defaults.
    """
    first, second = references
    own: dict[str, Any] = {name: body[name] for name in ("model", "family", "seed") if name in body}
    content: dict[str, Any] = {
        "name": f"Mira {secrets.token_hex(4)}",
        "description": body["prompt"],
        "references": [first, second],
        "defaults": {name: value for name, value in body.items() if name not in ("prompt", *own)},
        **own,
    }
    response = api.post("/characters", json=content)
    assert response.status_code == 200, response.text
    character_id = response.json()["character_id"]

    def show(references: Sequence[Reference], version: int | None = None) -> Pixels:
        which: dict[str, Any] = {} if version is None else {"character_version": version}
        done = send(character_id=character_id, **which)
        assert (done["character_id"], done["character_version"]) == (character_id, version or 2)
        return seen(api, done, references)

    both = show([first, second], 1)
    changed = api.request("PATCH", f"/characters/{character_id}", json={"references": [first]})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    without_second = show([first])
    asked = send(**body, references=[first, {**second, "strength": 0.0}])
    assert seen(api, asked, [first]) == without_second
    without_first = seen(api, send(**body, references=[second]), [second])
    assert show([first, second], 1) == both
    found = {"both": both, "without the second": without_second, "without the first": without_first}
    assert len(set(found.values())) == len(found)
    return found
