"""A request is filled in from a character: by value, without a database."""

from __future__ import annotations

from typing import Any

import pytest

from avatarforge.db.records import CharacterVersionRecord
from avatarforge.forge.characters.content import make_content
from avatarforge.forge.characters.use import FilledRequest, chosen_template, fill_request
from avatarforge.forge.spec.avatar import Kind
from avatarforge.forge.spec.character_content import DEFAULT_FIELDS, CharacterContent
from avatarforge.forge.spec.reference import RequestedReference
from avatarforge.forge.spec.request import AvatarRequest

REFERENCES = [
    {"file_id": "a", "view": "front"},
    {"file_id": "b", "view": "back", "strength": 0.5},
    {"file_id": "c", "role": "face"},
    {"file_id": "d", "role": "outfit"},
    {"file_id": "e", "role": "style"},
]


def fill(
    request: dict[str, Any],
    kind: Kind = "avatar",
    views: tuple[str, ...] | None = None,
    fillable: frozenset[str] | None = None,
    **character: Any,
) -> FilledRequest:
    content = make_content({"name": "Mira", "description": "red hair", **character})
    version = CharacterVersionRecord("id", 3, content.to_json(), 0)
    return fill_request(AvatarRequest(character_id="id", **request), version, kind, views, fillable)


def request_of(filled: FilledRequest) -> Any:
    """Without its types: a request may lack what a spec always has."""
    return filled.request


def used(filled: FilledRequest) -> list[str]:
    return [item.file_id for item in filled.references]


def test_references_of_a_role_give_way_to_those_of_the_request() -> None:
    for request, wanted in (
        ({}, "abcde"),
        ({"reference_file_id": "x"}, "cde"),
        ({"reference_image": "x"}, "cde"),
        ({"references": [{"file_id": "x"}]}, "cde"),
        ({"references": [{"file_id": "x", "role": "style"}]}, "abcd"),
        ({"references": [{"file_id": "x", "role": "face"}, {"file_id": "y", "role": "outfit"}]}, "abe"),
        ({"clothing": "rags"}, "abce"),
        ({"clothing": "a dress"}, "abcde"),
    ):
        assert used(fill(request, references=REFERENCES, clothing="a dress")) == list(wanted), request


def test_the_picture_of_an_outfit_takes_the_place_of_other_clothes() -> None:
    outfits = [{"name": "coat", "words": "a coat", "file_id": "k"}, {"name": "suit", "words": "a suit"}]
    worn = fill({"outfit": "COAT"}, references=REFERENCES, outfits=outfits)
    assert worn.references[-1] == RequestedReference("k", "outfit")
    assert used(worn) == list("abcek")
    assert used(fill({"outfit": "suit"}, references=REFERENCES, outfits=outfits)) == list("abce")
    own = {"outfit": "coat", "references": [{"file_id": "x", "role": "outfit"}]}
    assert used(fill(own, references=REFERENCES, outfits=outfits)) == list("abce")


def test_a_strength_of_the_request_is_that_of_the_identity() -> None:
    filled = fill({"reference_strength": 0.1}, references=REFERENCES)
    assert [item.strength for item in filled.references] == [0.1, 0.1, 0.8, 0.8, 0.8]
    assert [item.strength for item in fill({}, references=REFERENCES).references[:2]] == [0.8, 0.5]
    assert filled.references[1].view == "back"


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        (None, None, None),
        ("a hat", None, "a hat"),
        (None, "a hat", "a hat"),
        ("", "a hat", "a hat"),
        ("a hat", "", "a hat"),
        ("a hat", "a HAT", "a hat"),
        ("a hat, boots", "boots, gloves", "a hat, boots, gloves"),
        ("a hat", "a hat, boots", "a hat, boots"),
        ("(a, b:1.2)", "a", "(a, b:1.2), a"),
        ("(a", "b", "(a, b"),
    ],
)
def test_words_are_joined_once(first: str | None, second: str | None, wanted: str | None) -> None:
    joined = fill({"negative_prompt": second}, negative=first).request.negative_prompt
    assert joined == wanted
    assert fill({"negative_prompt": joined}, negative=first).request.negative_prompt == wanted


