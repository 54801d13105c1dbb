"""The frozen dataclasses that queries return instead of rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property

from ..forge.spec.avatar import MANUAL_KIND, AvatarSpec
from ..forge.spec.character_content import CharacterContent
from ..forge.spec.receipt import Receipt
from ..forge.spec.reroll import RequestedReroll, Reroll, waiting_from_json
from ..forge.spec.scores import PictureScores, read_scores
from ..forge.spec.tries import JudgingRun, next_from_json, tries_from_json


@dataclass(frozen=True)
class FileRecord:
    """A stored content. Times are in microseconds since 1970 (UTC), `size` is in bytes, width and height in
    pixels.

    `pose_kind` is None until `FileStore.pose_kind` detects it; `derived` files were made by AvatarForge, not
    uploaded. `lost_at` is set while its bytes are known to be lost.
    """

    id: str
    content_hash: str
    filename: str
    size: int
    mime_type: str
    extension: str
    width: int
    height: int
    created_at: int
    last_used_at: int
    deleted_at: int | None
    pose_kind: str | None = None
    derived: bool = False
    lost_at: int | None = None


@dataclass(frozen=True)
class ListedFile:
    """A file and the number of generations that use it."""

    file: FileRecord
    references: int


@dataclass(frozen=True)
class OutputRecord:
    """A picture of a generation. `view` is None if only the pose image decided the view.

    `take` is its number among the takes of the picture, from 1. Of a current one, `takes` are kept, and
    `last_take` is the highest number that one of them ever had. `scores_json` is None if this take was not
    judged.
    """

    generation_id: str
    position: int
    filename: str
    view: str | None
    size: int
    width: int
    height: int
    content_hash: str
    lost_at: int | None = None
    take: int = 1
    takes: int = 1
    last_take: int = 1
    scores_json: str | None = None

    @property
    def scores(self) -> PictureScores | None:
        return read_scores(self.scores_json) if self.scores_json is not None else None


@dataclass(frozen=True)
class TakeRecord:
    """A take of a picture that is not the current one. `made_json` is what choosing it amounts to."""

    picture: OutputRecord
    made_json: str

    @cached_property
    def made(self) -> Reroll:
        return Reroll.from_json(self.made_json)


@dataclass(frozen=True)
class GenerationRecord:
    """One generation. The JSON columns are parsed on first use, once for each record.

    `batch_position` counts from 0 in the batch `batch_id`. `waiting_place` is set while it waits to be handed
    to ComfyUI: lower ones come first. `judging_json` is set while its prompt only judges, `tries_json` while
    pictures are made until they are good enough, and `next_try_json` between two of these.
    """

    sequence: int
    id: str
    kind: str
    status: str
    prompt_id: str
    spec_json: str
    receipt_json: str
    attempts: int
    error: str | None
    created_at: int
    started_at: int | None
    completed_at: int | None
    reroll_json: str | None
    callback_url: str | None = None
    character_id: str | None = None
    character_version: int | None = None
    batch_id: str | None = None
    batch_position: int | None = None
    waiting_place: int | None = None
    waiting_rerolls_json: str | None = None
    judging_json: str | None = None
    tries_json: str | None = None
    next_try_json: str | None = None
    favourite: bool = False
    tags_json: str | None = None
    outputs: tuple[OutputRecord, ...] = ()

    @property
    def is_manual(self) -> bool:
        """Whether its graph was queued by hand: then it has no spec."""
        return self.kind == MANUAL_KIND

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Its tags in the order of the alphabet, each in the form in which tags are compared."""
        return tuple(json.loads(self.tags_json)) if self.tags_json else ()

    @cached_property
    def spec(self) -> AvatarSpec:
        """Raises ValueError for a graph that was queued by hand."""
        return AvatarSpec.from_json(self.spec_json)

    @cached_property
    def receipt(self) -> Receipt:
        return Receipt.from_json(self.receipt_json)

    @cached_property
    def reroll(self) -> Reroll | None:
        """Set while a view is being re-rolled."""
        return Reroll.from_json(self.reroll_json) if self.reroll_json else None

    @cached_property
    def waiting_rerolls(self) -> tuple[RequestedReroll, ...]:
        """The re-rolls that begin, one after another, when the present one has ended."""
        return waiting_from_json(self.waiting_rerolls_json)

    @cached_property
    def judging(self) -> JudgingRun | None:
        """Set while its prompt makes no picture, but judges finished ones."""
        return JudgingRun.from_json(self.judging_json) if self.judging_json else None

    @cached_property
    def tries(self) -> dict[int, int]:
        """Position -> how many pictures were made of it, while they are made until one is good enough."""
        return tries_from_json(self.tries_json)

    @cached_property
    def next_try(self) -> RequestedReroll | None:
        """The re-roll that comes next, if the present picture is not good enough. Until it begins, no prompt
        of the generation is in ComfyUI's queue."""
        return next_from_json(self.next_try_json) if self.next_try_json else None

    @property
    def keeps_pictures(self) -> bool:
        """Whether its pictures are complete, so that it stays complete whatever the present prompt does."""
        return self.reroll_json is not None or self.judging_json is not None or self.next_try_json is not None

    @property
    def is_rerolling(self) -> bool:
        """Whether a re-roll runs or waits, or finished pictures are judged. Another one then waits for it."""
        return self.keeps_pictures or self.waiting_rerolls_json is not None

    @property
    def is_at_rest(self) -> bool:
        """Whether it has ended, and no re-roll of it waits."""
        return self.status not in ("queued", "processing") and self.waiting_rerolls_json is None

    def output_at(self, position: int) -> OutputRecord | None:
        """The current take of the picture at a position, from 0."""
        return next((output for output in self.outputs if output.position == position), None)


