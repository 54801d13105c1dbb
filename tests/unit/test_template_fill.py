"""A template is compiled into a prompt whose slots are filled, once for each view."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from graphs import Graph, custom_sampler, edit_in_app_mode, node, plain, titled, two_samplers
from specs import KEYPOINTS, REFERENCE, SKELETON

from avatarforge.forge.errors import UnprocessableError
from avatarforge.forge.graphs.links import upstream
from avatarforge.forge.ports import Prompt
from avatarforge.forge.spec.avatar import AvatarSpec
from avatarforge.forge.spec.character import CharacterUse
from avatarforge.forge.spec.request import parameters
from avatarforge.forge.spec.views import SHEET_VIEWS
from avatarforge.forge.templates.fill import compile_template, trial_prompt
from avatarforge.forge.templates.find import find_slots
from avatarforge.forge.templates.template import Template, trial_spec

ID = "00000000-0000-4000-8000-00000000000a"
SHOWN = CharacterUse("00000000-0000-4000-8000-00000000000b", 3, "Vex", "red hair")
#: What a node of ours has for its own, and gets for that one.
OWN_INPUTS: dict[str, Any] = {"character": "Mira", "version": 0, "outfit": "Coat"}
SHOWN_INPUTS = {"character": SHOWN.id, "version": 3, "outfit": ""}


def template(graph: Graph, workflow: dict[str, Any] | None = None, **slots: Any) -> Template:
    found = find_slots(graph, workflow, slots)
    assert found.problems == ()
    return Template("t", "mine", 3, graph, found.slots)


def spec(of: Template, **values: Any) -> AvatarSpec:
    defaults: dict[str, Any] = {"skeleton_strength": 0.0, "reference": None, "seed": 42}
    return replace(trial_spec(of), **{**defaults, **values})


def of_type(prompt: Prompt, class_type: str) -> list[dict[str, Any]]:
    return [item["inputs"] for item in prompt.values() if item["class_type"] == class_type]


def links(prompt: Prompt) -> set[str]:
    return {
        value[0]
        for item in prompt.values()
        for value in item["inputs"].values()
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)
    }


def test_one_view_keeps_the_ids_of_the_graph_and_saves_the_first_picture() -> None:
    mine = template(plain())
    compiled = compile_template(mine, spec(mine, prompt="a knight", clothing="plate", style="ink"), ID)
    prompt = compiled.prompt
    assert (
        prompt["6"]["inputs"]["text"] == "front view, facing the viewer, wearing plate, a knight, ink style"
    )
    assert prompt["7"]["inputs"]["text"] == "back view, from behind, side view, profile, blurry"
    assert prompt["3"]["inputs"]["seed"] == 42
    assert prompt["3"]["inputs"]["cfg"] == 2.0
    (save,) = of_type(prompt, "AvatarForgeSave")
    assert (save["generation_id"], save["position"]) == (ID, 1)
    assert prompt[save["images"][0]]["inputs"] == {"image": ["8", 0], "batch_index": 0, "length": 1}
    assert "9" not in prompt  # what it saved, we save
    assert compiled.inputs == ()
    assert plain() == mine.prompt  # the template itself is not changed


def test_a_negative_prompt_takes_the_place_of_the_graphs_own() -> None:
    mine = template(plain())
    prompt = compile_template(mine, spec(mine, negative_prompt="hat", views=(None,)), ID).prompt
    assert prompt["7"]["inputs"]["text"] == "hat"


def test_four_views_share_the_loader_and_nothing_that_depends_on_a_slot() -> None:
    mine = template(plain())
    compiled = compile_template(mine, spec(mine, views=SHEET_VIEWS, width=64, height=96), ID)
    prompt = compiled.prompt
    assert len(of_type(prompt, "CheckpointLoaderSimple")) == 1
    assert len(of_type(prompt, "KSampler")) == len(of_type(prompt, "CLIPTextEncode")) / 2 == 4
    saves = of_type(prompt, "AvatarForgeSave")
    assert [save["position"] for save in saves] == [1, 2, 3, 4]
    assert links(prompt) <= prompt.keys()
    for save, view in zip(saves, ("front view", "back view", "side view", "three-quarter view"), strict=True):
        texts = [
            prompt[key]["inputs"]["text"]
            for key in upstream(prompt, [save["images"][0]])
            if prompt[key]["class_type"] == "CLIPTextEncode"
        ]
        assert len(texts) == 2
        assert any(text.startswith(view) for text in texts)
    # A standing figure in profile is narrow.
    assert [item["width"] for item in of_type(prompt, "EmptyLatentImage")] == [64, 64, 48, 64]
    assert all(item["seed"] == 42 for item in of_type(prompt, "KSampler"))


def test_values_behind_primitives_are_filled_once() -> None:
    mine = template(custom_sampler())
    prompt = compile_template(mine, spec(mine, width=256, height=384, steps=3, seed=9), ID).prompt
    assert prompt["13"]["inputs"]["value"] == 256
    assert prompt["14"]["inputs"] == {"steps": 3, "width": ["13", 0], "height": 384}
    assert prompt["15"]["inputs"]["width"] == ["13", 0]
    assert prompt["11"]["inputs"]["noise_seed"] == 9


def test_a_given_pose_takes_the_place_of_the_loader() -> None:
    mine = template(custom_sampler())
    compiled = compile_template(mine, spec(mine, pose=SKELETON, views=(None,), width=512, height=768), ID)
    (loader,) = of_type(compiled.prompt, "AvatarForgeLoadPose")
    assert (loader["file_id"], loader["width"], loader["height"]) == (SKELETON.file.file_id, 512, 768)
    assert "6" not in compiled.prompt
    (line,) = compiled.inputs
    assert (line.role, line.view, line.kind, line.file_id) == (
        "pose",
        None,
        "template",
        SKELETON.file.file_id,
    )
    assert (line.node, line.node_type, line.model) == ("7", "VAEEncode", "mine")
    assert (line.first_step, line.last_step) == (1, 20)


def test_views_without_a_pose_get_their_skeletons_and_a_plain_avatar_keeps_its_picture() -> None:
    mine = template(custom_sampler())
    compiled = compile_template(mine, spec(mine, views=SHEET_VIEWS, skeleton_strength=1.0), ID)
    assert [item["view"] for item in of_type(compiled.prompt, "AvatarForgePoseSkeleton")] == list(SHEET_VIEWS)
    assert [(line.role, line.view) for line in compiled.inputs] == [("view", view) for view in SHEET_VIEWS]
    assert len(of_type(compiled.prompt, "SamplerCustomAdvanced")) == 4
    assert len(of_type(compiled.prompt, "RandomNoise")) == 1  # the same for all views
    kept = compile_template(mine, spec(mine), ID)
    assert kept.prompt["6"]["inputs"]["image"] == "a.png"
    assert kept.inputs == ()


def test_keypoints_of_a_sheet_pose_the_front_and_the_back() -> None:
    mine = template(custom_sampler())
    compiled = compile_template(
        mine, spec(mine, pose=KEYPOINTS, views=SHEET_VIEWS, skeleton_strength=1.0), ID
    )
    assert [item["from_behind"] for item in of_type(compiled.prompt, "AvatarForgeLoadPose")] == [False, True]
    assert [(line.role, line.view) for line in compiled.inputs] == [
        ("pose", "front"),
        ("pose", "back"),
        ("view", "side"),
        ("view", "quarter"),
    ]
    (warning,) = compiled.warnings
    assert warning.code == "pose_on_some_views"


def test_a_reference_replaces_the_picture_and_its_mask_in_all_views() -> None:
    graph, workflow = edit_in_app_mode()
    graph["170:9"] = node("SetLatentNoiseMask", samples=["170:6", 0], mask=["41", 1])
    graph["170:7"]["inputs"]["latent_image"] = ["170:9", 0]
    mine = template(graph, workflow)
    compiled = compile_template(mine, spec(mine, reference=REFERENCE, views=SHEET_VIEWS), ID)
    prompt = compiled.prompt
    (key,) = [key for key, item in prompt.items() if item["class_type"] == "AvatarForgeLoadReference"]
    assert prompt[key]["inputs"]["file_id"] == REFERENCE.file_id
    encoders = of_type(prompt, "TextEncodeQwenImageEditPlus")
    assert len(encoders) == 8
    assert all(item["image1"] == [key, 0] for item in encoders)
    assert [item["mask"] for item in of_type(prompt, "SetLatentNoiseMask")] == [[key, 1]] * 4
    assert [item["image"] for item in of_type(prompt, "LoadImage")] == ["b.png"]
    assert [(line.role, line.view) for line in compiled.inputs] == [
        ("reference", view) for view in SHEET_VIEWS
    ]
    assert links(prompt) <= prompt.keys()


def test_each_view_gets_the_reference_that_shows_it_best() -> None:
    graph, workflow = edit_in_app_mode()
    mine = template(graph, workflow)
    front, back = (
        replace(REFERENCE, file_id=f"{view} picture", view=view, method="picture")
        for view in ("front", "back")
    )
    two = spec(mine, reference=front, more_references=(back,), views=SHEET_VIEWS, turnaround="sequential")
    compiled = compile_template(mine, two, ID)
    loaded = {
        key: item["inputs"]["file_id"]
        for key, item in compiled.prompt.items()
        if item["class_type"] == "AvatarForgeLoadReference"
    }
    assert sorted(loaded.values()) == ["back picture", "front picture"]
    wanted = ["front picture", "back picture", "front picture", "front picture"]
    seen = [loaded[item["image1"][0]] for item in of_type(compiled.prompt, "TextEncodeQwenImageEditPlus")]
    assert sorted(seen) == sorted(2 * wanted)
    assert [line.file_id for line in compiled.inputs] == wanted
    assert [line.reference_role for line in compiled.inputs] == ["identity"] * 4
    assert [line.file_id for line in compile_template(mine, two, ID, [1]).inputs] == ["back picture"]


def test_a_named_link_is_replaced_instead_of_the_node_behind_it() -> None:
    graph = titled()
    graph["20"] = node(
        "ControlNetApply", conditioning=["6", 0], control_net=["21", 0], image=["5", 0], strength=1
    )
    graph["21"] = node("ControlNetLoader", control_net_name="x.safetensors")
    graph["10"]["inputs"]["positive"] = ["20", 0]
    mine = template(graph, pose={"node": "20", "input": "image"})
    prompt = compile_template(mine, spec(mine, pose=SKELETON, views=(None,)), ID).prompt
    assert prompt[prompt["20"]["inputs"]["image"][0]]["class_type"] == "AvatarForgeLoadPose"
    assert prompt["8"]["inputs"]["image"] == ["5", 0]  # the reference keeps its picture


def test_two_samplers_get_one_seed_and_side_outputs_do_not_run() -> None:
    mine = template(two_samplers())
    prompt = compile_template(mine, spec(mine), ID).prompt
    assert {item["noise_seed"] for item in of_type(prompt, "KSamplerAdvanced")} == {42}
    assert not of_type(prompt, "PreviewImage")
    assert of_type(trial_prompt(mine), "PreviewImage")  # ComfyUI validates them all the same


def test_a_reroll_makes_one_view_as_the_sheet_had_it() -> None:
    mine = template(custom_sampler())
    wanted = spec(mine, views=SHEET_VIEWS, skeleton_strength=1.0, seed=1, reseeded={"side": 99})
    compiled = compile_template(mine, wanted, ID, [2])
    (save,) = of_type(compiled.prompt, "AvatarForgeSave")
    assert save["position"] == 3
    assert of_type(compiled.prompt, "RandomNoise") == [{"noise_seed": 99}]
    assert [line.view for line in compiled.inputs] == ["side"]


def test_our_own_prompt_node_gets_the_words_and_the_view() -> None:
    graph = plain()
    graph["6"] = node(
        "AvatarForgePrompt",
        prompt="x",
        clothing="",
        style="",
        realism=True,
        negative_prompt="hat",
        view="front",
        family="sd15",
        clip=["4", 1],
    )
    graph["3"]["inputs"].update(positive=["6", 0], negative=["6", 1])
    mine = template(graph)
    prompt = compile_template(
        mine, spec(mine, prompt="a knight", clothing="plate", views=("back",)), ID
    ).prompt
    words = prompt["6"]["inputs"]
    assert (words["prompt"], words["clothing"], words["view"]) == ("a knight", "plate", "back")
    assert (words["negative_prompt"], words["realism"]) == ("hat", True)


def test_our_own_prompt_node_gets_all_that_a_character_adds() -> None:
    graph = plain()
    own: dict[str, Any] = {"clothing": ["20", 1], "style": ["20", 3], "negative_prompt": ""}
    own |= {"view": "front", "views": "left"}
    graph["6"] = node("AvatarForgePrompt", prompt="x", character="own", clip=["4", 1], **own)
    graph["20"] = node("AvatarForgeLoadCharacter", character="Mira", version=0, expression="smug")
    graph["3"]["inputs"].update(positive=["6", 0], negative=["6", 1])
    mine = template(graph)
    shown = {"character": SHOWN, "expression": "smug", "expression_words": "a smug grin", "clothing": "rags"}
    filled = compile_template(mine, spec(mine, **shown, elevation="above", views=("back",)), ID).prompt
    words = filled["6"]["inputs"]
    assert (words["character"], words["expression"]) == ("red hair", "a smug grin")
    assert (words["elevation"], words["view"], words["views"]) == ("above", "back", "")
    assert (words["clothing"], words["style"]) == ("rags", ["20", 3])
    # Without a character the graph's own stays.
    words = compile_template(mine, spec(mine, elevation="level"), ID).prompt["6"]["inputs"]
    assert (words["character"], words["clothing"]) == ("own", ["20", 1])
    assert not {"expression", "elevation"} & words.keys()


def test_a_drawn_character_gets_its_description_and_expression() -> None:
    graph = {
        "1": node("AvatarForgePaperDoll", prompt="x", clothing="", negative_prompt="", view="front"),
        "2": node("SaveImage", filename_prefix="mine", images=["1", 0]),
    }
    mine = template(graph)
    values = {"character": SHOWN, "expression": "angry", "prompt": "a sword"}
    (doll,) = of_type(compile_template(mine, spec(mine, **values), ID).prompt, "AvatarForgePaperDoll")
    assert doll["prompt"] == "red hair, angry, a sword"
    assert not {"character", "expression", "elevation"} & doll.keys()


@pytest.mark.parametrize(
    ("own", "values", "wanted"),
    [
        ("smug", {}, {**OWN_INPUTS, "expression": "smug"}),
        ("", {"expression": "sad"}, {**OWN_INPUTS, "expression": "sad"}),
        ("smug", {"character": SHOWN}, {**SHOWN_INPUTS, "expression": ""}),
        ("Angry", {"character": SHOWN}, {**SHOWN_INPUTS, "expression": "Angry"}),
        ("Angry", {"character": SHOWN, "expression": "sad"}, {**SHOWN_INPUTS, "expression": "sad"}),
        (
            "",
            {"character": replace(SHOWN, outfit="Armour")},
            {**SHOWN_INPUTS, "outfit": "Armour", "expression": ""},
        ),
    ],
)
def test_the_nodes_of_a_character_show_that_of_the_request(
    own: str, values: dict[str, Any], wanted: dict[str, Any]
) -> None:
    graph = plain()
    graph["6"]["inputs"]["text"] = ["20", 0]
    graph["20"] = node("AvatarForgeLoadCharacter", **OWN_INPUTS, expression=own)
    mine = template(graph, prompt=[])
    filled = compile_template(mine, spec(mine, **values, views=("front", "back")), ID).prompt
    assert of_type(filled, "AvatarForgeLoadCharacter") == [wanted]


def test_a_picture_that_leads_to_no_result_is_never_dropped() -> None:
    graph = plain()
    graph["20"] = node("LoadImage", "reference", image="a.png")
    graph["21"] = node("PreviewImage", images=["20", 0])
    mine = template(graph)
    with pytest.raises(UnprocessableError, match="leads to no picture"):
        compile_template(mine, spec(mine, reference=REFERENCE), ID)


def test_the_parameters_of_a_template_are_its_slots() -> None:
    mine = template(plain())
    item = spec(mine, views=SHEET_VIEWS, pose=None)
    values = parameters(item, "all_poses")
    given = {name for name, value in values.items() if value is not None}
    sizes, words = {"width", "height", "steps", "cfg"}, {"prompt", "realism"}
    assert given == {*words, *sizes, "seed", "count", "template", "views", "judge"}
    assert values["template"] == "mine"
    stored = AvatarSpec.from_json(item.to_json())
    assert stored == item
    assert stored.template is not None and stored.template.version == 3


def test_differing_values_of_several_samplers_stay_as_they_are() -> None:
    graph = two_samplers()
    graph["10"]["inputs"]["steps"] = 8
    mine = template(graph)
    assert mine.common_value("steps") is None
    prompt = compile_template(mine, spec(mine), ID).prompt
    assert sorted(item["steps"] for item in of_type(prompt, "KSamplerAdvanced")) == [4, 8]


def test_every_compiled_prompt_is_json() -> None:
    for graph in (plain(), titled(), two_samplers(), custom_sampler()):
        mine = template(graph)
        json.dumps(compile_template(mine, spec(mine, views=SHEET_VIEWS), ID).prompt)
