"""What the user says about model files, where neither header nor name can tell: `model_overrides.json` in the
data folder.

    {"diffusion_models/flux/mine.safetensors": {"family": "flux", "variant": "krea"}}

People may write the file too, so each read looks whether it changed, and whatever is wrong in it is left out
and logged. A file that cannot be read at all is never written over.
"""

from __future__ import annotations

import contextlib
import json
import logging
import stat
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from .errors import UnavailableError
from .families import DISTILLATIONS, MODEL_FAMILIES
from .model_identity import choose_variant, named_distillation, named_prediction
from .ports import InstalledModels, ModelFile
from .store.disk import Disk
from .strict_json import InvalidJson, read_json

NAME = "model_overrides.json"
MAX_BYTES = 1024**2
MAX_OVERRIDES = 2000
MAX_KEY = 1024  # characters
_MAX_DEPTH, _MAX_VALUES = 4, 40_000
#: A distillation that says: the model is not distilled, whatever its name says.
NOT_DISTILLED = "none"
PREDICTIONS = ("eps", "v")
#: The folders whose files have a family.
Folder = Literal["checkpoints", "diffusion_models", "unet_gguf", "loras", "controlnet", "model_patches"]
#: Those of text encoders and VAEs.
PartFolder = Literal["text_encoders", "clip_gguf", "vae"]
FOLDERS: tuple[str, ...] = get_args(Folder)
_FIELDS = ("family", "variant", "distillation", "prediction")

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class ModelOverride:
    """What the user decided about a file; None leaves it to header and name. `distillation` is a key of
    DISTILLATIONS or NOT_DISTILLED, `prediction` one of PREDICTIONS."""

    family: str | None = None
    variant: str | None = None
    distillation: str | None = None
    prediction: str | None = None

    @property
    def fault(self) -> tuple[str, str] | None:
        """(field, sentence) of the first value that cannot be used; the variant of a file whose family is not
        overridden is checked by `fault_for`."""
        if self.family is not None and self.family not in MODEL_FAMILIES:
            return "family", f"There is no family {self.family!r}. There are: {', '.join(MODEL_FAMILIES)}."
        if self.distillation not in (None, NOT_DISTILLED, *DISTILLATIONS):
            known = ", ".join((NOT_DISTILLED, *DISTILLATIONS))
            return "distillation", f"There is no distillation {self.distillation!r}. There are: {known}."
        if self.prediction not in (None, *PREDICTIONS):
            return "prediction", f"A prediction is {' or '.join(PREDICTIONS)}, not {self.prediction!r}."
        return None

    def fault_for(self, family: str | None) -> tuple[str, str] | None:
        """The same for a file that is of this family without the override."""
        fault = self.fault
        family = self.family or family
        if fault is not None or self.variant is None:
            return fault
        variants = (
            [variant.name for variant in MODEL_FAMILIES[family].variants] if family in MODEL_FAMILIES else []
        )
        if self.variant in variants:
            return None
        if not variants:
            return "variant", "The file is of no known family, which has no variants. Say its family too."
        return "variant", f"{family} has no variant {self.variant!r}. It has: {', '.join(variants)}."


#: By (folder, name with slashes).
Overrides = Mapping[tuple[str, str], ModelOverride]


