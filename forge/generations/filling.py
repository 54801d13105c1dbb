"""Completes requests: with what their characters add, and with their templates."""

from __future__ import annotations

from functools import partial
from typing import Any

from ...db.records import CharacterVersionRecord
from ..characters.service import CharacterService
from ..characters.use import FilledRequest, chosen_template, fill_request
from ..spec.avatar import Kind
from ..spec.request import AvatarRequest
from ..spec.template import TemplateUse
from ..templates.service import TemplateService
from ..templates.template import Template
from .compiling import Resolve
from .judged import resolve_judged
from .references import GivenReference
from .resolve import GivenPose, resolve_request
from .template import fillable_fields, resolve_template


class RequestFiller:
    """Fills requests. With `remembering`, each character and template is read once, for many requests."""

    def __init__(
        self, templates: TemplateService, characters: CharacterService, *, remembers: bool = False
    ) -> None:
        self._templates = templates
        self._characters = characters
        self._remembers = remembers
        self._known_templates: dict[str, Template] = {}
        self._known_versions: dict[tuple[str, int | None], CharacterVersionRecord] = {}

    def remembering(self) -> RequestFiller:
        return RequestFiller(self._templates, self._characters, remembers=True)

    async def fill(
        self, request: AvatarRequest, kind: Kind, views: tuple[str, ...] | None
    ) -> tuple[FilledRequest, Template | None]:
        """The request with what its character adds, and its template. Raises NotFoundError, and
        UnprocessableError for what does not fit the character."""
        if request.character_id is None:
            return FilledRequest(request), await self._template(request.template)
        version = await self._version(request.character_id, request.character_version)
        template = await self._template(chosen_template(request, version.content))
        fillable = None if template is None else fillable_fields(template)
        return fill_request(request, version, kind, views, fillable), template

    async def template_of(self, use: TemplateUse) -> Template:
        """The version of a template that a generation uses. Raises ConflictError if it is gone."""
        return await self._templates.used(use)

    async def _template(self, name: str | None) -> Template | None:
        if name is None:
            return None
        template = self._known_templates.get(name)
        if template is None:
            template = await self._templates.find(name)
            if self._remembers:
                self._known_templates[name] = template
        return template

    async def _version(self, character_id: str, number: int | None) -> CharacterVersionRecord:
        version = self._known_versions.get((character_id, number))
        if version is None:
            version = await self._characters.find(character_id, number)
            if self._remembers:
                self._known_versions[character_id, number] = version
        return version


def resolution(
    filled: FilledRequest,
    views: tuple[str, ...] | None,
    pose: GivenPose | None,
    references: tuple[GivenReference, ...],
    template: Template | None,
) -> Resolve:
    """The function that makes the spec of a request, with its template if it has one."""
    shown: dict[str, Any] = {"character": filled.character, "expression_words": filled.expression_words}
    if template is not None:
        resolve = partial(resolve_template, filled.request, template, views, pose, references, **shown)
    else:
        resolve = partial(resolve_request, filled.request, views, pose, references, **shown)
    sheet = views is not None and len(views) > 1
    return partial(resolve_judged, resolve=resolve, request=filled.request, sheet=sheet)
