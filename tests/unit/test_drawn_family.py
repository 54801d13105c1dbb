"""The family that draws its pictures: when it is chosen, what it refuses, and the graphs that it compiles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from family_requests import JSON, KEPT, PHOTO, POSE, REFERENCE, whole
from installed_models import everything

from avatarforge.db.records import FileRecord
from avatarforge.forge.errors import UnavailableError, UnprocessableError
from avatarforge.forge.families import FAMILIES, MODEL_FAMILIES
from avatarforge.forge.families.doll import DOLL
from avatarforge.forge.generations.example import example_prompt
from avatarforge.forge.generations.references import GivenReference
from avatarforge.forge.generations.resolve import GivenPose, ResolvedRequest, resolve_request
from avatarforge.forge.graphs.capabilities import capabilities_of, is_usable
from avatarforge.forge.graphs.compile import compile_prompt, compile_reroll
from avatarforge.forge.graphs.drawn_words import LISTED, words_warnings
from avatarforge.forge.graphs.links import PAPER_DOLL
from avatarforge.forge.graphs.models import require_models, with_installed_names
from avatarforge.forge.live.plan import OTHER_SHARE, plan
from avatarforge.forge.pictures.doll.views import SAME_SEED
from avatarforge.forge.ports import InstalledModels, NodeState, Prompt
from avatarforge.forge.settings import Settings
from avatarforge.forge.spec.avatar import NOT_USED, AvatarSpec
from avatarforge.forge.spec.character import CharacterUse
from avatarforge.forge.spec.request import AvatarRequest, parameters
from avatarforge.forge.spec.views import SHEET_VIEWS
from avatarforge.forge.templates.fill import compile_template
from avatarforge.forge.templates.find import find_slots
from avatarforge.forge.templates.template import Template, trial_spec
from avatarforge.routes.requests import AvatarBody

GENERATION = "11111111-1111-4111-8111-111111111111"
NOTHING = InstalledModels((), (), ("euler",), ("normal",))
ALL = everything()
NO_EXTRACTOR = replace(ALL, nodes=frozenset(), sdpose=())


def resolved(
    views: tuple[str, ...] | None = ("front",),
    pose: GivenPose | None = None,
    reference: FileRecord | None = None,
    installed: InstalledModels = NOTHING,
    settings: Settings | None = None,
    references: tuple[GivenReference, ...] = (),
    **fields: Any,
) -> ResolvedRequest:
    request = AvatarRequest(**{"prompt": "a knight", "family": "doll", "seed": 1, **fields})
    given = references or whole(reference, fields.get("reference_strength"))
    return resolve_request(request, views, pose, given, installed, settings or Settings())


def refusal(*given: Any, **fields: Any) -> UnprocessableError:
    with pytest.raises(UnprocessableError) as caught:
        resolved(*given, **fields)
    return caught.value


def nodes(prompt: Prompt, class_type: str) -> list[dict[str, Any]]:
    return [node["inputs"] for node in prompt.values() if node["class_type"] == class_type]


def compiled(*given: Any, **fields: Any) -> Prompt:
    return compile_prompt(resolved(*given, **fields).spec, GENERATION).prompt


# When it is chosen


@pytest.mark.parametrize(
    "named",
    [
        {"family": "doll"},
        {"family": None, "model": "Paper doll"},
        {"family": None, "model": "PAPER DOLL"},
        {"family": None, "checkpoint": "paper doll"},
        {"family": "doll", "model": "Paper doll", "checkpoint": "Paper doll"},
    ],
)
def test_a_request_that_names_it_needs_no_model(named: dict[str, Any]) -> None:
    spec = resolved(**named).spec
    assert (spec.family, spec.checkpoint, spec.is_drawn) == ("doll", "Paper doll", True)
    assert (spec.width, spec.height, spec.steps, spec.consistency) == (512, 768, 4, 1.0)
    require_models(NOTHING, spec)
    prompt = compile_prompt(spec, GENERATION).prompt
    assert with_installed_names(prompt, NOTHING) == prompt


@pytest.mark.parametrize("realism", [False, True])
def test_it_is_never_chosen_by_itself(realism: bool) -> None:
    assert resolved(family=None, realism=realism, installed=ALL).spec.family != "doll"
    with pytest.raises(UnavailableError) as caught:
        resolved(family=None, realism=realism)
    assert caught.value.code == "checkpoint_missing"
    assert '"family": "doll"' in caught.value.detail


def test_family_and_model_have_to_agree() -> None:
    assert refusal(family="sdxl", model="Paper doll").code == "family_mismatch"
    assert refusal(model="sdxl.safetensors", installed=ALL).code == "family_mismatch"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_setting_chooses_the_family_of_requests_that_name_none(family: str) -> None:
    settings = Settings(default_family=family, checkpoint_anime="sd15.safetensors")
    assert resolved(family=None, installed=ALL, settings=settings).spec.family == family
    other = "flux" if family != "flux" else "sdxl"
    assert resolved(family=other, installed=ALL, settings=settings).spec.family == other
    model = f"{other}.safetensors"
    assert resolved(family=None, model=model, installed=ALL, settings=settings).spec.family == other


def test_a_family_of_the_settings_without_a_model_is_said() -> None:
    with pytest.raises(UnavailableError, match="DEFAULT_FAMILY"):
        resolved(family=None, settings=Settings(default_family="sdxl"))
    with pytest.raises(ValueError, match=r"DEFAULT_FAMILY='sdx' is no family; there are: sd15, .*doll"):
        Settings(default_family="sdx")


def test_it_is_listed_last_and_is_no_model() -> None:
    for installed in (NOTHING, ALL):
        table = capabilities_of(installed, Settings())
        *others, doll = table.models
        assert [model.drawn for model in (*others, doll)] == [False] * len(others) + [True]
        assert (doll.name, doll.family, doll.folder, is_usable(doll)) == ("Paper doll", "doll", "", True)
        assert [method.name for method in (*doll.pose, *doll.reference)] == ["keypoints", "palette"]
        assert set(doll.lacks) == {"cfg", "sampler", "scheduler", "loras", "elevation"}
        assert doll.defaults is not None
        assert (doll.defaults.steps, doll.defaults.cfg) == (4, None)
        assert doll not in table.checkpoints
        *_, family = table.families
        assert (family.name, family.label, family.installed) == ("doll", "Paper doll (drawn, no model)", 1)
        assert [item.drawn for item in table.families] == [False] * len(MODEL_FAMILIES) + [True]
    assert capabilities_of(ALL, Settings()).reasons == ()
    assert capabilities_of(NOTHING, Settings()).reasons[0].startswith("No model of a known family")


# What it refuses


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cfg", 1.0),
        ("sampler", "euler"),
        ("scheduler", "normal"),
        ("loras", [{"name": "sdxl-lora.safetensors"}]),
        ("guidance", 3.0),
        ("shift", 3.0),
        ("clip_skip", 2),
        ("steps", 5),
        ("pose_strength", 0.0),
        ("width", 516),
    ],
)
def test_what_it_does_not_have_is_refused_by_name(field: str, value: Any) -> None:
    caught = refusal(installed=ALL, **{field: value})
    assert (caught.code, caught.location) == ("not_supported_by_family", ("body", field))
    assert field in caught.detail and DOLL.label in caught.detail


def test_a_raw_picture_and_other_methods_are_refused_by_name() -> None:
    raw = refusal(None, POSE, pose_mode="raw")
    assert (raw.code, raw.location) == ("not_supported_by_family", ("body", "pose_mode"))
    method = refusal(reference=REFERENCE, reference_method="attention")
    assert (method.code, method.location) == ("not_supported_by_family", ("body", "reference_method"))


def test_what_it_reports_can_be_sent_again() -> None:
    given: dict[str, Any] = {
        "clothing": "robe",
        "reference_strength": 0.5,
        "turnaround": "sequential",
        "steps": 2,
    }
    first = resolved(SHEET_VIEWS, JSON, REFERENCE, **given).spec
    reported = parameters(first, "all_poses")
    assert {name: reported[name] for name in (*NOT_USED, "loras")} == dict.fromkeys((*NOT_USED, "loras"))
    assert (reported["model"], reported["reference_method"]) == ("Paper doll", "palette")
    body = AvatarBody.model_validate({**reported, "pose_file_id": None, "reference_file_id": None})
    request = AvatarRequest(**body.model_dump())
    again = resolve_request(request, SHEET_VIEWS, JSON, whole(REFERENCE, 0.5), NOTHING, Settings()).spec
    assert again == first
    single = parameters(resolved().spec, "avatar")
    request = AvatarRequest(**AvatarBody.model_validate(single).model_dump())
    assert resolve_request(request, ("front",), None, (), NOTHING, Settings()).spec == resolved().spec


def test_the_defaults_of_the_settings_fit_it() -> None:
    settings = Settings(default_steps=30, default_width=264, default_height=520)
    spec = resolved(settings=settings).spec
    assert (spec.steps, spec.width, spec.height) == (4, 264, 520)
    assert resolved(settings=Settings(default_steps=2)).spec.steps == 2
    assert resolved(family="sd15", installed=ALL, settings=settings).spec.steps == 30


def test_a_stored_spec_has_values_that_earlier_releases_can_read() -> None:
    spec = resolved(SHEET_VIEWS).spec
    assert (spec.cfg, spec.sampler, spec.scheduler) == (1.0, "none", "none")
    assert AvatarSpec.from_json(spec.to_json()) == spec


# Poses


@pytest.mark.parametrize("mode", ["auto", "photo"])
def test_a_photo_that_nothing_can_read_is_refused(mode: str) -> None:
    with pytest.raises(UnavailableError) as caught:
        resolved(None, PHOTO, installed=NO_EXTRACTOR, pose_mode=mode)
    assert caught.value.code == "pose_extractor_missing"
    assert "comfyui_controlnet_aux" in caught.value.detail
    assert resolved(None, KEPT, installed=NO_EXTRACTOR, pose_mode=mode).spec.pose is not None


def test_a_pose_of_strength_zero_is_as_if_absent() -> None:
    for pose in (POSE, PHOTO):
        without = resolved(None, pose, installed=NO_EXTRACTOR, pose_strength=0.0)
        assert compile_prompt(without.spec, GENERATION) == compile_prompt(resolved(None).spec, GENERATION)
        assert without.warnings == ()


def test_a_pose_and_a_reference_have_the_strengths_that_are_said() -> None:
    (warning,) = resolved(None, POSE, pose_strength=0.5).warnings
    assert (warning.code, warning.parameters["field"]) == ("strength_counts_as_one", "pose_strength")
    assert resolved(None, POSE).warnings == ()
    weak = compiled(reference=REFERENCE, reference_strength=0.25)
    assert nodes(weak, PAPER_DOLL)[0]["reference_strength"] == 0.25
    none = resolved(reference=REFERENCE, reference_strength=0.0).spec
    assert compile_prompt(none, GENERATION) == compile_prompt(resolved().spec, GENERATION)


@pytest.mark.parametrize("turnaround", ["batch", "sequential"])
@pytest.mark.parametrize("pose", [POSE, JSON, KEPT])
def test_of_a_sheet_a_pose_decides_the_front_and_the_back(turnaround: str, pose: GivenPose) -> None:
    request = resolved(SHEET_VIEWS, pose, turnaround=turnaround)
    result = compile_prompt(request.spec, GENERATION)
    roles = {line.view: line.role for line in result.inputs if line.role != "anchor"}
    assert roles == {"front": "pose", "back": "pose", "side": "view", "quarter": "view"}
    (warning,) = result.warnings
    assert warning.code == "pose_on_some_views"
    assert [node["from_behind"] for node in nodes(result.prompt, "AvatarForgeLoadKeypoints")] == [False, True]


def test_a_given_pose_of_a_narrow_view_fits_into_its_own_frame() -> None:
    (own,) = nodes(compiled(("side",)), PAPER_DOLL)
    assert (own["width"], own["height"]) == (512, 768)  # and cut, as in a sheet
    posed = compiled(("side",), POSE)
    (drawn,) = nodes(posed, PAPER_DOLL)
    assert (drawn["width"], drawn["height"], nodes(posed, "AvatarForgeTakePicture")) == (480, 768, [])


# Seeds


def test_the_views_are_alike_by_the_seed_of_the_generation() -> None:
    for turnaround, count in (("batch", 1), ("sequential", 4)):
        drawn = nodes(compiled(SHEET_VIEWS, turnaround=turnaround), PAPER_DOLL)
        assert len(drawn) == count
        assert {(node["seed"], node["view_seed"]) for node in drawn} == {(1, SAME_SEED)}


@pytest.mark.parametrize("turnaround", ["batch", "sequential"])
@pytest.mark.parametrize("consistency", [0.0, 0.5])
def test_consistency_is_in_the_graph_and_in_the_receipt(turnaround: str, consistency: float) -> None:
    spec = resolved(SHEET_VIEWS, turnaround=turnaround, consistency=consistency).spec
    result = compile_prompt(spec, GENERATION)
    assert {node["consistency"] for node in nodes(result.prompt, PAPER_DOLL)} == {consistency}
    lines = [(line.view, line.kind, line.strength) for line in result.inputs if line.role == "anchor"]
    assert lines == [(view, "seed", consistency) for view in SHEET_VIEWS[1:] if consistency]


def test_a_re_roll_keeps_the_character_of_a_sheet_and_changes_that_of_one_picture() -> None:
    sheet = replace(resolved(SHEET_VIEWS).spec, reseeded={"back": 7})
    (node,) = nodes(compile_reroll(sheet, GENERATION, 1).prompt, PAPER_DOLL)
    assert (node["view"], node["seed"], node["view_seed"]) == ("back", 1, 7)
    single = replace(resolved(("back",)).spec, reseeded={"back": 7})
    (node,) = nodes(compile_reroll(single, GENERATION, 0).prompt, PAPER_DOLL)
    assert (node["seed"], node["view_seed"]) == (7, SAME_SEED)


# Words


def test_words_that_it_does_not_know_are_said() -> None:
    assert words_warnings(resolved(prompt="a knight in silver armor").spec) == ()
    (warning,) = words_warnings(resolved(prompt="a knight, quuxly", clothing="frobnicated cape").spec)
    assert (warning.code, warning.parameters["count"]) == ("words_not_understood", 2)
    assert warning.parameters["words"] == ("quuxly", "frobnicated")
    (many,) = words_warnings(
        resolved(prompt=" ".join(f"zx{'abcdefghij'[n // 10]}{'klmnopqrst'[n % 10]}" for n in range(50))).spec
    )
    assert (len(many.parameters["words"]), many.parameters["count"]) == (LISTED, 50)  # type: ignore[arg-type]
    assert "and 30 more" in many.detail


# Progress


def test_the_node_counts_like_a_sampler_with_a_step_for_each_row() -> None:
    spec = resolved(SHEET_VIEWS).spec
    prompt = compile_prompt(spec, GENERATION).prompt
    planned = plan(prompt, spec)
    (key,) = (key for key, node in prompt.items() if node["class_type"] == PAPER_DOLL)
    assert planned.nodes[key].steps == 16
    assert [planned.position_of(key, row) for row in range(5)] == [0, 1, 2, 3, None]
    assert planned.view_of(key) is None
    assert abs(planned.done({key: NodeState(True, 8, 16)}) - (1 - OTHER_SHARE) / 2) < 1e-9


def test_views_one_after_another_have_a_node_each() -> None:
    spec = resolved(SHEET_VIEWS, turnaround="sequential", steps=2).spec
    prompt = compile_prompt(spec, GENERATION).prompt
    planned = plan(prompt, spec)
    keys = [key for key, node in prompt.items() if node["class_type"] == PAPER_DOLL]
    assert [planned.view_of(key) for key in keys] == list(SHEET_VIEWS)
    assert {planned.nodes[key].steps for key in keys} == {2}


# Templates


def template(graph: Prompt) -> Template:
    found = find_slots(graph)
    assert found.problems == ()
    return Template("t", "mine", 1, graph, found.slots)


def test_its_example_graph_is_a_template() -> None:
    mine = template(example_prompt("doll", NOTHING, Settings()))
    assert set(mine.slots) == {"prompt", "negative", "seed", "width", "height", "steps", "output"}
    spec = replace(
        trial_spec(mine), views=SHEET_VIEWS, prompt="a witch", clothing="robe", reference=None, seed=9
    )
    drawn = nodes(compile_template(mine, spec, GENERATION).prompt, PAPER_DOLL)
    assert [node["view"] for node in drawn] == list(SHEET_VIEWS)
    assert {(node["prompt"], node["clothing"], node["seed"]) for node in drawn} == {("a witch", "robe", 9)}


def test_a_template_with_keypoints_reads_those_of_any_pose() -> None:
    mine = template(compiled(None, JSON, REFERENCE))
    assert {"pose", "reference"} <= set(mine.slots)
    spec = resolved(SHEET_VIEWS, POSE).spec
    filled = replace(trial_spec(mine), views=SHEET_VIEWS, pose=spec.pose, skeleton_strength=1.0)
    result = compile_template(mine, filled, GENERATION)
    for inputs in nodes(result.prompt, PAPER_DOLL):
        reader = result.prompt[inputs["keypoints"][0]]
        assert reader["class_type"] == "AvatarForgeReadSkeleton"
        assert inputs["reference_parts"][1] == 2
    assert {line.role for line in result.inputs} == {"pose", "view", "reference"}


SAID: tuple[tuple[dict[str, Any], str], ...] = (
    ({"character": CharacterUse("c", 1, "Mira", "freckled witch")}, "freckled witch"),
    ({"expression": "angry"}, "angry"),
    ({"expression": "smug", "expression_words": "one raised brow"}, "one raised brow"),
    ({"style": "ink"}, "ink"),
    ({"clothing": "robe"}, "robe"),
)


@pytest.mark.parametrize("family", ["doll", "sd15"])
@pytest.mark.parametrize(("fields", "words"), SAID)
def test_a_template_with_a_node_of_ours_says_all_words_of_the_request(
    family: str, fields: dict[str, Any], words: str
) -> None:
    mine = template(example_prompt(family, ALL, Settings()))
    prompt = compile_template(mine, replace(trial_spec(mine), reference=None, **fields), GENERATION).prompt
    assert words not in str(mine.prompt)
    assert words in str(prompt)


def test_a_template_with_our_prompt_node_sets_the_height_of_the_camera() -> None:
    mine = template(example_prompt("sd15", ALL, Settings()))
    prompt = compile_template(
        mine, replace(trial_spec(mine), reference=None, elevation="above"), GENERATION
    ).prompt
    assert [node["elevation"] for node in nodes(prompt, "AvatarForgePrompt")] == ["above"]
