"""References by role: what each family takes of a request and of a character, and which view sees which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from family_requests import GENERATION, POSE, by_role
from graphs import edit_in_app_mode
from hypothesis import given as generated
from hypothesis import settings as limits
from hypothesis import strategies as st
from installed_models import everything, file_record

from avatarforge.forge.errors import AvatarForgeError, UnavailableError, UnprocessableError
from avatarforge.forge.families import FAMILIES
from avatarforge.forge.generations.references import GivenReference
from avatarforge.forge.generations.resolve import ResolvedRequest, resolve_request
from avatarforge.forge.generations.template import resolve_template
from avatarforge.forge.generations.transactions import used_files
from avatarforge.forge.graphs.capabilities import capabilities_of
from avatarforge.forge.graphs.compile import compile_prompt, compile_reroll
from avatarforge.forge.graphs.references import references_of, turn_between
from avatarforge.forge.ports import InstalledModels
from avatarforge.forge.settings import Settings
from avatarforge.forge.spec.avatar import AvatarSpec
from avatarforge.forge.spec.receipt import AppliedInput, Receipt
from avatarforge.forge.spec.reference import REFERENCE_ROLES, ReferenceRole, RequestedReference
from avatarforge.forge.spec.request import MOST_REFERENCES, AvatarRequest, parameters
from avatarforge.forge.spec.views import EIGHT_VIEWS, SHEET_VIEWS
from avatarforge.forge.templates.find import find_slots
from avatarforge.forge.templates.template import Template
from avatarforge.routes.requests import AvatarBody

ALL = everything()
#: With ComfyUI_IPAdapter_plus and all adapters of SD1.5 and SDXL.
ADAPTERS = replace(
    ALL,
    samplers=(*ALL.samplers, "dpmpp_2m"),
    schedulers=(*ALL.schedulers, "karras"),
    ipadapters=(
        "ip-adapter-plus_sd15.safetensors",
        "ip-adapter-plus-face_sd15.safetensors",
        "ip-adapter-plus_sdxl_vit-h.safetensors",
        "ip-adapter-plus-face_sdxl_vit-h.safetensors",
    ),
    clip_visions=(*ALL.clip_visions, "CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors"),
)


def people(*views: str | None, **fields: Any) -> tuple[GivenReference, ...]:
    """Pictures of one person from several sides."""
    return tuple(
        GivenReference(
            file_record(f"{number} {view}"), view=view, **{"field": ("references", number), **fields}
        )
        for number, view in enumerate(views)
    )


def brought(*roles: ReferenceRole) -> tuple[GivenReference, ...]:
    return tuple(replace(item, from_character=True) for item in by_role(*roles))


def resolved(
    family: str,
    given: Sequence[GivenReference],
    views: tuple[str, ...] | None = None,
    installed: InstalledModels = ADAPTERS,
    **fields: Any,
) -> ResolvedRequest:
    pose = fields.pop("pose", None)
    request = AvatarRequest("a knight", family=family, seed=1, **fields)
    return resolve_request(request, views, pose, given, installed, Settings())


def refusal(*given: Any, **fields: Any) -> UnprocessableError:
    with pytest.raises(UnprocessableError) as caught:
        resolved(*given, **fields)
    return caught.value


def lines(spec: AvatarSpec) -> list[AppliedInput]:
    return [line for line in compile_prompt(spec, GENERATION).inputs if line.role == "reference"]


def seen_in(receipt: Sequence[AppliedInput]) -> set[tuple[str | None, str | None]]:
    return {(line.file_id, line.reference_role) for line in receipt if line.role == "reference"}


def ids(references: Sequence[GivenReference]) -> list[str]:
    return [item.record.id for item in references]


def taken(family: str) -> dict[ReferenceRole, bool]:
    """Role -> whether the family declares it by any method."""
    found = {role for row in FAMILIES[family].references.values() for role in row.roles}
    return {role: role in found for role in REFERENCE_ROLES}


# Each family


@pytest.mark.parametrize("family", FAMILIES)
def test_each_role_is_in_the_receipt_or_refused_by_name(family: str) -> None:
    for role, works in taken(family).items():
        given = by_role(role)
        if works:
            (line,) = lines(resolved(family, given).spec)
            assert (line.file_id, line.reference_role) == (given[0].record.id, role)
            continue
        caught = refusal(family, given)
        assert caught.code == "not_supported_by_family"
        assert caught.location[:3] == ("body", "references", 0)
        assert FAMILIES[family].label in caught.detail
        assert role in caught.detail or not FAMILIES[family].references


@pytest.mark.parametrize(
    ("family", "method"),
    [(name, method) for name, row in FAMILIES.items() for method in row.references],
)
def test_leaving_one_of_several_out_changes_the_prompt(family: str, method: str) -> None:
    row = FAMILIES[family].references[method]  # type: ignore[index]
    several = len(row.roles) > 1
    given = by_role(*row.roles[: row.most]) if several else people("front", None)
    whole = resolved(family, given, reference_method=method).spec
    assert [(line.file_id, line.reference_role) for line in lines(whole)] == [
        (item.record.id, item.role) for item in given
    ]
    prompt = compile_prompt(whole, GENERATION).prompt
    prompts = [prompt]
    for item in given:
        others = [each for each in given if each is not item]
        spec = resolved(family, others, reference_method=method).spec
        assert ids(others) == [line.file_id for line in lines(spec)]
        prompts.append(compile_prompt(spec, GENERATION).prompt)
        # Strength 0 is the same as absence, and is remembered.
        off = [replace(each, strength=0.0) if each is item else each for each in given]
        silent = resolved(family, off, reference_method=method).spec
        assert compile_prompt(silent, GENERATION) == compile_prompt(spec, GENERATION)
        assert len(silent.references) == len(given)
    assert all(one != other for at, one in enumerate(prompts) for other in prompts[:at])
    # Each picture is loaded once, and each load leads somewhere.
    loaders = {key for key, node in prompt.items() if node["class_type"] == "AvatarForgeLoadReference"}
    used = {
        value[0] for node in prompt.values() for value in node["inputs"].values() if isinstance(value, list)
    }
    assert len(loaders) == len(given)
    assert loaders <= used


@pytest.mark.parametrize(
    ("family", "method"),
    [(name, method) for name, row in FAMILIES.items() for method in row.references],
)
def test_one_too_many_is_refused_with_the_limit(family: str, method: str) -> None:
    row = FAMILIES[family].references[method]  # type: ignore[index]
    count = row.each or row.most
    fitting = people(*[None] * count)
    assert len(lines(resolved(family, fitting, reference_method=method).spec)) == count
    caught = refusal(family, people(*[None] * (count + 1)), reference_method=method)
    assert (caught.code, caught.location) == (
        "not_supported_by_family",
        ("body", "references", count),
    )
    assert f"takes {row.most} reference picture" in caught.detail


def test_the_skeleton_and_the_front_take_places_of_numbered_pictures() -> None:
    three = by_role("identity", "face", "outfit")
    assert len(lines(resolved("qwen_edit", three).spec)) == 3
    posed = refusal("qwen_edit", three, pose=POSE)
    assert "takes 2 reference pictures beside the skeleton for a view" in posed.detail
    assert posed.location == ("body", "references", 2)
    sheet = refusal("qwen_edit", three[:2], SHEET_VIEWS)
    assert "takes 1 reference picture beside the skeleton and the front" in sheet.detail
    free = resolved("qwen_edit", three[:2], SHEET_VIEWS, pose_strength=0.0).spec
    assert len(lines(free)) == 2 * len(SHEET_VIEWS)
    alone = resolved("qwen_edit", three, SHEET_VIEWS, pose_strength=0.0, consistency=0.0).spec
    assert len(lines(alone)) == 3 * len(SHEET_VIEWS)
    # Every view of it can be generated again alone, with no more pictures than its model takes.
    for spec in (free, resolved("flux2", by_role(*REFERENCE_ROLES), SHEET_VIEWS).spec):
        for position, view in enumerate(spec.views):
            again = compile_reroll(spec, GENERATION, position).inputs
            before = [line for line in compile_prompt(spec, GENERATION).inputs if line.view == view]
            assert {line.view for line in again} == {view}
            assert seen_in(again) == seen_in(before)


# Methods


def test_the_best_method_that_takes_all_roles_is_chosen() -> None:
    plain = resolved("sdxl", by_role("identity"), installed=ALL).spec.references
    assert [use.method for use in plain] == ["attention"]
    styled = resolved("sdxl", by_role("identity", "style", "face")).spec
    assert [(use.role, use.method, use.preset) for use in styled.references] == [
        ("identity", "ipadapter", "PLUS (high strength)"),
        ("face", "ipadapter", "PLUS FACE (portraits)"),
        ("style", "ipadapter", "PLUS (high strength)"),
    ]
    prompt = compile_prompt(styled, GENERATION).prompt
    nodes = [(key, node["class_type"], node["inputs"]) for key, node in prompt.items()]
    loaders = {key: inputs for key, kind, inputs in nodes if kind == "IPAdapterUnifiedLoader"}
    applied = [inputs for _, kind, inputs in nodes if kind == "IPAdapterAdvanced"]
    assert [inputs["weight_type"] for inputs in applied] == ["linear", "linear", "style transfer"]
    # One loader for each preset, the second chained to the first, so that nothing is loaded twice.
    first, second = loaders
    assert "ipadapter" not in loaders[first]
    assert loaders[second]["ipadapter"] == [first, 1]
    assert [inputs["ipadapter"][0] for inputs in applied] == [first, second, first]


def test_a_role_whose_files_are_missing_is_refused_with_their_names() -> None:
    no_face = replace(ADAPTERS, ipadapters=("ip-adapter-plus_sdxl_vit-h.safetensors",))
    with pytest.raises(UnavailableError, match="ip-adapter-plus-face_sdxl_vit-h") as caught:
        resolved("sdxl", by_role("face"), installed=no_face)
    assert caught.value.code == "reference_model_missing"
    older = replace(ADAPTERS, nodes=ADAPTERS.nodes - {"IPAdapterPreciseStyleTransfer"})
    with pytest.raises(UnavailableError, match="a newer release of the node pack ComfyUI_IPAdapter_plus"):
        resolved("sdxl", by_role("style"), installed=older)
    assert len(lines(resolved("sdxl", by_role("face"), installed=older).spec)) == 1
    with pytest.raises(UnavailableError, match="models/ipadapter"):
        resolved("sdxl", by_role("style"), installed=ALL)


def test_a_method_has_to_take_every_role() -> None:
    caught = refusal("sdxl", by_role("identity", "style"), reference_method="attention")
    assert caught.location == ("body", "references", 1, "role")
    assert "attention: identity" in caught.detail
    assert refusal("sdxl", by_role("style"), reference_method="picture").location == (
        "body",
        "reference_method",
    )


def test_the_capabilities_say_how_many_of_which_roles_work() -> None:
    for installed, roles in ((ADAPTERS, ("identity", "face", "style")), (ALL, ())):
        table = {model.family: model for model in capabilities_of(installed, Settings()).models}
        found = {item.method: item for item in table["sdxl"].references}
        assert (found["ipadapter"].most, found["ipadapter"].roles) == (4, roles)
        assert found["attention"].roles == ("identity",)
        for family, model in table.items():
            assert family is not None
            assert [item.method for item in model.references] == [item.name for item in model.reference]


# Views


def test_a_view_sees_the_pictures_that_show_it_best() -> None:
    sides = people("front", "back", "left", None)
    front, back, left, unknown = ids(sides)
    spec = resolved("qwen_edit", sides[:3], EIGHT_VIEWS).spec
    seen = {view: [use.file_id for use in references_of(spec, view)] for view in EIGHT_VIEWS}
    assert seen == {
        "front": [front],
        "quarter_left": [front],
        "left": [left],
        "back_left": [back],
        "back": [back],
        "back_right": [back],
        "right": [front],
        "quarter_right": [front],
    }
    assert {(line.view, line.file_id) for line in lines(spec)} == {
        (view, uses[0]) for view, uses in seen.items()
    }
    # With room for all, they come in the order of their distance.
    spec = resolved("flux2", sides, SHEET_VIEWS, turnaround="sequential").spec
    assert [use.file_id for use in references_of(spec, "back")] == [back, unknown, left, front]
    batch = resolved("flux2", sides, SHEET_VIEWS, turnaround="batch").spec
    assert [use.file_id for use in references_of(batch, "back")] == [front, unknown, left, back]


def test_turns_are_compared_around_the_circle() -> None:
    assert turn_between("back_left", "back_right") == 90
    assert turn_between("right", "back_right") == 45
    assert turn_between("side", "left") == 0
    assert turn_between(None, None) == 0


@pytest.mark.parametrize("family", ["sdxl", "anima"])
def test_each_view_is_sampled_with_its_own_references_where_they_do_not_all_fit(family: str) -> None:
    sides = people(*EIGHT_VIEWS)
    spec = resolved(family, sides, EIGHT_VIEWS, turnaround="sequential").spec
    compiled = compile_prompt(spec, GENERATION)
    for view in EIGHT_VIEWS:
        uses = [use.file_id for use in references_of(spec, view)]
        assert len(uses) == 4
        assert ids(sides)[EIGHT_VIEWS.index(view)] == uses[0]
        found = [line for line in compiled.inputs if (line.role, line.view) == ("reference", view)]
        assert [line.file_id for line in found] == uses
        # The node is upstream of the sampler of this view, and of no other reference's view.
        sampler = next(
            node
            for node in compiled.prompt.values()
            if node["class_type"] == "KSampler" and f"({view})" in node["_meta"]["title"]
        )
        model, chain = sampler["inputs"]["model"], set()
        while "model" in compiled.prompt[model[0]]["inputs"]:
            chain.add(model[0])
            model = compiled.prompt[model[0]]["inputs"]["model"]
        reference_nodes = {line.node for line in compiled.inputs if line.role == "reference"}
        assert chain & reference_nodes == {line.node for line in found}
    # In a batch all rows see those of the front; what none sees is refused.
    refused = refusal(family, sides, EIGHT_VIEWS, turnaround="batch")
    assert refused.location[:2] == ("body", "references")


def test_the_paper_doll_takes_the_best_picture_for_each_view() -> None:
    sides = people("front", "back")
    spec = resolved("doll", sides, SHEET_VIEWS, turnaround="sequential").spec
    assert {line.view: line.file_id for line in lines(spec)} == {
        "front": ids(sides)[0],
        "back": ids(sides)[1],
        "side": ids(sides)[0],
        "quarter": ids(sides)[0],
    }
    assert refusal("doll", sides, SHEET_VIEWS, turnaround="batch").location == ("body", "references", 1)


# What a character brings


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_character_brings_never_refuses_a_request(family: str) -> None:
    given = brought(*REFERENCE_ROLES)
    for views in (None, SHEET_VIEWS):
        done = resolved(family, given, views)
        used = {use.file_id for use in done.spec.references}
        left_out = [item for item in given if item.record.id not in used]
        assert {line.file_id for line in lines(done.spec)} == used
        warnings = [item for item in done.warnings if item.code == "references_left_out"]
        named = [name for warning in warnings for name in warning.parameters["references"]]  # type: ignore[union-attr]
        assert sorted(named) == sorted(f"{item.role} {item.record.id}" for item in left_out)
        assert all(name in warnings[0].detail for name in named)
        if FAMILIES[family].references:
            assert given[0].record.id in used  # identity comes first


def test_style_gives_way_first_and_what_the_request_names_stays() -> None:
    spec = resolved("qwen_edit", brought(*REFERENCE_ROLES)).spec
    assert [use.role for use in spec.references] == ["identity", "face", "outfit"]
    own = by_role("style")
    mixed = resolved("qwen_edit", (*own, *brought("identity", "face", "outfit"))).spec
    assert [use.role for use in mixed.references] == ["identity", "face", "style"]
    full = by_role("face", "outfit", "style")
    crowded = resolved("qwen_edit", (*full, *brought("identity"))).spec
    assert [use.role for use in crowded.references] == ["face", "outfit", "style"]
    outfits = (*by_role("outfit"), replace(brought("outfit")[0], record=file_record("other coat")))
    assert [use.file_id for use in resolved("doll", outfits).spec.references] == ids(by_role("outfit"))


def test_pictures_of_sides_that_no_view_shows_are_left_out() -> None:
    sides = people(*EIGHT_VIEWS, from_character=True)
    done = resolved("qwen_edit", sides, ("back",))
    assert [use.view for use in done.spec.references] == ["back_left", "back"]
    (warning,) = done.warnings
    assert warning.code == "references_left_out"
    assert len(warning.parameters["references"]) == 6  # type: ignore[arg-type]


def test_what_is_used_of_a_character_with_many_can_be_repeated() -> None:
    sides = people(*EIGHT_VIEWS, *EIGHT_VIEWS, from_character=True)
    given = (*sides, *brought("face", "style"), *by_role("identity"))
    done = resolved("sdxl", given, EIGHT_VIEWS, turnaround="sequential")
    roles = [use.role for use in done.spec.references]
    assert len(roles) == MOST_REFERENCES
    assert roles[-2:] == ["face", "style"]
    AvatarBody.model_validate(parameters(done.spec, "all_poses"))
    (warning,) = [item for item in done.warnings if item.code == "references_left_out"]
    assert len(warning.parameters["references"]) == len(given) - MOST_REFERENCES  # type: ignore[arg-type]
    # Strength 0 is absence: no place is taken, and nobody is warned.
    silent = resolved("sdxl", people(None, from_character=True, strength=0.0))
    assert (silent.spec.references, silent.warnings) == ((), ())


def test_the_method_is_chosen_for_as_many_roles_of_a_character_as_possible() -> None:
    done = resolved("sdxl", brought("identity", "style"))
    assert {(use.role, use.method) for use in done.spec.references} == {
        ("identity", "ipadapter"),
        ("style", "ipadapter"),
    }
    only = resolved("sdxl", brought("identity", "style"), installed=ALL)
    assert [(use.role, use.method) for use in only.spec.references] == [("identity", "attention")]
    assert [item.code for item in only.warnings] == ["references_left_out"]


# Rows


def test_what_was_used_is_a_request_that_repeats_it() -> None:
    for family, given, views in (
        ("qwen_edit", by_role("identity", "face", "outfit"), None),
        ("flux2", people("front", "back"), SHEET_VIEWS),
        ("doll", by_role("face", "outfit"), SHEET_VIEWS),
        ("sdxl", (replace(by_role("style")[0], strength=0.3), *people("front")), None),
        ("chroma", (replace(by_role("style")[0], strength=0.0),), None),
    ):
        first = resolved(family, given, views).spec
        kind = "all_poses" if views else "avatar"
        again = AvatarRequest(**AvatarBody.model_validate(parameters(first, kind)).model_dump())
        records = {item.record.id: item.record for item in given}
        assert again.references is not None
        named = [_given(item, records, number) for number, item in enumerate(again.references)]
        spec = resolve_request(again, views, None, named, ADAPTERS, Settings()).spec
        assert spec == first
        assert AvatarSpec.from_json(first.to_json()) == first


def _given(item: RequestedReference, records: dict[str, Any], number: int) -> GivenReference:
    return GivenReference(
        records[item.file_id], item.role, item.strength, item.view, field=("references", number)
    )


def test_every_file_is_a_use_of_its_own() -> None:
    spec = resolved("flux2", by_role(*REFERENCE_ROLES)).spec
    assert used_files(spec) == {
        "reference": spec.references[0].file_id,
        "reference_2": spec.references[1].file_id,
        "reference_3": spec.references[2].file_id,
        "reference_4": spec.references[3].file_id,
    }
    assert max(len(role) for role in used_files(spec)) <= 16  # the column's length


def test_the_role_is_stored_in_the_receipt() -> None:
    receipt = Receipt(compile_prompt(resolved("qwen_edit", by_role("face")).spec, GENERATION).inputs)
    assert Receipt.from_json(receipt.to_json()) == receipt
    assert [line.reference_role for line in receipt.inputs] == ["face"]


def test_a_strength_that_is_no_choice_of_the_list_is_not_warned_of() -> None:
    wanted = [RequestedReference(item.record.id, item.role, 0.8) for item in by_role("identity", "face")]
    assert not resolved("qwen_edit", by_role("identity", "face"), references=tuple(wanted)).warnings
    weak = (replace(wanted[0], strength=0.3), wanted[1])
    given = by_role("identity", "face")
    (warning,) = resolved("qwen_edit", (replace(given[0], strength=0.3), given[1]), references=weak).warnings
    assert (warning.code, warning.parameters["field"]) == ("strength_counts_as_one", "references")


@limits(max_examples=60, deadline=None)
@generated(
    st.sampled_from([*FAMILIES]),
    st.sampled_from([None, ("back",), SHEET_VIEWS, EIGHT_VIEWS]),
    st.lists(
        st.builds(
            GivenReference,
            st.sampled_from([file_record(str(number)) for number in range(8)]),
            st.sampled_from(REFERENCE_ROLES),
            st.sampled_from([0.0, 0.5, 1.0]),
            st.sampled_from([None, *EIGHT_VIEWS]),
            st.booleans(),
            st.just(("references", 0)),
        ),
        max_size=8,
        unique_by=lambda item: (item.record.id, item.role),
    ),
)
def test_no_reference_is_dropped_silently(
    family: str, views: tuple[str, ...] | None, given: list[GivenReference]
) -> None:
    try:
        done = resolved(family, given, views)
    except AvatarForgeError as error:
        assert error.code in ("not_supported_by_family", "reference_model_missing")
        assert any(not item.from_character and item.strength for item in given)
        return
    applied = {(line.file_id, line.reference_role) for line in lines(done.spec)}
    named = {
        name
        for warning in done.warnings
        if warning.code == "references_left_out"
        for name in warning.parameters["references"]  # type: ignore[union-attr]
    }
    for item in given:
        left_out = f"{item.role} {item.record.id}" in named
        assert ((item.record.id, item.role) in applied) is (item.strength > 0 and not left_out)
        assert item.from_character or not left_out
    for view, use in product(done.spec.views, done.spec.references):
        uses = references_of(done.spec, view)
        assert (use in uses) == any(
            (line.file_id, line.reference_role, line.view) == (use.file_id, use.role, view)
            for line in lines(done.spec)
        )


# Templates


def of_template(
    given: Sequence[GivenReference], views: tuple[str, ...] | None = None, *, slot: bool = True
) -> ResolvedRequest:
    graph, workflow = edit_in_app_mode()
    slots = dict(find_slots(graph, workflow, {}).slots)
    if not slot:
        del slots["reference"]
    mine = Template("11111111-1111-4111-8111-111111111111", "mine", 1, graph, slots)
    request = AvatarRequest("a knight", template="mine")
    return resolve_template(request, mine, views, None, given, ALL, Settings())


def test_a_template_takes_one_picture_of_the_person_for_each_view() -> None:
    sides = people("front", "back")
    spec = of_template(sides, SHEET_VIEWS).spec
    assert {view: [use.file_id for use in references_of(spec, view)] for view in SHEET_VIEWS} == {
        "front": [ids(sides)[0]],
        "back": [ids(sides)[1]],
        "side": [ids(sides)[0]],
        "quarter": [ids(sides)[0]],
    }
    assert [use.strength for use in spec.references] == [1.0, 1.0]
    assert parameters(spec, "all_poses")["references"] is not None
    for given, where in ((sides, 1), (by_role("identity", "style"), 1)):
        with pytest.raises(UnprocessableError) as caught:
            of_template(given, ("front",))
        assert caught.value.location[:3] == ("body", "references", where)
        assert "'mine'" in caught.value.detail
    silent = of_template([replace(item, strength=0.0) for item in by_role("style")]).spec
    assert [use.strength for use in silent.references] == [0.0]
    assert references_of(silent, "front") == ()


@pytest.mark.parametrize("slot", [True, False])
def test_a_template_leaves_out_what_only_a_character_brings(slot: bool) -> None:
    done = of_template(brought("identity", "outfit"), slot=slot)
    assert [use.role for use in done.spec.references] == ["identity"] * slot
    (warning,) = [item for item in done.warnings if item.code == "references_left_out"]
    assert len(warning.parameters["references"]) == 2 - slot  # type: ignore[arg-type]
    assert "mine" in warning.detail
