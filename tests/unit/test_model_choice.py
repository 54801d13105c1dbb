from __future__ import annotations

import pytest

from avatarforge.forge.errors import UnavailableError, UnprocessableError
from avatarforge.forge.graphs.models import choose_checkpoint, choose_pose_controlnet
from avatarforge.forge.ports import InstalledModels, ModelFile
from avatarforge.forge.settings import Settings


def installed(*checkpoints: str | ModelFile, controlnets: tuple[ModelFile, ...] = ()) -> InstalledModels:
    return InstalledModels(
        checkpoints=tuple(ModelFile(one, "sd15") if isinstance(one, str) else one for one in checkpoints),
        controlnets=controlnets,
        samplers=(),
        schedulers=(),
    )


def chosen(models: InstalledModels, *, realism: bool, settings: Settings | None = None) -> str:
    return choose_checkpoint(models, settings or Settings(), realism=realism, requested=None)[0]


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
        choose_checkpoint(models, Settings(), realism=False, requested=name)
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
