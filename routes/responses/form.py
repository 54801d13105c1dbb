"""The response with the fields of a generation request, for forms."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ...forge.spec.fields import Applicability, ChoiceSource, FormGroup
from ..models import LazyModel

Control = Literal["text", "number", "digits", "switch", "choice", "installed", "file", "loras"]


class FormField(LazyModel):
    """One field of a generation request, as a form shows it."""

    name: str = Field(description="The field's name in the request.")
    description: str
    group: FormGroup = Field(description="slot: a place for a picture.")
    control: Control = Field(
        description="digits: a whole number too large for JavaScript. installed: one of a list of "
        "GET /capabilities, see `source`. file: the id of an uploaded file. "
        "loras: a list of objects with name, strength and clip_strength."
    )
    required: bool
    default: str | float | bool | None = Field(
        description="Used when the field is left out; null: it depends on the other fields and the settings."
    )
    applies: Applicability = Field(
        description="several_views: only with all poses. pose: only with a pose image. "
        "reference: only with a reference image. pixel_art: only with pixel_height. "
        "family: only with a model whose family has it, see `settings` in GET /capabilities."
    )
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    max_length: int | None = Field(None, description="Characters.")
    rows: int = Field(1, description="Lines of the control.")
    max_items: int | None = Field(None, description="How many a list can have.")
    choices: list[str] = Field(default_factory=list)
    suggestions: list[str] = Field(default_factory=list, description="Any other text is taken as well.")
    source: ChoiceSource | None = None


class UploadLimits(LazyModel):
    """How large an uploaded file may be, so that a client need not send it in vain."""

    file_bytes: int = Field(description="`MAX_FILE_SIZE`.")
    pose_json_bytes: int = Field(description="Of a pose in JSON.")


class FormFieldsAnswer(LazyModel):
    fields: list[FormField] = Field(description="In the order in which a form shows them.")
    limits: UploadLimits
    expressions: list[str] = Field(
        description="Those that are built in, as `expression` names them. A character can have others."
    )
