"""Settings from `AVATARFORGE_*` variables and the pack's own `.env`.

Unprefixed names (`STORAGE_PATH`, `DATABASE_URL`, ...) are read only from the `.env` file: in the environment
such names may belong to another program.
"""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .env_file import Entry, control_character, fault_of, read_env_file, shown_name
from .errors import SettingsError
from .families import FAMILIES
from .webhooks.signature import read_secret

PREFIX = "AVATARFORGE_"
MEBIBYTE = 1024 * 1024
SECRET = frozenset({"api_key", "secret_key", "webhook_secret"})
LISTS = frozenset({"allowed_hosts", "allowed_origins", "webhook_hosts"})  # may span several lines
NO_SETTINGS = frozenset({"AVATARFORGE_CACHE"})  # used by dev.py
MOST_WARNINGS = 20
SHOWN = 80  # characters of a value in a sentence

log = logging.getLogger("avatarforge")


class Settings(BaseModel):
    """All settings with their defaults and ranges. Sizes are in bytes, dimensions in pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    storage_path: str = Field("", description="Folder of the stored files; empty: in the data folder.")
    max_file_size: int = Field(50 * MEBIBYTE, ge=1024, le=1024 * MEBIBYTE)
    max_image_dimension: int = Field(4096, ge=64, le=16384)
    min_image_dimension: int = Field(64, ge=1, le=4096)
    file_cleanup_days: int = Field(30, ge=1, le=36500)
    comfyui_url: str = Field("", max_length=2048)
    database_url: str = Field("", max_length=2048)
    checkpoint_realistic: str = Field("", max_length=512)
    checkpoint_anime: str = Field("", max_length=512)
    pose_controlnet: str = Field("", max_length=512)
    # The default 0, which cannot be set, leaves the choice to the model's family.
    default_width: int = Field(0, ge=64, le=4096, multiple_of=8)
    default_height: int = Field(0, ge=64, le=4096, multiple_of=8)
    default_steps: int = Field(0, ge=1, le=150)
    default_family: str = Field("", max_length=32)
    api_key: str = Field("", min_length=16, max_length=512, repr=False)
    allow_anonymous: bool = False
    secret_key: str = Field("", min_length=32, max_length=512, repr=False)
    allowed_hosts: str = Field("", max_length=4096)
    allowed_origins: str = Field("", max_length=4096)
    rate_limit: int = Field(0, ge=0, le=1_000_000)
    storage_quota_bytes: int = Field(0, ge=0, le=2**60)
    storage_quota_files: int = Field(0, ge=0, le=10**9)
    max_active_generations: int = Field(1000, ge=1, le=100_000)
    max_library_poses: int = Field(10_000, ge=1, le=100_000)
    batch_items_ahead: int = Field(2, ge=1, le=100)
    max_waiting_items: int = Field(10_000, ge=1, le=1_000_000)
    max_batch_size: int = Field(16 * MEBIBYTE, ge=64 * 1024, le=256 * MEBIBYTE)
    allow_templates: bool = True
    max_templates: int = Field(1000, ge=1, le=100_000)
    max_template_size: int = Field(4 * MEBIBYTE, ge=64 * 1024, le=64 * MEBIBYTE)
    max_template_nodes: int = Field(1000, ge=1, le=10_000)
    max_template_versions: int = Field(20, ge=1, le=1000)
    max_characters: int = Field(100_000, ge=1, le=10_000_000)
    max_character_versions: int = Field(100, ge=1, le=10_000)
    max_character_file_size: int = Field(512 * MEBIBYTE, ge=MEBIBYTE, le=2048 * MEBIBYTE)
    max_export_size: int = Field(2048 * MEBIBYTE, ge=MEBIBYTE, le=4095 * MEBIBYTE)
    log_prompts: bool = False
    webhook_hosts: str = Field("", max_length=4096)
    webhook_secret: str = Field("", max_length=128, repr=False)
    webhook_allow_private: bool = False

    @model_validator(mode="after")
    def _key_or_no_key(self) -> Settings:
        if self.api_key and self.allow_anonymous:
            raise ValueError("API_KEY and ALLOW_ANONYMOUS=true contradict each other; set one of them")
        return self

    @model_validator(mode="after")
    def _webhooks_are_signed(self) -> Settings:
        if self.webhook_secret:
            try:
                read_secret(self.webhook_secret)
            except ValueError as error:
                raise ValueError(f"WEBHOOK_SECRET cannot be used: {error}") from error
        elif self.webhook_hosts:
            raise ValueError(
                "WEBHOOK_HOSTS needs a WEBHOOK_SECRET, so that receivers can tell who calls them"
            )
        return self

    @model_validator(mode="after")
    def _family_exists(self) -> Settings:
        if self.default_family and self.default_family not in FAMILIES:
            raise ValueError(
                f"DEFAULT_FAMILY={self.default_family!r} is no family; there are: {', '.join(FAMILIES)}"
            )
        return self

    @model_validator(mode="after")
    def _dimensions_in_order(self) -> Settings:
        if self.min_image_dimension > self.max_image_dimension:
            raise ValueError(
                f"MIN_IMAGE_DIMENSION={self.min_image_dimension} is above "
                f"MAX_IMAGE_DIMENSION={self.max_image_dimension}; it must be at most that"
            )
        return self

    def storage_folder(self, data_folder: Path) -> Path:
        """The folder of stored files; `STORAGE_PATH` may be relative to the data folder. Raises
        SettingsError."""
        if not self.storage_path:
            return data_folder / "storage"
        try:
            return data_folder / Path(self.storage_path).expanduser()
        except RuntimeError as error:
            raise SettingsError(
                f"STORAGE_PATH={self.storage_path[:SHOWN]!r} cannot be used: the home folder that ~ stands "
                "for is not known."
            ) from error


def load_settings(environ: Mapping[str, str], dotenv: Path) -> Settings:
    """Load and check the settings.

    The first of these wins: `AVATARFORGE_X` in the environment, `AVATARFORGE_X` in `.env`, `X` in `.env`, the
    default. An empty value counts as unset. Unknown names are logged. Blocks. Raises SettingsError with one
    sentence per invalid value.
    """
    from_file = read_env_file(dotenv)
    _warn_of_unknown(environ, from_file)
    values: dict[str, str] = {}
    spelled: dict[str, str] = {}
    faults = []
    for field in Settings.model_fields:
        name = field.upper()
        for source, key in ((environ, PREFIX + name), (from_file, PREFIX + name), (from_file, name)):
            raw = source.get(key)
            value = raw.value if isinstance(raw, Entry) else raw
            if value:
                values[field], spelled[field] = value, key
                if fault := _fault(field, key, raw if isinstance(raw, Entry) else None, value):
                    faults.append(fault)
                break
    if faults:
        raise SettingsError(" ".join(faults))
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(" ".join(_explain(error, values, spelled))) from error


def _fault(field: str, key: str, entry: Entry | None, value: str) -> str | None:
    """A sentence about a text value that is probably not what its author meant; None if it is fine."""
    if Settings.model_fields[field].annotation is not str or field in LISTS:
        return None
    reason = fault_of(entry) if entry else None
    if reason is None and (character := control_character(value)):
        reason = f"it holds the control character U+{ord(character):04X}"
    if reason is None:
        return None
    shown = _shown(field, entry.written if entry else repr(value))
    place = f" in line {entry.line} of .env" if entry else ""
    return f"{key}{shown}{place} cannot be used: {reason}."


def _shown(field: str, text: str) -> str:
    """The value as shown after the setting's name. Secrets are never shown, not even invalid ones."""
    if field in SECRET:
        return ""
    if field == "database_url":
        text = re.sub(r"(?<=:)[^:@/]*(?=@)", "***", text)
    return f"={text[: SHOWN + 2]}"  # with its quotes


