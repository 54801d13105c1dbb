"""What the user says about model files is kept in a file that anybody can write."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from avatarforge.forge import model_overrides
from avatarforge.forge.errors import UnavailableError
from avatarforge.forge.model_overrides import ModelOverride, ModelOverrides, with_overrides
from avatarforge.forge.ports import InstalledModels, ModelFile
from avatarforge.forge.store.disk import Disk

KREA = ModelOverride(family="flux", variant="krea")
NAME = "sub/mine.safetensors"


def installed(*models: ModelFile) -> InstalledModels:
    return InstalledModels(
        checkpoints=(), controlnets=(), samplers=(), schedulers=(), diffusion_models=models
    )


def file(name: str = NAME, family: str | None = "flux", **values: object) -> ModelFile:
    return ModelFile(name, family, folder="diffusion_models", **values)  # type: ignore[arg-type]


def applied(override: ModelOverride, model: ModelFile) -> ModelFile:
    overrides = {(model.folder, model.name.replace("\\", "/")): override}
    return with_overrides(installed(model), overrides).diffusion_models[0]


def write(folder: Path, content: object) -> Path:
    path = folder / model_overrides.NAME
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def test_an_override_is_stored_and_removed(tmp_path: Path) -> None:
    overrides = ModelOverrides(tmp_path)
    assert overrides.load() == {}
    overrides.update("diffusion_models", NAME, KREA)
    overrides.update("loras", "other.safetensors", ModelOverride(family="sdxl"))
    assert ModelOverrides(tmp_path).load()["diffusion_models", NAME] == KREA
    assert overrides.load()["diffusion_models", NAME] == KREA
    overrides.update("diffusion_models", NAME, ModelOverride())
    assert overrides.load() == {("loras", "other.safetensors"): ModelOverride(family="sdxl")}
    assert [path.name for path in tmp_path.iterdir()] == [model_overrides.NAME]


def test_a_name_with_backslashes_is_the_same(tmp_path: Path) -> None:
    overrides = ModelOverrides(tmp_path)
    overrides.update("diffusion_models", "sub\\mine.safetensors", KREA)
    overrides.update("diffusion_models", NAME, ModelOverride(family="sdxl"))
    assert overrides.load() == {("diffusion_models", NAME): ModelOverride(family="sdxl")}


def test_a_change_by_hand_counts_at_the_next_load(tmp_path: Path) -> None:
    overrides = ModelOverrides(tmp_path)
    path = write(tmp_path, {f"diffusion_models/{NAME}": {"family": "flux"}})
    assert overrides.load() == {("diffusion_models", NAME): ModelOverride(family="flux")}
    write(tmp_path, {f"diffusion_models/{NAME}": {"family": "sdxl"}})
    os.utime(path, ns=(1, 1))
    assert overrides.load() == {("diffusion_models", NAME): ModelOverride(family="sdxl")}
    path.unlink()
    assert overrides.load() == {}


@pytest.mark.parametrize(
    "entry",
    [
        {"diffusion_models/a": {"family": "unknown"}},
        {"diffusion_models/a": {"family": 7}},
        {"diffusion_models/a": {"family": "flux", "other": "x"}},
        {"diffusion_models/a": "flux"},
        {"diffusion_models/a": {"distillation": "magic"}},
        {"diffusion_models/a": {"prediction": "x0"}},
        {"diffusion_models/": {"family": "flux"}},
        {"../../etc/passwd": {"family": "flux"}},
        {"vae/a": {"family": "flux"}},
        {"diffusion_models/" + "a" * 2000: {"family": "flux"}},
    ],
)
def test_a_wrong_entry_is_left_out_and_the_others_count(
    tmp_path: Path, entry: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, {**entry, f"diffusion_models/{NAME}": {"family": "flux", "variant": "krea"}})
    assert ModelOverrides(tmp_path).load() == {("diffusion_models", NAME): KREA}
    assert "is left out" in caplog.text


CONTENTS = {
    "no json": b"{nonsense",
    "no utf-8": b'{"\xff": {}}',
    "list": b"[]",
    "deep": b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "large": b'{"a": "' + b"x" * model_overrides.MAX_BYTES + b'"}',
    "many values": b'{"a": [' + b"1," * 100_000 + b"1]}",
    "same name twice": b'{"loras/a": {"family": "sdxl"}, "loras/a": {"family": "flux"}}',
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_a_file_that_cannot_be_read_counts_as_none_and_is_never_written_over(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path, content)
    overrides = ModelOverrides(tmp_path)
    for _ in range(3):
        assert overrides.load() == {}
    assert caplog.text.count("cannot be read") == 1
    with pytest.raises(UnavailableError, match=r"model_overrides\.json in the data folder cannot be changed"):
        overrides.update("diffusion_models", NAME, KREA)
    assert path.read_bytes() == content


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / model_overrides.NAME)
    assert ModelOverrides(tmp_path).load() == {}


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    class FullDisk(Disk):
        def sync(self, file: object) -> None:
            raise OSError(28, "No space left on device")

    ModelOverrides(tmp_path).update("diffusion_models", NAME, KREA)
    overrides = ModelOverrides(tmp_path, FullDisk())
    with pytest.raises(UnavailableError, match="No space left"):
        overrides.update("diffusion_models", "other", KREA)
    assert overrides.load() == {("diffusion_models", NAME): KREA}
    assert [path.name for path in tmp_path.iterdir()] == [model_overrides.NAME]


def test_the_number_of_overrides_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_overrides, "MAX_OVERRIDES", 2)
    overrides = ModelOverrides(tmp_path)
    for number in range(2):
        overrides.update("loras", str(number), ModelOverride(family="sdxl"))
    with pytest.raises(UnavailableError, match="2 files"):
        overrides.update("loras", "2", ModelOverride(family="sdxl"))
    overrides.update("loras", "1", ModelOverride(family="flux"))
    assert len(overrides.load()) == 2


# What it changes


def test_an_override_wins_over_header_and_name() -> None:
    model = file("flux1-dev-kontext.safetensors", variant="kontext")
    found = applied(KREA, model)
    assert (found.family, found.variant) == ("flux", "krea")
    assert (found.told_by, found.variant_told_by) == ("override", "override")


def test_without_a_family_the_other_values_count() -> None:
    found = applied(ModelOverride(variant="krea"), file(variant="dev"))
    assert (found.variant, found.told_by, found.variant_told_by) == ("krea", "header", "override")


def test_another_family_has_its_own_variant_and_distillation() -> None:
    model = file(
        "qwen_edit_lightning_2511.safetensors", "qwen_image", variant="base", distillation="lightning"
    )
    found = applied(ModelOverride(family="qwen_edit"), model)
    assert (found.family, found.variant, found.distillation) == ("qwen_edit", "2511", "lightning")


def test_a_model_can_be_said_to_be_distilled_or_not() -> None:
    distilled = file(distillation="lightning")
    assert applied(ModelOverride(distillation="none"), distilled).distillation is None
    assert applied(ModelOverride(distillation="turbo"), file()).distillation == "turbo"


@pytest.mark.parametrize(
    ("prediction", "before", "after"),
    [
        ("v", "eps", "v_unmarked"),
        ("eps", "v_unmarked", "eps"),
        ("eps", "v", "v"),  # ComfyUI reads the mark in the file, whatever is said here
        ("v", "v", "v"),
    ],
)
def test_the_prediction_of_a_file_without_a_mark(prediction: str, before: str, after: str) -> None:
    found = applied(ModelOverride(prediction=prediction), file(family="sdxl", prediction=before))
    assert found.prediction == after


def test_a_file_of_a_later_release_or_a_wrong_variant_changes_nothing() -> None:
    model = file(variant="dev")
    assert applied(ModelOverride(variant="2511"), model) == model


def test_other_files_stay_as_they_are() -> None:
    models = installed(file("a", variant="dev"), file("b", variant="dev"))
    assert with_overrides(models, {}) is models
    found = with_overrides(models, {("diffusion_models", "b"): KREA, ("loras", "a"): KREA})
    assert [one.variant for one in found.diffusion_models] == ["dev", "krea"]


@pytest.mark.parametrize(
    ("override", "family", "field"),
    [
        (ModelOverride(family="nothing"), None, "family"),
        (ModelOverride(variant="krea"), "flux", None),
        (ModelOverride(variant="krea"), "sdxl", "variant"),
        (ModelOverride(variant="krea"), None, "variant"),
        (ModelOverride(family="flux", variant="krea"), "sdxl", None),
        (ModelOverride(distillation="magic"), "sdxl", "distillation"),
        (ModelOverride(prediction="x0"), "sdxl", "prediction"),
        (ModelOverride(distillation="none", prediction="v"), "sdxl", None),
    ],
)
def test_a_fault_names_its_field(override: ModelOverride, family: str | None, field: str | None) -> None:
    fault = override.fault_for(family)
    assert (fault and fault[0]) == field