def test_settings_are_used_where_they_apply_only() -> None:
    defaults = {
        "consistency": 0.5,
        "turnaround": "sequential",
        "pose_mode": "raw",
        "views": ["front", "left"],
    }
    defaults |= {"reference_method": "attention", "pose_strength": 0.5, "steps": 4}
    sheet = request_of(fill({}, "all_poses", ("front", "back"), defaults=defaults))
    assert (sheet.views, sheet.consistency, sheet.turnaround) == (("front", "left"), 0.5, "sequential")
    assert (sheet.pose_mode, sheet.reference_method, sheet.pose_strength) == (None, None, 0.5)
    one = request_of(fill({"pose_file_id": "p", "reference_file_id": "r"}, defaults=defaults))
    assert (one.views, one.consistency, one.turnaround) == (None, None, None)
    assert (one.pose_mode, one.reference_method) == ("raw", "attention")
    alone = request_of(fill({"views": ["front"]}, "all_poses", ("front", "back"), defaults=defaults))
    assert (alone.views, alone.consistency) == (("front",), None)
    assert fill({}, references=REFERENCES, defaults=defaults).request.reference_method == "attention"
    assert fill({"model": "m"}, defaults=defaults).request.steps is None
    assert fill({"steps": 9}, defaults=defaults).request.steps == 9


def test_a_template_takes_what_it_has_slots_for() -> None:
    character: dict[str, Any] = {
        "negative": "hat",
        "style": "ink",
        "realism": True,
        "loras": [{"name": "a"}],
        "seed": 5,
        "template": "t",
        "defaults": {"width": 64, "steps": 3},
    }
    request = request_of(fill({}, fillable=frozenset({"prompt", "style", "width"}), **character))
    assert (request.style, request.width, request.template) == ("ink", 64, "t")
    chosen = (request.negative_prompt, request.realism, request.loras, request.seed, request.steps)
    assert chosen == (None,) * 5


def test_a_request_that_names_a_model_leaves_that_of_the_character() -> None:
    for field in ("model", "family", "template", "checkpoint"):
        content = make_content({"name": "a", "description": "b", "template": "mine"})
        named: dict[str, Any] = {field: "x"}
        request = AvatarRequest(**named)
        assert chosen_template(request, content) == ("x" if field == "template" else None)
        assert fill({field: "x"}, model="mine").request.model == ("x" if field == "model" else None)
    assert chosen_template(AvatarRequest(), content) == "mine"


def test_plain_settings_alone_can_be_defaults() -> None:
    assert {
        "width",
        "height",
        "steps",
        "cfg",
        "sampler",
        "scheduler",
        "elevation",
        "views",
    } <= DEFAULT_FIELDS.keys()
    others = {
        "prompt",
        "clothing",
        "style",
        "realism",
        "seed",
        "model",
        "family",
        "template",
        "checkpoint",
        "loras",
    }
    others |= {"pose_file_id", "reference_file_id", "references", "character_id", "outfit", "callback_url"}
    assert others & DEFAULT_FIELDS.keys() == set()


def test_what_a_later_release_stored_is_kept() -> None:
    text = (
        '{"version":2,"name":"a","description":"b","mood":"grim","outfits":[{"name":"o","words":"w","fur":1}],'
        '"defaults":{"width":64,"tomorrow":3}}'
    )
    content = CharacterContent.from_json(text)
    assert (content.outfits[0].words, content.references) == ("w", ())
    assert CharacterContent.from_json(content.to_json()) == content
    assert '"mood":"grim"' in content.to_json() and '"fur":1' in content.to_json()
    version = CharacterVersionRecord("id", 1, text, 0)
    assert fill_request(AvatarRequest(), version, "avatar", None, None).request.width == 64
    with pytest.raises(ValueError, match="incomplete"):
        CharacterContent.from_json('{"name":"a"}')