class ModelOverrides:
    """The file. Every method blocks; `load` is cheap while the file is unchanged."""

    def __init__(self, data_folder: Path, disk: Disk | None = None) -> None:
        self._path = data_folder / NAME
        self._disk = disk or Disk()
        self._lock = threading.Lock()
        self._signature: tuple[int, int] | None = None
        self._loaded: Overrides = {}

    def load(self) -> Overrides:
        """The valid overrides; none if the file cannot be read, which is logged once."""
        with self._lock:
            try:
                signature = self._look()
            except OSError as error:
                return self._keep(None, {}, error)
            if signature != self._signature or signature is None:
                try:
                    return self._keep(signature, _valid(self._read()), None)
                except (OSError, InvalidJson) as error:
                    return self._keep(signature, {}, error)
            return self._loaded

    def update(self, folder: str, name: str, override: ModelOverride) -> None:
        """Store the override of a file, or remove it if it says nothing. Raises UnavailableError."""
        with self._lock:
            try:
                entries = self._read()
                key = _key(folder, name)
                entries = {other: value for other, value in entries.items() if _slashes(other) != key}
                values = {field: value for field, value in asdict(override).items() if value is not None}
                if values:
                    entries[key] = values
                self._check_limits(entries)
                self._write(json.dumps(entries, indent=2, ensure_ascii=False).encode("utf-8"))
            except InvalidJson as error:
                raise UnavailableError(f"{NAME} in the data folder cannot be changed: {error}") from error
            except OSError as error:
                reason = error.strerror or type(error).__name__
                raise UnavailableError(f"{NAME} in the data folder cannot be changed: {reason}.") from error
            self._signature = None

    def _check_limits(self, entries: Mapping[str, Any]) -> None:
        if len(entries) > MAX_OVERRIDES:
            raise InvalidJson(f"It holds {MAX_OVERRIDES} files already.")

    def _look(self) -> tuple[int, int] | None:
        """Size and time of change; None if there is no file. Raises OSError."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_size, status.st_mtime_ns

    def _read(self) -> dict[str, Any]:
        """The entries, not validated. Raises OSError and InvalidJson."""
        try:
            if not stat.S_ISREG(self._path.stat().st_mode):  # reading a pipe could block forever
                raise InvalidJson("It is no file.")
            with self._path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return {}
        if len(raw) > MAX_BYTES:
            raise InvalidJson(f"It is larger than {MAX_BYTES // 1024} KiB.")
        parsed = read_json(raw, max_depth=_MAX_DEPTH, max_values=_MAX_VALUES)
        if not isinstance(parsed, dict):
            raise InvalidJson("It is no JSON object.")
        return parsed

    def _keep(
        self, signature: tuple[int, int] | None, loaded: Overrides, error: Exception | None
    ) -> Overrides:
        if error is not None and signature != self._signature:
            reason = getattr(error, "strerror", None) or error
            log.warning("AvatarForge: %s in the data folder cannot be read: %s", NAME, reason)
        self._signature, self._loaded = signature, loaded
        return loaded

    def _write(self, data: bytes) -> None:
        if len(data) > MAX_BYTES:
            raise InvalidJson(f"It would be larger than {MAX_BYTES // 1024} KiB.")
        temporary = self._path.with_name(f"{NAME}.new")
        try:
            self._disk.make_folder(self._path.parent)
            self._disk.unlink(temporary)  # left by a killed process
            self._disk.write_whole(self._path, temporary, lambda file: self._disk.write(file, data))
        except OSError:
            with contextlib.suppress(OSError):
                self._disk.unlink(temporary, patient=False)
            raise


def with_overrides(installed: InstalledModels, overrides: Overrides) -> InstalledModels:
    """The installed models with what the user decided."""
    if not overrides:
        return installed

    def changed(models: tuple[ModelFile, ...]) -> tuple[ModelFile, ...]:
        return tuple(_apply(model, overrides.get((model.folder, _slashes(model.name)))) for model in models)

    return replace(
        installed,
        checkpoints=changed(installed.checkpoints),
        diffusion_models=changed(installed.diffusion_models),
        controlnets=changed(installed.controlnets),
        loras=changed(installed.loras),
        model_patches=changed(installed.model_patches),
    )


def _apply(model: ModelFile, override: ModelOverride | None) -> ModelFile:
    if override is None or override.fault_for(model.family) is not None:
        return model
    family = override.family or model.family
    variant, variant_told_by = model.variant, model.variant_told_by
    distillation, prediction = model.distillation, model.prediction
    if family != model.family:
        variant, variant_told_by = choose_variant(family, model.name)
        distillation = named_distillation(family, model.name)
        prediction = "v" if model.prediction == "v" else named_prediction(family, model.name)
    if override.distillation is not None:
        distillation = None if override.distillation == NOT_DISTILLED else override.distillation
    if override.prediction is not None and model.prediction != "v":  # a mark in the file always counts
        prediction = "v_unmarked" if override.prediction == "v" else "eps"
    return replace(
        model,
        family=family,
        variant=override.variant or variant,
        distillation=distillation,
        prediction=prediction,
        told_by="override" if override.family else model.told_by,
        variant_told_by="override" if override.variant else variant_told_by,
        guessed=model.guessed and override.family is None,
    )


def _valid(entries: Mapping[str, Any]) -> Overrides:
    found: dict[tuple[str, str], ModelOverride] = {}
    for key, values in list(entries.items())[:MAX_OVERRIDES]:
        folder, _, name = _slashes(key).partition("/")
        override = _override(values)
        if folder not in FOLDERS or not name or len(key) > MAX_KEY or override is None or override.fault:
            log.warning("AvatarForge: the entry %r of %s is left out", key[:80], NAME)
            continue
        found[folder, name] = override
    return found


def _override(values: Any) -> ModelOverride | None:
    if not isinstance(values, dict) or not set(values) <= set(_FIELDS):
        return None
    if not all(value is None or isinstance(value, str) for value in values.values()):
        return None
    return ModelOverride(**values)


def _key(folder: str, name: str) -> str:
    return f"{folder}/{_slashes(name)}"


def _slashes(name: str) -> str:
    return name.replace("\\", "/")
