"""Large pixels are made between the finished picture and its save node, in one palette for all views."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from family_requests import FamilyRequest, family_requests
from graphs import plain
from installed_models import everything
from specs import spec

from avatarforge.forge.errors import UnprocessableError
from avatarforge.forge.families.doll import DOLL
from avatarforge.forge.generations.resolve import resolve_request
from avatarforge.forge.generations.template import resolve_template
from avatarforge.forge.graphs.compile import compile_prompt, compile_reroll
from avatarforge.forge.graphs.links import PALETTE_INPUT, PIXEL_ART, link_of, sources_of
from avatarforge.forge.live.plan import plan
from avatarforge.forge.ports import Prompt
from avatarforge.forge.settings import Settings
from avatarforge.forge.spec.avatar import AvatarSpec, Turnaround
from avatarforge.forge.spec.request import AvatarRequest, parameters
from avatarforge.forge.spec.settings import PIXEL_COLORS
from avatarforge.forge.spec.views import SHEET_VIEWS
from avatarforge.forge.templates.fill import compile_template
from avatarforge.forge.templates.find import find_slots
from avatarforge.forge.templates.template import Template
from avatarforge.routes.requests import AvatarBody

ID = "11111111-1111-4111-8111-111111111111"
SAVE, LOAD = "AvatarForgeSave", "AvatarForgeLoadView"
SHEETS = [
    each
    for each in family_requests()
    if each.name == "all views, sequential" or (each.family == "doll" and each.name == "all views, batch")
]
BACK = SHEET_VIEWS.index("back")


def large(of: AvatarSpec, **changes: Any) -> AvatarSpec:
    return replace(of, pixel_height=96, pixel_colors=16, **changes)


def of_type(prompt: Prompt, class_type: str) -> dict[str, Any]:
    return {key: node["inputs"] for key, node in prompt.items() if node["class_type"] == class_type}


def resolved(views: tuple[str, ...] | None = ("front",), **fields: Any) -> AvatarSpec:
    request = AvatarRequest("a knight", **{"family": "sd15", "seed": 1, **fields})
    return resolve_request(request, views, None, (), everything(), Settings()).spec


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda each: f"{each.family}-{each.variant}-{each.name}")
def test_every_family_saves_reduced_views_and_looks_at_whole_ones(sheet: FamilyRequest) -> None:
    prompt = compile_prompt(large(sheet.spec), ID).prompt
    reductions = of_type(prompt, PIXEL_ART)
    first, *others = reductions
    assert len(reductions) == len(SHEET_VIEWS)
    assert PALETTE_INPUT not in reductions[first]
    assert [reductions[key][PALETTE_INPUT] for key in others] == [[first, 0]] * len(others)
    assert {(inputs["pixel_height"], inputs["colors"]) for inputs in reductions.values()} == {(96, 16)}
    assert [inputs["images"] for inputs in of_type(prompt, SAVE).values()] == [[key, 0] for key in reductions]
    readers = {
        (node["class_type"], name)
        for key, node in prompt.items()
        for name, source, _ in sources_of(prompt, key)
        if source in reductions
    }
    drawn = {(SAVE, "parts")} if sheet.family == DOLL.name else set()
    assert readers == {(SAVE, "images"), (PIXEL_ART, PALETTE_INPUT)} | drawn
    # Nothing else changes.
    plain_prompt = compile_prompt(sheet.spec, ID).prompt
    assert not of_type(plain_prompt, PIXEL_ART)
    assert len(prompt) == len(plain_prompt) + len(SHEET_VIEWS)
    used = [
        [(line.role, line.view, line.kind, line.strength) for line in compile_prompt(each, ID).inputs]
        for each in (sheet.spec, large(sheet.spec))
    ]
    assert used[0] == used[1]


def test_the_parts_of_a_drawing_are_reduced_with_it() -> None:
    (sheet,) = (each for each in SHEETS if each.family == "doll" and each.name == "all views, batch")
    prompt = compile_prompt(large(sheet.spec), ID).prompt
    for inputs in of_type(prompt, SAVE).values():
        reduction, output = link_of(inputs["parts"]) or ("", 0)
        assert (prompt[reduction]["class_type"], output) == (PIXEL_ART, 1)
        source = prompt[reduction]["inputs"]
        assert source["parts"] == [source["images"][0], 1]


@pytest.mark.parametrize("consistency", [0.0, 0.7])
@pytest.mark.parametrize("view", SHEET_VIEWS)
def test_a_reroll_has_the_palette_of_the_saved_front(view: str, consistency: float) -> None:
    position = SHEET_VIEWS.index(view)
    sheet = large(spec(), views=SHEET_VIEWS, consistency=consistency, reseeded={view: 7})
    prompt = compile_reroll(sheet, ID, position).prompt
    ((loader, loaded),) = of_type(prompt, LOAD).items()  # also where the view looks at it
    assert (loaded["generation_id"], loaded["position"]) == (ID, 1)
    (reduction,) = of_type(prompt, PIXEL_ART).values()
    assert reduction[PALETTE_INPUT] == [loader, 0]


def test_a_single_picture_has_a_palette_of_its_own() -> None:
    for compiled in (compile_prompt(large(spec()), ID), compile_reroll(large(spec()), ID, 0)):
        (reduction,) = of_type(compiled.prompt, PIXEL_ART).values()
        assert PALETTE_INPUT not in reduction
        assert not of_type(compiled.prompt, LOAD)


@pytest.mark.parametrize("turnaround", ["batch", "sequential"])
def test_progress_and_previews_do_not_take_a_palette_for_a_picture(turnaround: Turnaround) -> None:
    sheet = replace(spec(), views=SHEET_VIEWS, turnaround=turnaround)
    whole, reduced = (compile_prompt(each, ID).prompt for each in (sheet, large(sheet)))
    before, after = plan(whole, sheet), plan(reduced, sheet)
    for kind in ("KSampler", "VAEDecode", SAVE):
        views = [
            [planned.view_of(key) for key in of_type(prompt, kind)]
            for planned, prompt in ((before, whole), (after, reduced))
        ]
        assert views[0] == views[1]
    assert [after.view_of(key) for key in of_type(reduced, PIXEL_ART)] == list(SHEET_VIEWS)


def test_a_template_saves_reduced_views_too() -> None:
    graph = plain()
    mine = Template("t", "mine", 1, graph, find_slots(graph).slots)
    request = AvatarRequest("a knight", template="mine", pixel_height=64)
    given = (None, (), everything(), Settings())
    resolved_spec = resolve_template(request, mine, SHEET_VIEWS, *given).spec
    assert (resolved_spec.pixel_height, resolved_spec.pixel_colors) == (64, PIXEL_COLORS)
    prompt = compile_template(mine, resolved_spec, ID).prompt
    first, *others = of_type(prompt, PIXEL_ART)
    assert [prompt[key]["inputs"][PALETTE_INPUT] for key in others] == [[first, 0]] * 3
    (reduction,) = of_type(compile_template(mine, resolved_spec, ID, [BACK]).prompt, PIXEL_ART).values()
    assert prompt[first]["class_type"] == PIXEL_ART
    assert PALETTE_INPUT in reduction
    repeated = parameters(resolved_spec, "all_poses")
    assert (repeated["pixel_height"], repeated["pixel_colors"]) == (64, PIXEL_COLORS)


@pytest.mark.parametrize("family", ["flux2", "doll"])
def test_a_request_says_how_large_and_how_many_colours(family: str) -> None:
    assert (resolved(family=family).pixel_height, resolved(family=family).pixel_colors) == (None, None)
    wanted = resolved(family=family, pixel_height=128)
    assert (wanted.pixel_height, wanted.pixel_colors) == (128, PIXEL_COLORS)
    assert resolved(family=family, pixel_height=128, pixel_colors=8).pixel_colors == 8
    assert AvatarSpec.from_json(wanted.to_json()) == wanted
    body = AvatarBody.model_validate(parameters(wanted, "pose"))
    assert (
        resolve_request(
            AvatarRequest(**body.model_dump()), ("front",), None, (), everything(), Settings()
        ).spec
        == wanted
    )


def test_a_palette_without_large_pixels_is_refused() -> None:
    with pytest.raises(UnprocessableError) as caught:
        resolved(pixel_colors=8)
    assert (caught.value.code, caught.value.location) == ("field_not_applicable", ("body", "pixel_colors"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pixel_height", 15),
        ("pixel_height", 513),
        ("pixel_height", 16.5),
        ("pixel_height", True),
        ("pixel_colors", 1),
        ("pixel_colors", 257),
        ("pixel_colors", "8"),
    ],
)
def test_values_out_of_range_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        AvatarBody.model_validate({"prompt": "a knight", "pixel_height": 64, field: value})
