from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from batching import item, submit_batch
from services import product
from specs import spec

from avatarforge.forge.errors import UnavailableError, UnprocessableError
from avatarforge.forge.families import FAMILIES
from avatarforge.forge.generations import resolve
from avatarforge.forge.graphs.models import (
    ChosenModel,
    choose_model,
    require_models,
    with_installed_names,
)
from avatarforge.forge.graphs.pose_methods import choose_pose_method
from avatarforge.forge.model_names import guess_control_kind, guess_family
from avatarforge.forge.ports import MOST_ANSWERS, ControlKind, InstalledModels, ModelFile
from avatarforge.forge.settings import Settings


def installed(*checkpoints: str | ModelFile, controlnets: tuple[ModelFile, ...] = ()) -> InstalledModels:
    return InstalledModels(
        checkpoints=tuple(ModelFile(item, "sd15") if isinstance(item, str) else item for item in checkpoints),
        controlnets=controlnets,
        samplers=(),
        schedulers=(),
    )


def chosen(models: InstalledModels, *, realism: bool, settings: Settings | None = None) -> str:
    return choose_model(models, settings or Settings(), realism=realism).file.name


def choose_pose_controlnet(models: InstalledModels, settings: Settings, family: str) -> ModelFile:
    _, model = choose_pose_method(models, settings, FAMILIES[family])
    assert model is not None
    return model


@pytest.mark.parametrize(
    ("names", "realistic", "anime"),
    [
        (["realisticVisionV60.safetensors", "anything-v5.safetensors"], 0, 1),
        (["counterfeitV30.safetensors", "epicphotogasm.safetensors"], 1, 0),
        (["plain.safetensors", "meinamix.safetensors"], 0, 1),
        (["plain.safetensors", "juggernautXL.safetensors"], 1, 0),
        (["only.safetensors"], 0, 0),
    ],
)
def test_names_tell_realistic_from_anime(names: list[str], realistic: int, anime: int) -> None:
    models = installed(*names)
    assert chosen(models, realism=True) == names[realistic]
    assert chosen(models, realism=False) == names[anime]


def test_a_list_of_models_answers_each_question_once() -> None:
    models, asked = installed("plain.safetensors"), list[int]()

    def find() -> str:
        asked.append(len(asked))
        if len(asked) == 1:
            raise UnavailableError("not yet", code="checkpoint_missing")
        return f"answer {len(asked)}"

    with pytest.raises(UnavailableError):  # it is not remembered
        models.remember("which", find)
    assert [models.remember("which", find) for _ in range(2)] == ["answer 2", "answer 2"]
    assert replace(models).remember("which", find) == "answer 3"
    for number in range(MOST_ANSWERS):
        models.remember(number, lambda: "x")
    assert models.remember("which", find) == "answer 4"  # it forgets before it grows without end


async def test_a_batch_chooses_its_model_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def counted(*args: Any, realism: bool, **more: Any) -> ChosenModel:
        asked.append(realism)
        return choose_model(*args, realism=realism, **more)

    monkeypatch.setattr(resolve, "choose_model", counted)
    async with product(tmp_path) as forge:
        wanted = [item(realism=number % 2 == 0, seed=number) for number in range(6)]
        assert len((await submit_batch(forge, *wanted)).items) == 6
    assert sorted(asked) == [False, True]


def test_a_setting_wins_over_names() -> None:
    models = installed("realistic.safetensors", "anime.safetensors")
    settings = Settings(checkpoint_realistic="anime.safetensors")
    assert chosen(models, realism=True, settings=settings) == "anime.safetensors"
    assert chosen(models, realism=False, settings=settings) == "anime.safetensors"


def test_a_setting_that_names_nothing_says_which_file_and_folder() -> None:
    settings = Settings(checkpoint_anime="gone.safetensors")
    with pytest.raises(
        UnavailableError, match=r"'gone\.safetensors' that CHECKPOINT_ANIME names.*models/checkpoints"
    ):
        chosen(installed("a.safetensors"), realism=False, settings=settings)


def test_without_a_usable_checkpoint_the_folder_is_named() -> None:
    for models in (installed(), installed(ModelFile("flux.safetensors", None))):
        with pytest.raises(UnavailableError, match="models/checkpoints"):
            chosen(models, realism=True)


def test_models_of_unknown_families_are_never_chosen_by_themselves() -> None:
    models = installed(ModelFile("anime-flux.safetensors", None), "plain.safetensors")
    assert chosen(models, realism=False) == "plain.safetensors"


@pytest.mark.parametrize("name", ["gone.safetensors", "flux.safetensors"])
def test_a_requested_checkpoint_that_cannot_be_used_is_the_requests_fault(name: str) -> None:
    models = installed("a.safetensors", ModelFile("flux.safetensors", None))
    with pytest.raises(UnprocessableError) as caught:
        choose_model(models, Settings(), realism=False, requested=name, named_by="checkpoint")
    assert caught.value.location == ("body", "checkpoint")
    assert name in caught.value.detail


