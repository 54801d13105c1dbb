"""Prepares a redraw: the face of a finished picture again, once for each expression."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial

from pydantic_core import to_json

from ...db import generations as queries
from ...db.engine import Database
from ...db.records import GenerationRecord, OutputRecord
from ...db.templates import name_key
from ..characters.service import CharacterService
from ..errors import ConflictError, NotFoundError, UnavailableError, UnprocessableError
from ..families import FAMILIES
from ..graphs.capabilities import missing_extractor, pose_extractors
from ..graphs.compile import compile_prompt
from ..graphs.face_keypoints import was_posed
from ..graphs.method import best
from ..graphs.models import require_models, with_installed_names
from ..graphs.prompt_syntax import prompt_warnings
from ..ports import Host, InstalledModels
from ..spec.avatar import AvatarSpec
from ..spec.character_content import CharacterContent
from ..spec.expressions import EXPRESSION_NAMES, EXPRESSIONS
from ..spec.receipt import Receipt
from ..spec.redraw import DENOISE, MARGIN, RedrawnExpression, RedrawUse
from ..spec.request import MOST_PICTURES
from ..spec.views import VIEWS
from ..store.files import FileStore
from .compiling import new_words_warnings
from .inputs import Inputs
from .output_copies import OutputCopies
from .preparation import PreparedRun
from .transactions import commit_new, used_files, withdraw


@dataclass(frozen=True)
class RedrawRequest:
    """A request to redraw a face. `position` counts from 1; None is the first picture that shows a face.
    Without `expressions`, all that are known are drawn. `denoise` and `seed` are for a model."""

    generation_id: str
    position: int | None = None
    expressions: tuple[str, ...] | None = None
    denoise: float | None = None
    margin: float = MARGIN
    seed: int | None = None
    callback_url: str | None = None


class RedrawPreparer:
    def __init__(
        self,
        database: Database,
        files: FileStore,
        host: Host,
        characters: CharacterService,
        inputs: Inputs,
        copies: OutputCopies,
    ) -> None:
        self._database = database
        self._files = files
        self._host = host
        self._characters = characters
        self._inputs = inputs
        self._copies = copies

    async def prepare(self, character_id: str, wanted: RedrawRequest, undo: AsyncExitStack) -> PreparedRun:
        """Prepare a new generation with one picture for each expression. `undo` withdraws the copy of the
        picture.

        Raises NotFoundError, ConflictError, UnprocessableError, UnavailableError, PromptRefusedError, and
        what storing a file raises.
        """
        version = await self._characters.find(character_id, None)
        expressions = choose_expressions(wanted.expressions, version.content)
        record = await self._database.read(partial(queries.get, generation_id=wanted.generation_id))
        if record is None:
            raise NotFoundError(f"No generation {wanted.generation_id} exists.", code="generation_not_found")
        _require_redrawable(record, character_id, version.content.name)
        picture = choose_picture(record, wanted.position)
        _check_applicable(record.spec, wanted)
        # Not the picture that was redrawn before: it is no more used.
        await self._inputs.check_present(replace(record.spec, redraw=None))
        installed = await self._host.installed_models()
        require_models(installed, record.spec)
        redraw = await self._reading(_redraw_of(record, picture, expressions, wanted), record.spec, installed)
        copy = await self._copies.store(picture, undo)
        spec = _spec_of(record, replace(redraw, file_id=copy.file.id), wanted.seed)
        generation_id = str(uuid.uuid4())
        compiled = await asyncio.to_thread(compile_prompt, spec, generation_id)
        prompt = with_installed_names(compiled.prompt, installed)
        checked = await self._host.check(generation_id, prompt)
        warnings = (
            await asyncio.to_thread(new_words_warnings, spec)
            if spec.is_drawn
            else prompt_warnings(spec.texts, installed.embeddings)
        )
        commit = partial(
            commit_new,
            generation_id=generation_id,
            kind="expressions",
            spec=spec,
            prompt=to_json(prompt).decode(),
            receipt=Receipt(compiled.inputs, warnings).for_prompt(generation_id),
            callback_url=wanted.callback_url,
            now=self._database.now(),
            # The finished generation keeps its files, whether or not they were deleted since.
            hidden=used_files(record.spec).values(),
        )
        undo_commit = partial(withdraw, generation_id=generation_id, used=[copy.file])
        return PreparedRun(checked, commit, undo_commit)

    async def _reading(self, redraw: RedrawUse, source: AvatarSpec, installed: InstalledModels) -> RedrawUse:
        """The redraw with what reads the keypoints from the picture, if that was made without any. Raises
        UnavailableError if nothing can read them."""
        view = source.pictures[redraw.position - 1]
        if was_posed(replace(source, views=redraw.views), view):
            return redraw
        kept = await self._files.extracted_pose(redraw.content_hash, source.bones)
        if kept is not None:
            return replace(redraw, kept_file_id=kept.id)
        extractors = pose_extractors(installed)
        extractor = best(extractors)
        if extractor is None:
            raise UnavailableError(
                "The picture was made without a pose, so its face must be found in it. "
                f"{missing_extractor(extractors)}",
                code="pose_extractor_missing",
            )
        return replace(redraw, extractor=extractor.name, extractor_model=extractor.model)


def choose_expressions(
    names: Sequence[str] | None, content: CharacterContent
) -> tuple[RedrawnExpression, ...]:
    """The expressions with these names, or all: the built-in ones and those of the character. Raises
    UnprocessableError for an unknown name, for one that is there twice, and for more than a generation can
    have pictures."""
    own = {name_key(item.name.strip()): item for item in content.expressions}
    if names is None:
        names = [*EXPRESSION_NAMES, *(item.name for item in own.values())]
    if len(names) > MOST_PICTURES:
        raise UnprocessableError(
            f"The character has {len(names)} expressions, with the built-in ones, and a generation at most "
            f"{MOST_PICTURES} pictures: name those that you want.",
            ("body", "expressions"),
        )
    chosen: dict[str, RedrawnExpression] = {}
    for number, name in enumerate(names):
        key = name_key(name.strip())
        if key in chosen:
            raise UnprocessableError(
                f"The expression {name!r} is there twice: send each once.",
                ("body", "expressions", number),
            )
        if key in EXPRESSIONS:
            chosen[key] = RedrawnExpression(key)
        elif key in own:
            chosen[key] = RedrawnExpression(own[key].name, own[key].words)
        else:
            known = ", ".join([*EXPRESSIONS, *(item.name for item in own.values())])
            raise UnprocessableError(
                f"There is no expression {name!r}. There are: {known}.",
                ("body", "expressions", number),
                code="unknown_option",
                parameters={"field": "expressions", "value": name},
            )
    return tuple(chosen.values())


def choose_picture(record: GenerationRecord, position: int | None) -> OutputRecord:
    """The picture at `position`, from 1, or the first that shows a face. Raises UnprocessableError if there
    is no such picture, or if it shows no face."""
    if position is None:
        found = next((picture for picture in record.outputs if _shows_face(picture)), None)
        if found is None:
            raise _inapplicable("No picture of this generation shows the face.", "generation_id")
        return found
    for picture in record.outputs:
        if picture.position == position - 1:
            if not _shows_face(picture):
                raise _inapplicable(
                    f"Picture {position} shows the {picture.view} view, in which no face can be seen.",
                    "position",
                )
            return picture
    raise UnprocessableError(
        f"This generation has no picture {position}. It has {len(record.outputs)}, counted from 1.",
        ("body", "position"),
        code="view_not_found",
    )


def _shows_face(picture: OutputRecord) -> bool:
    # Without a view, the keypoints tell when the prompt runs.
    return picture.view is None or picture.view not in VIEWS or VIEWS[picture.view].shows_face


def _require_redrawable(record: GenerationRecord, character_id: str, name: str) -> None:
    """Raises ConflictError and UnprocessableError."""
    if record.status != "completed" or record.is_manual:
        raise ConflictError(
            "Only a picture of a completed generation of the API can be redrawn.",
            code="generation_not_completed",
        )
    if record.character_id != character_id:
        raise _inapplicable(f"This generation does not show the character {name!r}.", "generation_id")
    if record.spec.template is not None:
        raise _inapplicable(
            "A picture of a template cannot be redrawn: its graph has no place for a face alone.",
            "generation_id",
        )
    if record.spec.pixel_height is not None:
        raise _inapplicable(
            "A picture of large pixels cannot be redrawn: make it without pixel_height.", "generation_id"
        )


def _check_applicable(source: AvatarSpec, wanted: RedrawRequest) -> None:
    """Raises UnprocessableError for a value that would have no effect, or spoil the picture."""
    if not source.is_drawn:
        return
    label = FAMILIES[source.family].label
    if wanted.denoise is not None:
        raise _inapplicable(f"{label} redraws the face, so there is no denoise.", "denoise")
    if wanted.seed is not None:
        raise _inapplicable(
            f"{label} draws the face with the seed of its picture: another would not fit.", "seed"
        )


def _inapplicable(detail: str, field: str) -> UnprocessableError:
    return UnprocessableError(
        detail, ("body", field), code="field_not_applicable", parameters={"field": field}
    )


def _redraw_of(
    record: GenerationRecord,
    picture: OutputRecord,
    expressions: tuple[RedrawnExpression, ...],
    wanted: RedrawRequest,
) -> RedrawUse:
    """What is redrawn. Its copy has no file id yet."""
    source = record.spec
    if source.redraw is not None:
        views, identity = source.redraw.views, source.redraw.identity_seed
    else:
        # As a drawn family chooses the character of a picture.
        views = source.views
        sheet, _ = source.place(picture.position)
        several = source.has_several_views
        identity = source.sheet_seed(sheet) if several else source.seed_at(picture.position)
    return RedrawUse(
        file_id="",
        content_hash=picture.content_hash,
        width=picture.width,
        height=picture.height,
        generation_id=record.id,
        position=picture.position + 1,
        views=views,
        expressions=expressions,
        identity_seed=identity,
        denoise=None if source.is_drawn else DENOISE if wanted.denoise is None else wanted.denoise,
        margin=wanted.margin,
    )


def _spec_of(record: GenerationRecord, redraw: RedrawUse, seed: int | None) -> AvatarSpec:
    source, position = record.spec, redraw.position - 1
    if source.is_drawn:
        seed = source.seed_at(position)
    elif seed is None:
        # Not that of the picture: the same noise again would give it harsh details.
        seed = secrets.randbits(53)
    return replace(
        source,
        views=(source.pictures[position],) * len(redraw.expressions),
        count=1,
        seed=seed,
        reseeded={},
        expression=None,
        expression_words="",
        redraw=redraw,
        judge=None,
        until=None,
    )
