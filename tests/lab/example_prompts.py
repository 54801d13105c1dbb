"""The prompts of the example workflows, as the API makes them, and those that nodes alone make.

Need the loaded pack.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

#: The common file names of these models. Users with other models choose them in the node.
CHECKPOINT = "v1-5-pruned-emaonly-fp16.safetensors"
CONTROLNET = "control_v11p_sd15_openpose_fp16.safetensors"
SDPOSE = "sdpose_wholebody_fp16.safetensors"
#: Views, rows of pixels and colours of the example with large pixels.
LARGE_PIXELS = (("front", "back"), 128, 24)
#: Which character the examples show. A new ComfyUI has none: the note says how to save it.
_SHOWN = {"character": "Mira", "version": 0, "outfit": ""}

Prompt = dict[str, dict[str, Any]]


def _spec(**changes: Any) -> Any:
    """The spec that the API would resolve from a request, for the models above."""
    spec = importlib.import_module("avatarforge.forge.spec.avatar")
    defaults = {
        "prompt": "female knight, silver armor, red cape",
        "clothing": None,
        "style": None,
        "realism": False,
        "negative_prompt": None,
        "views": ("front",),
        "pose": None,
        "reference": None,
        "width": 512,
        "height": 768,
        "steps": 20,
        "cfg": 7.0,
        "sampler": "euler",
        "scheduler": "normal",
        "seed": 42,
        "checkpoint": CHECKPOINT,
        "family": "sd15",
        "controlnet": CONTROLNET,
        "controlnet_is_union": False,
        "bones": "standard",
        "skeleton_strength": 1.0,
        "consistency": 0.7,
        "turnaround": "batch",
    }
    return spec.AvatarSpec(**{**defaults, **changes})


def _compiled(**changes: Any) -> Prompt:
    compile_ = importlib.import_module("avatarforge.forge.graphs.compile")
    prompt: Prompt = compile_.compile_prompt(_spec(**changes), "").prompt
    return prompt


def _drawn(**changes: Any) -> Prompt:
    """The same for the family that draws, which needs no model."""
    return _compiled(**{**_of_the_doll(), **changes})


def _of_the_doll() -> dict[str, Any]:
    doll = importlib.import_module("avatarforge.forge.families.doll").DOLL
    return {
        "checkpoint": doll.model,
        "model_folder": "",
        "family": doll.name,
        "controlnet": None,
        "pose_method": "keypoints",
        "steps": doll.sampling.steps,
        "consistency": doll.consistency,
    }


def _pose(kind: str, treatment: str, **plan: Any) -> Any:
    poses = importlib.import_module("avatarforge.forge.spec.pose")
    file = poses.PoseFile("", "", 512, 768, kind)
    return poses.PoseUse(file, poses.PosePlan(kind, treatment, **plan), "auto", 1.0)


def from_text() -> Prompt:
    return _compiled(controlnet=None)


def with_pose_and_reference() -> Prompt:
    use = importlib.import_module("avatarforge.forge.spec.reference").ReferenceUse
    pose = _pose("skeleton", "skeleton")
    return _compiled(views=(None,), pose=pose, reference=use("", "", 0.8, "attention"))


def pose_from_photo() -> Prompt:
    return _compiled(views=(None,), pose=_pose("photo", "extract", extractor="sdpose", model=SDPOSE))


def doll_with_pose_and_reference() -> Prompt:
    use = importlib.import_module("avatarforge.forge.spec.reference").ReferenceUse
    pose = _pose("skeleton", "skeleton")
    return _drawn(views=(None,), pose=pose, reference=use("", "", 0.8, "palette"))


def doll_from_photo() -> Prompt:
    return _drawn(views=(None,), pose=_pose("photo", "extract", extractor="sdpose", model=SDPOSE))


def four_seeds() -> Prompt:
    return _compiled(controlnet=None, count=4)


def doll_sheet() -> Prompt:
    return _sheet_of(_drawn(views=importlib.import_module("avatarforge.forge.spec.views").SHEET_VIEWS))


def doll_pixel_art() -> Prompt:
    return _drawn(views=LARGE_PIXELS[0], pixel_height=LARGE_PIXELS[1], pixel_colors=LARGE_PIXELS[2])


def doll_judged() -> Prompt:
    """A front and a back, each judged."""
    judge = importlib.import_module("avatarforge.forge.spec.until").JudgeUse
    judging = importlib.import_module("avatarforge.forge.graphs.judging")
    drawn = {**_of_the_doll(), "views": ("front", "back")}
    prompt: Prompt = judging.with_judges(_compiled(**drawn), _spec(**drawn, judge=judge()), "")
    return prompt


def doll_in_a_pose() -> Prompt:
    """The front and the left of a pose of the library, on one sheet."""
    views = ("front", "left")
    pose = replace(_pose("library", "library"), pose_id="sitting", name="sitting")
    prompt = _drawn(views=views, pose=replace(pose, file=replace(pose.file, file_id=None)))
    return _with_sheet(prompt, dict(zip(views, _saved_pictures(prompt), strict=True)))


def doll_of_a_character() -> Prompt:
    """The front of a saved character: its words, its seed, and its pictures as far as it has some."""
    prompt = _drawn()
    loader, joined = (str(max(map(int, prompt)) + offset) for offset in (1, 2))
    (doll,) = (node for node in prompt.values() if node["class_type"] == "AvatarForgePaperDoll")
    outputs = {
        "clothing": 1,
        "negative_prompt": 2,
        "style": 3,
        "reference": 5,
        "face_reference": 6,
        "outfit_reference": 7,
        "seed": 9,
        "realism": 10,
    }
    doll["inputs"] |= {"prompt": [joined, 0]} | {name: [loader, at] for name, at in outputs.items()}
    loader_inputs = {**_SHOWN, "expression": "happy", "view": "any", "missing": "leave out"}
    joined_inputs = {"string_a": [loader, 0], "string_b": [loader, 4], "delimiter": ", "}
    return {
        loader: {
            "class_type": "AvatarForgeLoadCharacter",
            "inputs": loader_inputs,
            "_meta": {"title": "Character"},
        },
        joined: {
            "class_type": "StringConcatenate",
            "inputs": joined_inputs,
            "_meta": {"title": "Description and expression"},
        },
        **prompt,
    }


def character_from_eight_sides() -> Prompt:
    """All eight directions of a saved character in one batch, on one sheet."""
    views = importlib.import_module("avatarforge.forge.spec.views").EIGHT_VIEWS
    prompt = _compiled(views=views)
    (words,) = (node for node in prompt.values() if node["class_type"] == "AvatarForgePrompt")
    kept = {name: words["inputs"][name] for name in ("clip", "view", "views", "family")}
    words |= {
        "class_type": "AvatarForgeCharacterPrompt",
        "inputs": {
            **kept,
            **_SHOWN,
            "expression": "",
            "prompt": "",
            "elevation": "level",
            "clothing": "",
            "style": "",
            "negative_prompt": "",
        },
        "_meta": {"title": "Character prompt"},
    }
    return _with_sheet(prompt, dict(zip(views, _saved_pictures(prompt), strict=True)))


def expressions() -> Prompt:
    """A picture whose face is drawn again with two expressions."""
    redraws = importlib.import_module("avatarforge.forge.spec.redraw")
    drawn = tuple(redraws.RedrawnExpression(name) for name in ("happy", "angry"))
    redraw = redraws.RedrawUse("", "", 512, 768, "", 1, ("front",), drawn, identity_seed=42)
    return _drawn(views=("front", "front"), redraw=redraw)


def _with_sheet(prompt: Prompt, pictures: Mapping[str, list[Any]]) -> Prompt:
    """Replace the prompt's saving nodes with a sheet of these pictures."""
    kept = {id_: node for id_, node in prompt.items() if node["class_type"] != "AvatarForgeSave"}
    sheet_id, save_id = (str(max(map(int, prompt)) + offset) for offset in (1, 2))
    sheet_inputs = {"title": "", "background": "auto", "figure_height": 896, **pictures}
    save_inputs = {"images": [sheet_id, 0], "generation_id": "", "position": 1}
    return {
        **kept,
        sheet_id: {
            "class_type": "AvatarForgeCharacterSheet",
            "inputs": sheet_inputs,
            "_meta": {"title": "Sheet"},
        },
        save_id: {
            "class_type": "AvatarForgeSave",
            "inputs": save_inputs,
            "_meta": {"title": "Save the sheet"},
        },
    }


def turnaround_sheet() -> Prompt:
    return _sheet_of(_compiled(views=importlib.import_module("avatarforge.forge.spec.views").SHEET_VIEWS))


def _sheet_of(prompt: Prompt) -> Prompt:
    """The four views that this prompt saves, on a sheet."""
    views = importlib.import_module("avatarforge.forge.spec.views").SHEET_VIEWS
    return _with_sheet(prompt, dict(zip(views, _saved_pictures(prompt), strict=True)))


def _saved_pictures(prompt: Prompt) -> list[Any]:
    """Links to the pictures that this prompt saves."""
    return [node["inputs"]["images"] for node in prompt.values() if node["class_type"] == "AvatarForgeSave"]


def sheet_of_saved_views() -> Prompt:
    views = importlib.import_module("avatarforge.forge.spec.views").SHEET_VIEWS
    loaders: Prompt = {
        str(number): {
            "class_type": "AvatarForgeLoadView",
            "inputs": {"generation_id": "", "position": number},
            "_meta": {"title": f"Saved {view}"},
        }
        for number, view in enumerate(views, start=1)
    }
    return _with_sheet(loaders, {view: [str(number), 0] for number, view in enumerate(views, start=1)})