def test_the_pose_controlnet_fits_the_family_and_openpose_is_preferred() -> None:
    models = installed(
        "a.safetensors",
        controlnets=(
            ModelFile("union-promax-sdxl.safetensors", "sdxl"),
            ModelFile("control_v11p_sd15_canny.safetensors", "sd15"),
            ModelFile("thibaud_xl_openpose.safetensors", "sdxl"),
            ModelFile("control_v11p_sd15_openpose.safetensors", "sd15"),
        ),
    )
    assert choose_pose_controlnet(models, Settings(), "sd15").name == "control_v11p_sd15_openpose.safetensors"
    assert choose_pose_controlnet(models, Settings(), "sdxl").name == "thibaud_xl_openpose.safetensors"


def test_a_canny_controlnet_is_no_pose_controlnet() -> None:
    models = installed("a.safetensors", controlnets=(ModelFile("canny-compose.safetensors", "sd15"),))
    with pytest.raises(UnavailableError, match="models/controlnet"):
        choose_pose_controlnet(models, Settings(), "sd15")


def test_the_refusal_of_a_broken_checkpoint_says_what_it_is() -> None:
    broken = ModelFile("model.ckpt", None, problem="is a Git LFS pointer, not the model itself")
    models = installed("whole.safetensors", broken)
    with pytest.raises(UnprocessableError, match=r"'model\.ckpt' cannot be used: it is a Git LFS pointer"):
        choose_model(models, Settings(), realism=False, requested="model.ckpt")
    for realism, variable in ((True, "CHECKPOINT_REALISTIC"), (False, "CHECKPOINT_ANIME")):
        settings = Settings(checkpoint_realistic="model.ckpt", checkpoint_anime="model.ckpt")
        with pytest.raises(
            UnavailableError, match=rf"'model\.ckpt' that {variable} names .* Git LFS pointer"
        ):
            chosen(models, realism=realism, settings=settings)
    with pytest.raises(UnavailableError, match=r"'model\.ckpt', which is a Git LFS pointer"):
        chosen(installed(broken), realism=False)
    with pytest.raises(UnavailableError, match=r"'model\.ckpt' cannot be used: it is a Git LFS pointer"):
        require_models(models, replace(spec(), checkpoint="model.ckpt"))


# What each file is for: its family, by name alone. Names as they are published, and some that only sound so.
FAMILY_OF_NAME = {
    "v1-5-pruned-emaonly.ckpt": "sd15",
    "sd-v1-4.ckpt": "sd15",
    "anything-v3.ckpt": "sd15",
    "realistic_v2.ckpt": "sd15",
    "deliberate_v2.ckpt": "sd15",
    "DreamShaper_8_pruned.pt": "sd15",
    "epicrealism_naturalSinRC1VAE.ckpt": "sd15",
    "foxlike.ckpt": "sd15",
    "FOXLIKE.ckpt": "sd15",
    "wanderlust.ckpt": "sd15",
    "swansong_v1.ckpt": "sd15",
    "influx.ckpt": "sd15",
    "chromatic.ckpt": "sd15",
    "Luminarium.ckpt": "sd15",
    "cascadeur.ckpt": "sd15",
    "ponytail-girls.ckpt": "sd15",
    "SD1.5/dream.ckpt": "sd15",
    "SDXL/sd15_openpose.pth": "sd15",
    "control_v11p_sd15_openpose.pth": "sd15",
    "t2iadapter_openpose_sd14v1.pth": "sd15",
    "sd_xl_base_1.0.ckpt": "sdxl",
    "sdxl.ckpt": "sdxl",
    "dreamXL.ckpt": "sdxl",
    "dreamXLv10.ckpt": "sdxl",
    "SDXLbase.ckpt": "sdxl",
    "juggernautXL_v9Rundiffusionphoto2.ckpt": "sdxl",
    "realvisxlV40.ckpt": "sdxl",
    "noobaiXLNAIXL_vPred10Version.ckpt": "sdxl",
    "ponyDiffusionV6XL.ckpt": "sdxl",
    "cyberrealisticPony_v65.ckpt": "sdxl",
    "Illustrious-v01.ckpt": "sdxl",
    "waiNSFWIllustrious_v110.ckpt": "sdxl",
    "SDXL/OpenPose.bin": "sdxl",
    "SDXL\\OpenPose.bin": "sdxl",
    "XL/control/openpose.pth": "sdxl",
    "SD1.5/dreamXL.ckpt": "sdxl",
    "OpenPoseXL2.bin": "sdxl",
    "v2-1_768-ema-pruned.ckpt": None,
    "v2-0-base.ckpt": None,
    "512-base-ema.ckpt": None,
    "sd21-unclip.ckpt": None,
    "sd3_medium.ckpt": None,
    "stable-diffusion-2-1.ckpt": None,
    "flux-dev.ckpt": None,
    "flux1-schnell.pt": None,
    "Flux/openpose.bin": None,
    "wan2.1_t2v.pth": None,
    "Wan/vace.pt": None,
    "qwen-image.bin": None,
    "HunyuanDiT.pt": None,
    "HunYuan-dit.pt": None,
    "PixArt-XL-2-1024.pth": None,
    "sd_xl_refiner_1.0.ckpt": None,
    "z_image_turbo.pt": None,
    "svd_xt.ckpt": None,
}


