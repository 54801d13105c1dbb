"""Responses about generations."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, create_model

from ...forge.generations.failures import FailureCode
from ...forge.spec import fields
from ...forge.spec.fields import RequestField
from ...forge.spec.reference import ReferenceRole
from ...forge.spec.request import REPEATED_FIELDS
from ...forge.spec.views import ViewName
from ...forge.spec.warning import WarningCode
from ..models import LazyModel
from .files import Dimensions

Status = Literal["queued", "processing", "completed", "failed"]


class Scores(LazyModel):
    """How well a picture matches what was asked for. null: it could not be measured; `judgements` say why."""

    pose: float | None = Field(description="0 to 1: the share of the joints that are where they should be.")
    view: Literal["right", "wrong", "unsure"] | None
    palette: float | None = Field(description="0 to 100: its colours, part by part.")
    identity: float | None = Field(description="0 to 100: the character, by an installed model.")
    clean: bool | None = Field(description="Neither blank, nor saturated, nor is the figure cut off.")


class Measure(LazyModel):
    value: float | bool | str | None = Field(description="null: it could not be measured.")
    method: str | None
    model: str | None = Field(description="The model file or node that measured; null: none is needed.")
    reason: str | None = Field(description="Why there is no value.")
    details: dict[str, Any] = Field(description="What was found, by the method.")


class Judgement(LazyModel):
    """How a picture was judged."""

    position: int = Field(description="The number of the picture in output_files, from 1.")
    pose_type: ViewName | None
    take: int
    comfyui_prompt_id: str = Field(description="The prompt that judged it.")
    pose: Measure
    view: Measure
    palette: Measure
    identity: Measure
    clean: Measure


class TriedPicture(LazyModel):
    """How often a picture was made until it was good enough."""

    position: int = Field(description="The number of the picture in output_files, from 1.")
    pose_type: ViewName | None
    conditions: list[str] = Field(description="Those of `until` that apply to it.")
    tries: int
    limit: int
    passed: bool | None = Field(description="null: the first picture was not judged yet.")
    take: int | None = Field(description="The best take, once it is chosen.")


class OutputFile(LazyModel):
    filename: str
    url: str = Field(description="Resolves against the server's root and against the API's prefix.")
    pose_type: ViewName | None = Field(description="null: the pose image alone decided the view.")
    size: int = Field(description="Bytes.")
    dimensions: Dimensions
    expression: str | None = Field(description="Of a redrawn face; null for any other picture.")
    seed: int | None = Field(description="A re-roll changes it; null for a graph queued by hand.")
    take: int = Field(description="Its number among the takes of this picture, from 1.")
    takes: int = Field(description="How many takes of this picture are kept.")
    scores: Scores | None = Field(description="null: it was not judged.")


class ReferenceParameter(LazyModel):
    """A reference image with its role."""

    file_id: str
    role: ReferenceRole
    strength: float
    view: ViewName | None = Field(description="The view that it shows, if that is known.")


class LoraParameter(LazyModel):
    """A requested LoRA."""

    name: str
    strength: float
    clip_strength: float | None = Field(description="null: the same as `strength`.")


class UntilParameter(LazyModel):
    """What a picture must reach; null: no condition."""

    pose: float | None
    view: Literal["right"] | None
    palette: float | None
    identity: float | None
    tries: int


def _parameter(field: RequestField) -> tuple[Any, Any]:
    match field.rule:
        case fields.Flag():
            kind: Any = bool
        case fields.Whole():
            kind = int
        case fields.Real():
            kind = float
        case fields.Choice() as rule:
            kind = Literal[rule.stored]
        case fields.Loras():
            kind = list[LoraParameter]
        case fields.References():
            kind = list[ReferenceParameter]
        case fields.Views():
            kind = list[ViewName]
        case fields.Conditions():
            kind = UntilParameter
        case _:
            kind = str
    # With a template, a setting that is none of its slots is null.
    always = field.required or (isinstance(field.rule, fields.Flag) and not field.optional)
    return (kind if always else kind | None), ...


def _parameter_fields() -> dict[str, Any]:
    return {name: _parameter(field) for name, field in REPEATED_FIELDS.items()}


# Built from the declarations in `forge/spec`, which is where to add a field.
Parameters = create_model(
    "Parameters",
    __base__=LazyModel,
    __module__=__name__,
    __doc__="Every value actually used. Sent again as a body, it gives the same pictures.",
    **_parameter_fields(),
)


class RedrawParameters(LazyModel):
    """What a redraw of a face used. Sent again as its body, it gives the same pictures."""

    generation_id: str = Field(description="Where the picture came from; it may be deleted since.")
    position: int = Field(description="The number of the picture, from 1.")
    expressions: list[str]
    denoise: float | None = Field(description="null: the face was drawn without a model.")
    margin: float
    seed: int | None = Field(description="null: the face was drawn, with the seed of its picture.")


class Steps(LazyModel):
    first: int
    last: int


class InputReceipt(LazyModel):
    """How one picture was applied to one view."""

    role: Literal["pose", "reference", "source", "view", "anchor", "lora"] = Field(
        description="source: the picture whose face is redrawn. view: a built-in skeleton. anchor: the "
        "front, which the other views look at. lora: a LoRA, which `model` names."
    )
    reference_role: ReferenceRole | None = Field(
        description="What of a reference was used: the whole person, the face, the clothes, or how it is "
        "drawn. null: it is no reference."
    )
    pose_type: ViewName | None
    picture: int | None = Field(
        description="Number in output_files, from 1, of the picture that it was applied to, where there are "
        "several of a view. null: the one that shows pose_type."
    )
    kind: str = Field(description="What the picture was recognised as.")
    file_id: str | None
    content_hash: str | None
    comfyui_prompt_id: str = Field(description="The prompt that applied it; a re-roll has its own.")
    node: str = Field(description="Id of the node in that prompt.")
    node_type: str
    model: str = Field(description="The model file that applied it.")
    strength: float
    steps: Steps = Field(description="The sampling steps during which it worked, from 1.")


class WaitingReroll(LazyModel):
    """A re-roll that waits for those before it."""

    position: int = Field(description="The number of the picture in output_files, from 1.")
    pose_type: ViewName | None
    seed: int


class Take(LazyModel):
    """A picture that was made of a view. Its file never changes."""

    take: int = Field(description="Its number, from 1. No later take gets it again.")
    current: bool
    filename: str
    url: str = Field(description="Resolves against the server's root and against the API's prefix.")
    size: int = Field(description="Bytes.")
    dimensions: Dimensions
    expression: str | None = Field(description="Of a redrawn face; null for any other picture.")
    seed: int | None = Field(description="null for a graph queued by hand.")
    scores: Scores | None = Field(description="null: it was not judged.")
    judgement: Judgement | None = Field(description="How it was judged.")
    inputs: list[InputReceipt] = Field(description="The part of the receipt that is about this take alone.")


class TakesAnswer(LazyModel):
    generation_id: str
    position: int = Field(description="The number of the picture in output_files, from 1.")
    pose_type: ViewName | None
    current: int = Field(description="The number of the current take.")
    takes: list[Take] = Field(description="Oldest first.")


class TakeDeletedAnswer(LazyModel):
    generation_id: str
    take: int
    deleted: Literal[True]
    message: str


class CurrentNode(LazyModel):
    """What runs now."""

    node: str = Field(description="The node's type.")
    node_id: str = Field(description="Its id in the prompt.")
    view: ViewName | None = Field(description="null: it works on several views, or on none.")
    step: int
    steps: int = Field(description="1 for a node that counts no steps.")


class PreviewFile(LazyModel):
    view: ViewName | None
    url: str = Field(description="A JPEG. Resolves against the server's root; it changes with the picture.")


class WarningDetail(LazyModel):
    """A warning that a program can tell apart, and a page can show in another language."""

    code: WarningCode | None = Field(description="null: written by a release without codes.")
    detail: str
    parameters: dict[str, str | int | list[str]] = Field(description="The values in the sentence.")


class GenerationAnswer(LazyModel):
    generation_id: str
    status: Status
    message: str
    kind: Literal["avatar", "pose", "all_poses", "expressions", "graph"] = Field(
        description="expressions: a face that was redrawn. graph: queued by hand in the editor, with a node "
        "that saves avatars."
    )
    batch_id: str | None = Field(description="The batch that it belongs to.")
    created_at: str
    started_at: str | None
    completed_at: str | None
    error: str | None
    error_code: FailureCode | None = Field(description="null: it has not failed.")
    comfyui_prompt_id: str
    output_files: list[OutputFile]
    parameters: Parameters | RedrawParameters | None = Field(description="null for a graph queued by hand.")
    character_id: str | None = Field(description="The saved character that it shows.")
    character_version: int | None
    favourite: bool
    tags: list[str] = Field(description="In lower case, in the order of the alphabet.")
    reroll: ViewName | None = Field(description="The view that is being re-rolled.")
    reroll_position: int | None = Field(
        description="The number in output_files, from 1, of the picture that is being re-rolled."
    )
    waiting_rerolls: list[WaitingReroll] = Field(
        description="The re-rolls that begin, one after another, when the present one has ended."
    )
    judging: bool = Field(description="Whether its prompt only judges finished pictures.")
    tries: list[TriedPicture] = Field(description="Of a request with `until`: one for each picture.")
    progress: float = Field(
        description="0 to 1: steps done, of all views. 1 when completed; when failed, how far it came."
    )
    current: CurrentNode | None = Field(description="While it runs.")
    queue_position: int | None = Field(
        description="While it is queued: 1 starts next. null: it waits in a batch, or it is not queued."
    )
    eta_seconds: float | None = Field(
        description="Running time left, by past runs of the same family, size, steps and number of pictures; "
        "waiting in the queue is not counted. null: no such run is known."
    )
    previews: list[PreviewFile] = Field(description="While it runs, in the order of its views.")
    inputs: list[InputReceipt]
    judgements: list[Judgement] = Field(description="How each picture that was judged was judged.")
    warnings: list[str]
    warning_details: list[WarningDetail] = Field(description="The same with codes, one for each sentence.")


class PromptAnswer(LazyModel):
    prompt: dict[str, dict[str, Any]] = Field(description="The graph, as ComfyUI's POST /prompt takes it.")


class GenerationsAnswer(LazyModel):
    total: int = Field(description="How many match the filter.")
    generations: list[GenerationAnswer]
    limit: int
    offset: int
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last.")


class GenerationDeletedAnswer(LazyModel):
    generation_id: str
    deleted: Literal[True]
    message: str
