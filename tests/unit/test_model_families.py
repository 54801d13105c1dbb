"""What the family of a request's model decides: its files, its methods, its settings, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from family_requests import whole
from installed_models import everything, file_record

from avatarforge.db.records import FileRecord
from avatarforge.forge.errors import UnavailableError, UnprocessableError
from avatarforge.forge.families import FAMILIES, MODEL_FAMILIES
from avatarforge.forge.generations.references import GivenReference
from avatarforge.forge.generations.resolve import GivenPose, ResolvedRequest, resolve_request
from avatarforge.forge.graphs.capabilities import capabilities_of
from avatarforge.forge.graphs.compile import compile_prompt, compile_reroll
from avatarforge.forge.ports import InstalledModels
from avatarforge.forge.settings import Settings
from avatarforge.forge.spec.lora import LoraUse
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.forge.spec.views import SHEET_VIEWS

GENERATION = "11111111-1111-4111-8111-111111111111"
POSE = GivenPose(file_record("pose"), "skeleton", {})
REFERENCE = file_record("reference")


def resolved(
    family: str,
    views: tuple[str, ...] | None = ("front",),
    pose: GivenPose | None = None,
    reference: FileRecord | None = None,
    installed: InstalledModels | None = None,
    references: tuple[GivenReference, ...] = (),
    **fields: Any,
) -> ResolvedRequest:
    request = AvatarRequest("a knight", family=family, seed=1, **fields)
    given = references or whole(reference, fields.get("reference_strength"))
    return resolve_request(request, views, pose, given, installed or everything(), Settings())


def refusal(family: str, **fields: Any) -> UnprocessableError:
    with pytest.raises(UnprocessableError) as caught:
        resolved(family, **fields)
    return caught.value


@pytest.mark.parametrize("family", MODEL_FAMILIES)
def test_a_family_is_its_best_installed_model_with_its_files_and_defaults(family: str) -> None:
    spec = resolved(family).spec
    row = FAMILIES[family].variant(spec.variant)
    assert spec.family == family
    assert (spec.steps, spec.cfg, spec.sampler) == (
        row.sampling.steps,
        row.sampling.cfg,
        row.sampling.sampler,
    )
    assert (spec.guidance, spec.shift) == (row.sampling.guidance, row.sampling.shift)
    if row.parts is None:
        assert (spec.model_folder, spec.text_encoders, spec.vae) == ("checkpoints", (), None)
    else:
        assert spec.model_folder == "diffusion_models"
        assert spec.text_encoders == tuple(f"{kind}.safetensors" for kind in row.parts.encoders)
        assert spec.vae is not None


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("turnaround", ["auto", "batch", "sequential"])
def test_every_input_is_in_the_receipt_of_the_views_it_is_for(family: str, turnaround: str) -> None:
    row = FAMILIES[family]
    fields: dict[str, Any] = {"turnaround": turnaround} if row.batch or turnaround != "batch" else {}
    pose = POSE if row.pose else None
    reference = REFERENCE if row.references else None
    spec = resolved(family, SHEET_VIEWS, pose, reference, **fields).spec
    compiled = compile_prompt(spec, GENERATION)
    lines = {(line.role, line.view) for line in compiled.inputs if line.role != "lora"}
    wanted = {("reference", view) for view in SHEET_VIEWS if reference}
    if row.anchor:
        wanted |= {("anchor", view) for view in SHEET_VIEWS[1:]}
    # What is drawn reads the keypoints of the picture, and turns them around.
    posed = SHEET_VIEWS[: 2 if row.drawn else 1]
    if row.pose:
        wanted |= {("pose" if view in posed else "view", view) for view in SHEET_VIEWS}
    assert lines == wanted
    for line in compiled.inputs:
        assert compiled.prompt[line.node]["class_type"] == line.node_type
    for position in range(len(SHEET_VIEWS)):
        compile_reroll(spec, GENERATION, position)


@pytest.mark.parametrize("family", MODEL_FAMILIES)
def test_strength_zero_is_the_same_as_absence(family: str) -> None:
    plain = resolved(family).spec
    fields: dict[str, Any] = {
        "reference_strength": 0.0,
        "loras": [{"name": f"{family}-lora.safetensors", "strength": 0.0}],
    }
    without = resolved(family, reference=REFERENCE, **fields).spec
    assert compile_prompt(without, GENERATION) == compile_prompt(plain, GENERATION)
    unposed = resolved(family, pose_strength=0.0).spec
    posed = resolved(family, pose=POSE, pose_strength=0.0).spec
    assert "pose" not in {line.role for line in compile_prompt(posed, GENERATION).inputs}
    assert not compile_prompt(unposed, GENERATION).inputs or FAMILIES[family].helper_loras


@pytest.mark.parametrize("family", MODEL_FAMILIES)
def test_a_lora_changes_the_prompt_and_is_in_the_receipt(family: str) -> None:
    loras = (LoraUse(f"{family}-lora.safetensors", 0.6),)
    spec = resolved(family, loras=loras).spec
    compiled = compile_prompt(spec, GENERATION)
    (line,) = [line for line in compiled.inputs if line.kind == "requested"]
    assert (line.role, line.model, line.strength) == ("lora", f"{family}-lora.safetensors", 0.6)
    inputs = compiled.prompt[line.node]["inputs"]
    assert inputs["strength_model"] == 0.6
    assert ("clip" in inputs) == FAMILIES[family].lora_on_clip


def test_a_lora_that_would_have_no_effect_is_refused_by_its_name() -> None:
    other = refusal("sdxl", loras=[{"name": "flux-lora.safetensors"}])
    assert (other.code, other.location) == ("lora_of_other_family", ("body", "loras", 0, "name"))
    assert "flux-lora.safetensors" in other.detail and "Flux.1" in other.detail
    assert refusal("sdxl", loras=[{"name": "gone.safetensors"}]).code == "lora_not_found"
    twice = [{"name": "sdxl-lora.safetensors"}, {"name": "sdxl-lora.safetensors"}]
    assert refusal("sdxl", loras=twice).code == "field_not_applicable"
    broken = everything()
    broken = replace(broken, loras=tuple(replace(lora, problem="is empty") for lora in broken.loras))
    assert refusal("sdxl", installed=broken, loras=twice[:1]).code == "lora_unusable"
    clip = refusal("z_image", loras=[{"name": "z_image-lora.safetensors", "clip_strength": 0.5}])
    assert clip.code == "not_supported_by_family"


def test_a_lora_for_few_steps_brings_its_steps() -> None:
    installed = everything()
    lora = replace(
        installed.loras[0], name="Qwen-Image-Edit-Lightning-4steps.safetensors", family="qwen_edit"
    )
    installed = replace(installed, loras=(lora,))
    spec = resolved("qwen_edit", installed=installed, loras=[{"name": lora.name}]).spec
    assert (spec.steps, spec.cfg) == (4, 1.0)
    off = resolved("qwen_edit", installed=installed, loras=[{"name": lora.name, "strength": 0.0}]).spec
    assert (off.steps, off.cfg) == (30, 4.0)


def test_helper_loras_are_used_when_they_are_installed() -> None:
    installed = everything()
    angles = replace(installed.loras[0], name="qwen-edit-Multiple-angles.safetensors", family="qwen_edit")
    spec = resolved("qwen_edit", ("back",), installed=replace(installed, loras=(angles,))).spec
    assert [(lora.name, lora.helps) for lora in spec.loras] == [(angles.name, "views")]
    sheet = resolved("qwen_edit", SHEET_VIEWS, installed=replace(installed, loras=(angles,))).spec
    nodes = compile_prompt(sheet, GENERATION).prompt.values()
    words = [node["inputs"]["prompt"] for node in nodes if "image1" in node["inputs"]]
    assert sum("Rotate the camera 180 degrees" in text for text in words) == 1
    assert "Rotate" not in words[0]  # the front has no picture of the person before it
    assert not resolved("qwen_edit", None, POSE, installed=replace(installed, loras=(angles,))).spec.loras


@pytest.mark.parametrize(
    ("family", "fields"),
    [
        ("sdxl", {"guidance": 3.0}),
        ("flux", {"clip_skip": 2}),
        ("krea2", {"shift": 2.0}),
        ("qwen_edit", {"views": SHEET_VIEWS, "turnaround": "batch"}),
        ("chroma", {"views": SHEET_VIEWS, "consistency": 0.5}),
        ("chroma", {"reference": REFERENCE}),
        ("chroma", {"views": None, "pose": POSE}),
        ("krea2", {"views": None, "pose": POSE}),
        ("flux2", {"width": 520}),
    ],
)
def test_what_a_family_cannot_do_is_refused_with_its_name(family: str, fields: dict[str, Any]) -> None:
    caught = refusal(family, **fields)
    assert caught.code == "not_supported_by_family"
    assert FAMILIES[family].label in caught.detail


def test_family_and_model_have_to_agree() -> None:
    assert refusal("sdxl", model="flux.safetensors").code == "family_mismatch"
    assert refusal("sdx").code == "unknown_option"
    spec = resolved("flux", model="flux.safetensors", checkpoint="flux.safetensors").spec
    assert spec.checkpoint == "flux.safetensors"
    both = refusal("flux", model="flux.safetensors", checkpoint="sdxl.safetensors")
    assert both.location == ("body", "checkpoint")


@pytest.mark.parametrize("family", [name for name, row in FAMILIES.items() if row.parts])
def test_a_missing_part_is_named_with_its_folder(family: str) -> None:
    parts = FAMILIES[family].parts
    assert parts is not None
    bare = replace(everything(), text_encoders=(), vaes=())
    with pytest.raises(UnavailableError) as caught:
        resolved(family, installed=bare)
    assert caught.value.code == "model_parts_missing"
    assert "models/text_encoders" in caught.value.detail and "models/vae" in caught.value.detail
    table = capabilities_of(bare, Settings())
    (model,) = [model for model in table.models if model.family == family]
    assert [file.kind for file in model.missing] == [*parts.encoders, parts.vae]


def test_a_strength_that_a_model_cannot_weigh_is_said() -> None:
    warned = resolved("flux2", None, POSE, REFERENCE, reference_strength=0.4, pose_strength=0.7)
    codes = [(item.code, item.parameters.get("field")) for item in warned.warnings]
    assert codes == [
        ("strength_counts_as_one", "reference_strength"),
        ("strength_counts_as_one", "pose_strength"),
    ]
    assert warned.spec.reference is not None and warned.spec.reference.strength == 1.0
    assert not resolved("flux2", None, POSE, REFERENCE).warnings


def test_a_negative_prompt_without_guidance_is_said_to_have_no_effect() -> None:
    (warning,) = resolved("z_image", None, POSE, negative_prompt="hat").warnings
    assert warning.code == "negative_prompt_has_no_effect"
    assert not resolved("z_image", None, POSE, negative_prompt="hat", cfg=3.0).warnings


def test_pictures_are_numbered_in_the_words_as_the_graph_numbers_them() -> None:
    spec = resolved("qwen_edit", SHEET_VIEWS, POSE, REFERENCE).spec
    compiled = compile_prompt(spec, GENERATION)
    back = next(
        node["inputs"]
        for node in compiled.prompt.values()
        if node["class_type"] == "TextEncodeQwenImageEditPlus" and "(back)" in node["_meta"]["title"]
    )
    shown = [compiled.prompt[back[f"image{number}"][0]]["class_type"] for number in (1, 2, 3)]
    assert shown == ["AvatarForgeLoadReference", "VAEDecode", "AvatarForgePoseSkeleton"]
    assert "Picture 1 and Picture 2" in back["prompt"] and "skeleton in Picture 3" in back["prompt"]


@pytest.mark.parametrize(
    ("family", "method"),
    [(name, method) for name, row in FAMILIES.items() for method in row.references if method != "ipadapter"],
)
def test_a_request_chooses_how_the_reference_is_seen(family: str, method: str) -> None:
    spec = resolved(family, reference=REFERENCE, reference_method=method).spec
    assert spec.reference is not None and spec.reference.method == method
    (line,) = [line for line in compile_prompt(spec, GENERATION).inputs if line.role == "reference"]
    nodes = {
        "picture": {"ReferenceLatent"},
        "redux": {"StyleModelApply"},
        "attention": {"AvatarForgeApplyReference"},
        "palette": {"AvatarForgePaperDoll"},
    }
    assert line.node_type in nodes[method]


def test_a_method_that_is_not_there_is_refused() -> None:
    caught = refusal("sdxl", reference=REFERENCE, reference_method="picture")
    assert caught.code == "not_supported_by_family"
    assert "ipadapter, attention" in caught.detail
    with pytest.raises(UnavailableError) as missing:
        resolved("sdxl", reference=REFERENCE, reference_method="ipadapter")
    assert missing.value.code == "reference_model_missing"
    assert "models/ipadapter" in missing.value.detail
    assert refusal("sdxl", reference_method="attention").code == "field_not_applicable"