@dataclass(frozen=True)
class BatchRecord:
    """A batch. `total` generations were accepted. Times are in microseconds since 1970; `completed_at` is set
    once all have ended."""

    id: str
    name: str | None
    total: int
    callback_url: str | None
    created_at: int
    completed_at: int | None = None


@dataclass(frozen=True)
class BatchCounts:
    """How many generations of a batch have each status."""

    queued: int = 0
    processing: int = 0
    completed: int = 0
    failed: int = 0

    @property
    def active(self) -> int:
        return self.queued + self.processing

    @property
    def existing(self) -> int:
        return self.active + self.completed + self.failed


@dataclass(frozen=True)
class BatchSummary:
    """A batch with its counts."""

    record: BatchRecord
    counts: BatchCounts

    @property
    def deleted(self) -> int:
        """How many of its generations were deleted since."""
        return max(0, self.record.total - self.counts.existing)

    @property
    def ended(self) -> int:
        return self.counts.completed + self.counts.failed + self.deleted

    @property
    def status(self) -> str:
        """As of a generation. It has failed if one of its generations has."""
        if self.counts.active:
            return "processing" if self.counts.processing or self.ended else "queued"
        return "failed" if self.counts.failed else "completed"


@dataclass(frozen=True)
class BatchItem:
    """A generation of a batch, as far as its index tells."""

    generation_id: str
    status: str


@dataclass(frozen=True)
class TemplateRecord:
    """A template. `version` is its newest one, and `slots_json` are the slots of that."""

    id: str
    name: str
    version: int
    created_at: int
    updated_at: int
    slots_json: str


@dataclass(frozen=True)
class TemplateVersionRecord:
    """One version of a template. `workflow_json` is the graph as the editor keeps it, if it was sent."""

    template_id: str
    number: int
    prompt_json: str
    workflow_json: str | None
    slots_json: str
    created_at: int


@dataclass(frozen=True)
class LibraryPoseRecord:
    """A pose that a user saved. `drawing_json` is what lists show of it."""

    id: str
    name: str
    file_id: str
    drawing_json: str
    created_at: int


@dataclass(frozen=True)
class CharacterRecord:
    """A character. `version` is its newest one, and `description` is of that. `portrait` is the id of the
    file that shows it in lists; None also if that file was deleted."""

    id: str
    name: str
    version: int
    description: str
    portrait: str | None
    created_at: int
    updated_at: int


@dataclass(frozen=True)
class CharacterVersionRecord:
    """One version of a character. The JSON is parsed on first use."""

    character_id: str
    number: int
    content_json: str
    created_at: int

    @cached_property
    def content(self) -> CharacterContent:
        return CharacterContent.from_json(self.content_json)


@dataclass(frozen=True)
class WebhookRecord:
    """A webhook to be sent, about a generation or a batch of that id. `body` is JSON, the same in every
    attempt; times are in microseconds since 1970."""

    id: str
    generation_id: str
    url: str
    body: str
    attempts: int
    created_at: int
    next_at: int


@dataclass(frozen=True)
class IdempotencyRecord:
    """The result of a request with an Idempotency-Key. `generation_id` is the id of what it made or changed:
    a generation or a batch. `answer` is JSON, or None if ComfyUI ended between the commit and the answer."""

    key: str
    request_hash: str
    generation_id: str
    answer: str | None
    created_at: int
