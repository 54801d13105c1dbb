"""Request models: bodies and queries. They validate requests and define the OpenAPI document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    Strict,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError

from ..forge.access.signing import LONGEST as LONGEST_LINK
from ..forge.access.signing import USUAL as USUAL_LINK
from ..forge.ids import UUID_PATTERN, canonical_id
from ..forge.model_overrides import Folder, PartFolder
from ..forge.spec import fields
from ..forge.spec.fields import RequestField
from ..forge.spec.lora import STRENGTH
from ..forge.spec.reference import REFERENCE_STRENGTH, ReferenceRole
from ..forge.spec.request import MOST_COUNT, MOST_PICTURES, REQUEST_FIELDS
from ..forge.spec.views import VIEW_NAMES, ViewName
from ..forge.store.thumbnails import LARGEST, SMALLEST, USUAL
from .context import PREFIX
from .models import LazyModel
from .responses import Status


def whole(value: Any) -> Any:
    # JSON has one type of number, so 20.0 is an integer.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _from_text(value: Any) -> Any:
    # Query values are strings; only plain digits count as a number.
    return int(value) if isinstance(value, str) and re.fullmatch("-?[0-9]{1,20}", value) else value


def _without(pattern: str, exceptions: str) -> AfterValidator:
    forbidden = re.compile(pattern)

    def check(value: str) -> str:
        if forbidden.search(value):
            raise PydanticCustomError("control_character", f"Control characters{exceptions} are not allowed")
        return value

    return AfterValidator(check)


def distinct(what: str) -> AfterValidator:
    """For a list: refuses a value that it has twice."""

    def check(values: list[Any]) -> list[Any]:
        if len(set(values)) < len(values):
            raise PydanticCustomError("repeated_value", "Each {what} can be chosen once only", {"what": what})
        return values

    return AfterValidator(check)


@dataclass(frozen=True)
class _SchemaPattern:
    """Adds a pattern to the JSON schema only. A validator checks it, with an error message of its own."""

    pattern: str

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "pattern": self.pattern}


@dataclass(frozen=True)
class _Base64:
    """Declares base64 in the JSON schema. The store decodes it."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "contentEncoding": "base64"}