@pytest.mark.parametrize(("name", "family"), FAMILY_OF_NAME.items())
def test_a_name_is_read_by_whole_words(name: str, family: str | None) -> None:
    assert guess_family(name) == family


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("control_v11p_sd15_openpose.pth", "ControlNet"),
        ("t2iadapter_openpose_sd14v1.pth", "T2I adapter"),
        ("t2i-adapter_xl_openpose.pth", "T2I adapter"),
        ("T2I-Adapter/openpose.bin", "T2I adapter"),
        ("control-lora-openposeXL2-rank256.bin", "Control-LoRA"),
        ("ControlLoRA/openpose.bin", "Control-LoRA"),
        ("controllllite_v01032064e_sdxl_pose_anime.pth", "ControlNet-LLLite"),
        ("ControlNet-LLLite/pose.bin", "ControlNet-LLLite"),
        ("satellite_pose.pth", "ControlNet"),
    ],
)
def test_a_name_says_which_kind_of_control_model_it_is(name: str, kind: ControlKind) -> None:
    assert guess_control_kind(name) == kind


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("dreamshaper_8.safetensors", "dreamshaper_8Inpainting.safetensors"),
        ("sd-v1-5.ckpt", "sd-v1-5-inpainting.ckpt"),
        ("epicRealism.safetensors", "epicRealism-inpainting.safetensors"),
        ("plain.safetensors", "epicRealism-inpaint.safetensors"),
        ("juggernautXL.safetensors", "inpaint/juggernautXL.safetensors"),
        ("dreamXL.safetensors", "dreamXL_refiner.safetensors"),
        ("dream.safetensors", "dream-instruct-pix2pix.safetensors"),
        ("dreamXL.safetensors", "dreamXL_lightning.safetensors"),
        ("dreamXL.safetensors", "dreamXLTurbo.safetensors"),
        ("dream.safetensors", "dream-LCM.safetensors"),
        ("photon.safetensors", "surreal.safetensors"),
        ("photon.safetensors", "supernatural.safetensors"),
        ("photon.safetensors", "television.safetensors"),
    ],
)
def test_a_plain_checkpoint_goes_before_a_special_one(better: str, worse: str) -> None:
    for names in ((better, worse), (worse, better)):
        assert chosen(installed(*names), realism=True) == better
    assert chosen(installed(worse), realism=True) == worse  # alone, it is better than none


def test_what_a_file_is_goes_before_what_its_name_says() -> None:
    special = ModelFile("a-photo.safetensors", "sd15", special=True)
    assert chosen(installed(special, "b.safetensors"), realism=True) == "b.safetensors"
    guess = ModelFile("a.ckpt", "sd15", guessed=True)
    assert chosen(installed(guess, "b.safetensors"), realism=True) == "b.safetensors"


POSE = ModelFile("control_v11p_sd15_openpose.safetensors", "sd15")


@pytest.mark.parametrize(
    "worse",
    [
        ModelFile("control_sd15_animal_openpose.safetensors", "sd15"),
        ModelFile("animal/openpose.safetensors", "sd15"),
        ModelFile("control_sd15_densepose.safetensors", "sd15"),
        ModelFile("a_openpose_canny.safetensors", "sd15"),
        ModelFile("a_openpose_face.safetensors", "sd15"),
        ModelFile("a-union.safetensors", "sd15", union=True),
        ModelFile("a-openpose.pth", "sd15", guessed=True),
        ModelFile("a_openpose.safetensors", "sd15", kind="T2I adapter"),
        ModelFile("a_openpose.safetensors", "sd15", kind="Control-LoRA"),
        ModelFile("a_openpose.safetensors", "sdxl"),
        ModelFile("a_openpose.safetensors", "sd15", problem="is empty"),
    ],
    ids=lambda model: f"{model.name} {model.kind}",
)
def test_a_plain_pose_controlnet_goes_before_others(worse: ModelFile) -> None:
    for files in ((worse, POSE), (POSE, worse)):
        models = installed("a.safetensors", controlnets=files)
        assert choose_pose_controlnet(models, Settings(), "sd15") == POSE


