"""Request models: the bodies. They validate requests and define the OpenAPI document."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    create_model,
    model_validator,
)

from ..forge.access.signing import USUAL as USUAL_LINK
from ..forge.model_overrides import Folder
from ..forge.spec import fields
from ..forge.spec.fields import RequestField
from ..forge.spec.lora import STRENGTH
from ..forge.spec.reference import REFERENCE_STRENGTH, ReferenceRole
from ..forge.spec.request import REQUEST_FIELDS
from ..forge.spec.until import SCALES, TRIES
from ..forge.spec.views import VIEW_NAMES, ViewName
from .models import LazyModel
from .value_types import (
    NO_CONTROLS,
    TEXT_PATTERN,
    DistinctViews,
    LinkSeconds,
    ModelName,
    Name,
    Picture,
    PictureUrl,
    StoredId,
    Strength,
    Text,
    whole,
)


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


#: The only verdict on a view that can be asked for.
_RIGHT: Any = Literal["right"] | None


@cache
def _until_body(rule: fields.Conditions) -> type[Body]:
    def score(name: str) -> Any:
        text = "The least value; null: no condition."
        return Annotated[float, Strict(), Field(ge=0, le=SCALES[name])] | None, Field(None, description=text)

    tries = Annotated[int, Strict(), Field(ge=1, le=rule.most_tries), BeforeValidator(whole)]
    return create_model(
        "UntilBody",
        __base__=Body,
        __module__=__name__,
        __doc__="What a picture must reach: at least one condition.",
        pose=score("pose"),
        view=(_RIGHT, Field(None, description="It must show the view; null: no condition.")),
        palette=score("palette"),
        identity=score("identity"),
        tries=(tries, Field(TRIES, description="Pictures of each view at most, the first one included.")),
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
        case fields.Conditions():
            return _until_body(rule), {}
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


class JudgeBody(Body):
    """Which pictures of a generation are judged."""

    views: DistinctViews | None = Field(
        None,
        min_length=1,
        max_length=len(VIEW_NAMES),
        description="Those that show one of these views; null: all.",
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