# The bounds are part of the types, because pydantic omits those of the fields from the OpenAPI document.
Strength = Annotated[float, Strict(), Field(ge=0, le=1)]
LinkSeconds = Annotated[int, Strict(), Field(ge=1, le=LONGEST_LINK), BeforeValidator(whole)]
Count = Annotated[int, Strict(), Field(ge=1, le=MOST_COUNT), BeforeValidator(whole)]
CharacterVersion = Annotated[int, Strict(), Field(ge=1, le=2**31 - 1), BeforeValidator(whole)]
QueryWhole = Annotated[int, Strict(), BeforeValidator(_from_text)]
QueryPosition = Annotated[int, Strict(), Field(ge=1, le=MOST_PICTURES), BeforeValidator(_from_text)]
QuerySeed = Annotated[int, Strict(), Field(ge=0, le=2**64 - 1), BeforeValidator(_from_text)]
Version = Annotated[int, Strict(), Field(ge=0, le=2**53), BeforeValidator(_from_text)]
VersionNumber = Annotated[int, Strict(), Field(ge=1, le=2**31 - 1), BeforeValidator(_from_text)]
Days = Annotated[int, Strict(), Field(ge=0, le=36_500), BeforeValidator(_from_text)]
# Without C0, DEL, C1 (ECMA-48) and surrogates, which break logs, metadata and databases.
Name = Annotated[
    str,
    _without(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", ""),
    _SchemaPattern(r"^[^\u0000-\u001f\u007f-\u009f]*$"),
]
NO_CONTROLS = _without(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", " other than tab and new line")
TEXT_PATTERN = _SchemaPattern(r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$")
Text = Annotated[str, StringConstraints(strip_whitespace=True), NO_CONTROLS, TEXT_PATTERN]
# Case-insensitive in requests; converted to the stored form here.
StoredId = Annotated[Name, AfterValidator(canonical_id)]
QueryId = Annotated[str, StringConstraints(pattern=f"^{UUID_PATTERN}$"), AfterValidator(canonical_id)]
GenerationCursor = Annotated[str, _SchemaPattern("^[0-9]{1,18}$")]
VersionCursor = Annotated[str, _SchemaPattern("^[0-9]{1,9}$")]
FileCursor = Annotated[str, _SchemaPattern("^[0-9]{1,18}-[0-9A-Fa-f-]{36}$")]
Picture = Annotated[str, _Base64()]
DistinctViews = Annotated[list[ViewName], distinct("view")]
# For the OpenAPI document. `links` validates the URLs, with better error messages.
_SIZES = "(6[4-9]|[7-9][0-9]|[1-4][0-9]{2}|50[0-9]|51[0-2])"
_PREVIEWS = f"generations/{UUID_PATTERN}/previews/[0-9]{{1,4}}(\\?version=[0-9]{{1,15}})?"
_FILES = f"files/{UUID_PATTERN}(/thumbnail(\\?size={_SIZES})?)?"
_PICTURES = f"({_FILES}|outputs/{UUID_PATTERN}/[A-Za-z0-9_.-]+|{_PREVIEWS})"
PictureUrl = Annotated[
    str,
    StringConstraints(max_length=512),
    Field(json_schema_extra={"pattern": f"^(/api)?({PREFIX})?/{_PICTURES}$"}),
]


class Body(LazyModel):
    """What clients send: strict types, no unknown fields, no NaN."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class ReferenceBody(Body):
    """An uploaded reference image. Strength 0 is as if absent."""

    file_id: StoredId = Field(max_length=64)
    role: ReferenceRole = Field(
        "identity",
        description="What the result shares with it: the whole person, the face alone, the clothes, or how "
        "it is drawn.",
    )
    strength: Strength = Field(REFERENCE_STRENGTH, description="0: as if absent.")
    view: ViewName | None = Field(None, description="The view that it shows, if that is known.")


@cache
def _lora_body(rule: fields.Loras) -> type[Body]:
    strength = Annotated[float, Strict(), Field(ge=rule.minimum, le=rule.maximum_strength)]
    return create_model(
        "LoraBody",
        __base__=Body,
        __module__=__name__,
        __doc__="An installed LoRA. Strength 0 is as if absent.",
        name=(Name, Field(max_length=512, description="Its file name.")),
        strength=(strength, Field(STRENGTH, description="Of its changes to the model.")),
        clip_strength=(
            strength | None,
            Field(None, description="Of its changes to the text encoder; null: the same as `strength`."),
        ),
    )


def _type_of(field: RequestField) -> tuple[Any, dict[str, Any]]:
    """The pydantic type of a declared field, and further arguments of its `Field`."""
    rule = field.rule
    match rule:
        case fields.Text():
            return Text, {"min_length": rule.min_length or None, "max_length": rule.max_length}
        case fields.Name():
            # A pose is named by its id or its name; names of templates and models are compared as they are.
            return StoredId if rule.source == "poses" else Name, {"max_length": rule.max_length}
        case fields.FileId() | fields.CharacterId():
            return StoredId, {"max_length": 64}
        case fields.Base64Picture():
            return Picture, {}
        case fields.Url():
            return str, {"max_length": rule.max_length}
        case fields.Flag():
            return Annotated[bool, Strict()], {}
        case fields.Whole():
            step = rule.multiple_of if rule.multiple_of > 1 else None
            bounds = Field(ge=rule.minimum, le=rule.maximum, multiple_of=step)
            return Annotated[int, Strict(), bounds, BeforeValidator(whole)], {}
        case fields.Real():
            return Annotated[float, Strict()], {"ge": rule.minimum, "le": rule.maximum}
        case fields.Choice():
            return Literal[rule.values], {}
        case fields.Loras():
            return list[_lora_body(rule)], {"max_length": rule.maximum}  # type: ignore[misc]
        case fields.References():
            return list[ReferenceBody], {"min_length": 1, "max_length": rule.maximum}
        case fields.Views():
            return DistinctViews, {"min_length": 1, "max_length": len(VIEW_NAMES)}


def _say_when_prompt_is_needed(schema: dict[str, Any]) -> None:
    """The prompt may be left out, or be empty, with a character."""
    prompt = schema["properties"]["prompt"]
    shortest = prompt.pop("minLength")
    about = {name: prompt.pop(name) for name in ("title", "description")}
    schema["properties"]["prompt"] = {"anyOf": [prompt, {"type": "null"}], **about}
    schema["required"].remove("prompt")
    if not schema["required"]:
        del schema["required"]
    text = {"type": "string"}
    schema["anyOf"] = [
        {"required": ["prompt"], "properties": {"prompt": {**text, "minLength": shortest}}},
        {"required": ["character_id"], "properties": {"character_id": text}},
    ]


#: Takes the place of a prompt that a request with a character leaves out. No JSON has it.
_NO_PROMPT = object()


class _PromptOrCharacter(Body):
    """With a character, the prompt is optional: its description is the prompt then."""

    model_config = ConfigDict(json_schema_extra=_say_when_prompt_is_needed)

    @model_validator(mode="before")
    @classmethod
    def _prompt_may_be_left_out(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("character_id") is None:
            return data
        prompt = data.get("prompt")
        empty = prompt is None or (isinstance(prompt, str) and not prompt.strip())
        return {**data, "prompt": _NO_PROMPT} if empty else data


def _prompt_or_none(value: Any, check: ValidatorFunctionWrapHandler) -> str:
    text: str = "" if value is _NO_PROMPT else check(value)
    return text


def declared(field: RequestField) -> tuple[Any, Any]:
    """The pydantic type and `Field` of a declared field."""
    kind, arguments = _type_of(field)
    if isinstance(field.rule, fields.Flag):
        kind = kind | None if field.optional else kind
        return kind, Field(field.default, description=field.description)
    arguments = {name: value for name, value in arguments.items() if value is not None}
    if field.required:
        lengths = StringConstraints(strip_whitespace=True, **arguments)
        kind = Annotated[str, lengths, NO_CONTROLS, TEXT_PATTERN, WrapValidator(_prompt_or_none)]
        return kind, Field(description=field.description)
    return kind | None, Field(None, description=field.description, **arguments)


def _declared_fields() -> dict[str, Any]:
    return {name: declared(field) for name, field in REQUEST_FIELDS.items()}


# Built from the declarations in `forge/spec`, which is where to add a field.
AvatarBody = create_model(
    "AvatarBody",
    __base__=_PromptOrCharacter,
    __module__=__name__,
    __doc__="""A character in words, or a saved one, with optional pictures and settings. What is left out is
    chosen for you and comes back in `parameters`.""",
    **_declared_fields(),
)


class SignedUrlsBody(Body):
    """Pictures to show without the key."""

    urls: list[PictureUrl] = Field(
        min_length=1,
        max_length=200,
        description="`url` values of answers, or thumbnails; with the API's prefix or without it.",
    )
    expires_in: LinkSeconds = Field(USUAL_LINK, description="Seconds.")


#: The name of a model file in its folder. It is compared with installed names, and no path is made from it.
ModelName = Annotated[Name, StringConstraints(min_length=1, max_length=512)]
_Choice = Annotated[Name, StringConstraints(min_length=1, max_length=64)]


class ModelOverrideBody(Body):
    """What a model file is. What is left out, or null, is left to its header and name."""

    folder: Folder = Field(description="ComfyUI's name of its folder.")
    name: ModelName = Field(description="As in GET /models.")
    family: _Choice | None = Field(None, description="A family of GET /models.")
    variant: _Choice | None = Field(None, description="A variant of the family.")
    distillation: _Choice | None = Field(
        None, description="How it was distilled to a few steps; `none`: it was not."
    )
    prediction: Literal["eps", "v"] | None = Field(
        None, description="What the model predicts, if the file has no mark."
    )


class Query(LazyModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PoseQuery(Query):
    pose: ViewName = Field(description="The view to draw.")


class RerollQuery(Query):
    pose: ViewName | None = Field(None, description="The view to draw again.")
    position: QueryPosition | None = Field(
        None,
        description="The number of the picture in output_files, from 1: needed where several show the view.",
    )
    seed: QuerySeed | None = Field(None, description="Chosen for you when left out.")


class ModelsQuery(Query):
    folder: Folder | PartFolder | None = Field(
        None, description="Only the files of this folder, such as `loras`."
    )


class ModelFileQuery(Query):
    folder: Folder = Field(description="ComfyUI's name of its folder.")
    name: ModelName = Field(description="As in GET /models.")


class ForceQuery(Query):
    force: bool = Field(False, description="Delete even if generations use the file.")


class VerifyQuery(Query):
    repair: bool = Field(False, description="Repair what can be repaired; nothing is thrown away.")


class KeepOutputsQuery(Query):
    keep_outputs: bool = Field(False, description="Leave the pictures in ComfyUI's output folder.")


class CleanupQuery(Query):
    days: Days | None = Field(None, description="Default: FILE_CLEANUP_DAYS.")


class ListQuery(Query):
    limit: QueryWhole = Field(50, ge=1, le=100, description="Results per page.")
    offset: QueryWhole = Field(0, ge=0, le=2**53, description="Skip so many.")
    status: Status | None = Field(None, description="Only those in this state.")
    character_id: QueryId | None = Field(None, description="Only those that show this character.")
    batch_id: QueryId | None = Field(None, description="Only those of this batch.")
    cursor: GenerationCursor | None = Field(
        None, max_length=32, description="next_cursor of the page before: arrivals do not shift the pages."
    )


class FilesQuery(Query):
    limit: QueryWhole = Field(50, ge=1, le=100, description="Results per page.")
    cursor: FileCursor | None = Field(
        None, max_length=64, description="next_cursor of the page before: arrivals do not shift the pages."
    )


class WaitQuery(Query):
    wait: QueryWhole = Field(
        0, ge=0, le=60, description="Seconds: answer when the generation has ended, at the latest then."
    )


class EventsQuery(Query):
    last_event_id: str | None = Field(
        None,
        pattern="^[0-9A-Fa-f]{1,32}-[0-9]{1,18}$",
        description="For clients that cannot send the header Last-Event-ID.",
    )


class PreviewQuery(Query):
    version: Version | None = Field(None, description="Nothing but another URL for another picture.")


class ThumbnailQuery(Query):
    size: QueryWhole = Field(USUAL, ge=SMALLEST, le=LARGEST, description="Pixels of the longer side.")