@pytest.mark.parametrize("kind", ["T2I adapter", "Control-LoRA"])
def test_adapters_are_used_where_there_is_no_controlnet(kind: ControlKind) -> None:
    adapter = ModelFile("openpose.safetensors", "sd15", kind=kind)
    assert choose_pose_controlnet(installed(controlnets=(adapter,)), Settings(), "sd15") == adapter


def test_a_union_is_known_by_what_it_is() -> None:
    union = ModelFile("diffusion_pytorch_model.safetensors", "sdxl", union=True)
    assert choose_pose_controlnet(installed(controlnets=(union,)), Settings(), "sdxl") == union


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            ModelFile("t2i_openpose.pth", "sdxl", kind="T2I adapter"),
            "is a T2I adapter for Stable Diffusion XL",
        ),
        (ModelFile("openpose.bin", None), "is a ControlNet of a family that AvatarForge does not know"),
        (ModelFile("openpose.pth", None, problem="is empty"), "is empty"),
        (ModelFile("pose.safetensors", None, kind="ControlNet-LLLite", problem="is a LLLite"), "is a LLLite"),
        (ModelFile("animal_openpose.pth", "sd15"), "is not for the skeletons of people"),
        (
            ModelFile("diffusion_pytorch_model.safetensors", "sd15"),
            "has nothing in its name that says that it is for poses",
        ),
    ],
)
def test_the_refusal_says_what_is_installed_and_why_it_cannot_be_used(model: ModelFile, said: str) -> None:
    with pytest.raises(UnavailableError) as caught:
        choose_pose_controlnet(installed(controlnets=(model,)), Settings(), "sd15")
    assert f"{model.name!r}, which {said}" in caught.value.detail
    canny = ModelFile("control_canny.safetensors", "sd15")
    with pytest.raises(UnavailableError) as caught:
        choose_pose_controlnet(installed(controlnets=(canny,)), Settings(), "sd15")
    assert "canny" not in caught.value.detail


def test_a_refusal_names_a_few_files_and_counts_the_rest() -> None:
    many = tuple(ModelFile(f"openpose-{number}.bin", "sdxl") for number in range(40))
    with pytest.raises(UnavailableError) as caught:
        choose_pose_controlnet(installed(controlnets=many), Settings(), "sd15")
    assert caught.value.detail.count("openpose-") == 5
    assert "and 35 more" in caught.value.detail


def test_a_set_controlnet_that_is_broken_is_named_with_its_fault() -> None:
    broken = ModelFile("sub/pose.pth", None, problem="is empty")
    models = installed(controlnets=(broken, POSE))
    with pytest.raises(UnavailableError, match=r"'sub/pose\.pth' that POSE_CONTROLNET names.*is empty"):
        choose_pose_controlnet(models, Settings(pose_controlnet="sub/pose.pth"), "sd15")


@pytest.mark.parametrize(
    ("installed_name", "given"),
    [
        ("sdxl/base.safetensors", "sdxl\\base.safetensors"),
        ("sdxl\\base.safetensors", "sdxl/base.safetensors"),
        ("a/b/c.safetensors", "a\\b/c.safetensors"),
        ("a\\b\\c.safetensors", "a/b/c.safetensors"),
    ],
)
def test_folders_may_be_separated_either_way(installed_name: str, given: str) -> None:
    item = ModelFile(installed_name, "sd15")
    models = installed("0.safetensors", item, controlnets=(item, POSE))
    assert choose_model(models, Settings(), realism=True, requested=given).file.name == installed_name
    settings = Settings(checkpoint_realistic=given, checkpoint_anime=given, pose_controlnet=given)
    assert {chosen(models, realism=realism, settings=settings) for realism in (True, False)} == {
        installed_name
    }
    assert choose_pose_controlnet(models, settings, "sd15").name == installed_name
    require_models(models, replace(spec(), checkpoint=given, controlnet=given))
    prompt = {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": given}},
        "2": {"class_type": "ControlNetLoader", "inputs": {"control_net_name": given}},
        "3": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "gone\\a.ckpt"}},
        "4": {"class_type": "CLIPTextEncode", "inputs": {"text": given, "clip": ["1", 1]}},
    }
    renamed = with_installed_names(prompt, models)
    assert [node["inputs"] for node in renamed.values()] == [
        {"ckpt_name": installed_name},
        {"control_net_name": installed_name},
        {"ckpt_name": "gone\\a.ckpt"},
        {"text": given, "clip": ["1", 1]},
    ]


def test_a_file_of_exactly_this_name_goes_first() -> None:
    models = installed("a\\b.safetensors", "a/b.safetensors")  # POSIX allows both beside each other
    for name in ("a/b.safetensors", "a\\b.safetensors"):
        assert choose_model(models, Settings(), realism=True, requested=name).file.name == name