def _warn_of_unknown(environ: Mapping[str, str], from_file: Iterable[str]) -> None:
    """Log names that have no effect, to reveal typing errors."""
    names = {name.upper() for name in Settings.model_fields}
    known = names | {PREFIX + name for name in names} | NO_SETTINGS
    unknown = [(name, ".env") for name in from_file if name not in known]
    unknown += [
        (name, "the environment") for name in environ if name.upper().startswith(PREFIX) and name not in known
    ]
    for name, place in unknown[:MOST_WARNINGS]:
        near = difflib.get_close_matches(name.upper()[:SHOWN], known - NO_SETTINGS, 1, 0.8)
        log.warning(
            "AvatarForge: %s in %s is no setting and has no effect.%s",
            shown_name(name),
            place,
            f" Did you mean {near[0]}?" if near else "",
        )


def _explain(error: ValidationError, values: Mapping[str, str], spelled: Mapping[str, str]) -> list[str]:
    sentences = []
    for problem in error.errors(include_url=False):
        field = str(problem["loc"][0]) if problem["loc"] else ""
        if field not in spelled:
            sentences.append(f"{problem['msg'].removeprefix('Value error, ')}.")
            continue
        shown = _shown(field, repr(values[field][:SHOWN]))
        sentences.append(f"{spelled[field]}{shown} cannot be used: {_allowed(field)}.")
    return sentences


def _allowed(field: str) -> str:
    if Settings.model_fields[field].annotation is bool:
        return "it must be true or false"
    bounds = {type(rule).__name__: rule for rule in Settings.model_fields[field].metadata}
    low, high = bounds.get("Ge"), bounds.get("Le")
    if low is not None and high is not None:
        step = bounds.get("MultipleOf")
        return f"it must be a whole number from {low.ge} to {high.le}" + (
            f" and a multiple of {step.multiple_of}" if step else ""
        )
    shortest, longest = bounds.get("MinLen"), bounds.get("MaxLen")
    if shortest is not None and longest is not None:
        return f"it must be a text of {shortest.min_length} to {longest.max_length} characters"
    return f"it must be a text of at most {longest.max_length} characters" if longest else "it must be a text"
