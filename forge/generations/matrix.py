"""A matrix: one character in every combination of outfits, expressions, views and poses, as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from ..characters.service import CharacterService
from ..characters.use import chosen_template
from ..errors import AvatarForgeError, UnprocessableError
from ..idempotency import Claim
from ..spec.character_content import CharacterContent
from ..spec.request import AvatarRequest
from ..spec.settings import SEEDS
from ..templates.service import TemplateService
from ..templates.template import Template
from ..workers import Workers
from .batch_request import MOST_REQUESTS, BatchRequest
from .batches import Batch, BatchService
from .template import draw_seed, fillable_fields

#: Field of a request -> the list of a matrix that varies it, and which of the five numbers of a combination
#: is its place there.
_LISTS = {"outfit": ("outfits", 0), "expression": ("expressions", 1), "pose_id": ("poses", 3)}


@dataclass(frozen=True)
class Matrix:
    """What varies. In the lists, None stands for none: the usual clothes, no expression, the usual stance.

    A list that is None leaves its field to the base; without `views` the view is that of POST
    /generate/avatar. `count` is how many seeds each combination has.
    """

    outfits: tuple[str | None, ...] | None = None
    expressions: tuple[str | None, ...] | None = None
    views: tuple[str, ...] | None = None
    poses: tuple[str | None, ...] | None = None
    count: int = 1

    @property
    def lengths(self) -> tuple[int, ...]:
        lists = (self.outfits, self.expressions, self.views, self.poses)
        return (*(1 if items is None else len(items) for items in lists), self.count)

    @property
    def size(self) -> int:
        size = 1
        for length in self.lengths:
            size *= length
        return size

    def check_size(self) -> None:
        """Raises UnprocessableError for more requests than a batch can have."""
        if self.size > MOST_REQUESTS:
            names = ("outfits", "expressions", "views", "poses", "seeds")
            factors = " x ".join(
                f"{length} {name}" for length, name in zip(self.lengths, names, strict=True) if length > 1
            )
            raise UnprocessableError(
                f"{factors} are {self.size} requests; the limit of a matrix is {MOST_REQUESTS}.", ("body",)
            )

    def requests(self, base: AvatarRequest, seed: int | None) -> list[BatchRequest]:
        """A request for each combination: outfits vary slowest, seeds fastest. All combinations have the same
        seeds, so that a picture differs from its neighbour only in what varies. A `seed` of None is left to
        the base."""
        return [self._request(base, seed, cell) for cell in self._cells()]

    def place(self, position: int, field: str) -> tuple[str | int, ...]:
        """Where the body of a matrix has this field of the request at a position."""
        name, number = _LISTS.get(field, ("", 0))
        if not name or getattr(self, name) is None:
            return ("body", "base", field)
        return ("body", name, self._cells()[position][number])

    def describe(self, position: int) -> str:
        """The combination at a position, for people; empty if nothing varies."""
        outfit, expression, view, pose, seed = self._cells()[position]
        shown = [
            *self._shown("outfit", self.outfits, outfit),
            *self._shown("expression", self.expressions, expression),
            *self._shown("view", self.views, view),
            *self._shown("pose", self.poses, pose),
            *([f"seed {seed + 1}"] if self.count > 1 else []),
        ]
        return ", ".join(shown)

    def _cells(self) -> list[tuple[int, ...]]:
        """The combinations as places in the lists."""
        return list(product(*(range(length) for length in self.lengths)))

    def _request(self, base: AvatarRequest, seed: int | None, cell: tuple[int, ...]) -> BatchRequest:
        outfit, expression, view, pose, number = cell
        values: dict[str, Any] = {}
        if self.outfits is not None:
            values["outfit"] = self.outfits[outfit]
        if self.expressions is not None:
            values["expression"] = self.expressions[expression]
        if self.poses is not None:
            values["pose_id"] = self.poses[pose]
        if seed is not None:
            values["seed"] = (seed + number) % SEEDS
        request = replace(base, **values)
        if self.views is None:
            return BatchRequest(request, "avatar", None)
        return BatchRequest(request, "pose", (self.views[view],))

    @staticmethod
    def _shown(name: str, items: Sequence[str | None] | None, place: int) -> list[str]:
        return [] if items is None else [f"{name} {items[place] or 'none'}"]


class MatrixMaker:
    """Submits matrices of saved characters."""

    def __init__(
        self,
        characters: CharacterService,
        templates: TemplateService,
        batches: BatchService,
        workers: Workers,
    ) -> None:
        self._characters = characters
        self._templates = templates
        self._batches = batches
        self._workers = workers

    async def submit(
        self,
        character_id: str,
        version: int | None,
        matrix: Matrix,
        base: AvatarRequest,
        *,
        name: str | None,
        callback_url: str | None,
        claim: Claim | None = None,
    ) -> Batch:
        """Accept a matrix as a batch. `base` is what all its requests have in common. `version` is that of
        the character; None is the newest one, which all pictures show even if it changes meanwhile.

        Raises UnprocessableError for more requests than a batch can have, and what `BatchService.submit`
        raises, naming the field of the matrix.
        """
        matrix.check_size()
        _check_base(matrix, base)
        found = await self._characters.find(character_id, version)
        base = replace(base, character_id=character_id, character_version=found.number)
        seed = await self._seed(matrix, base, found.content)
        requests = await self._workers.disk(matrix.requests, base, seed)
        try:
            return await self._batches.submit(requests, name, callback_url, claim)
        except UnprocessableError as error:
            if error.location[:2] != ("body", "requests"):
                raise
            position, *where = error.location[2:]
            place = matrix.place(int(position), str(where[0])) if where else ("body",)
            raise UnprocessableError(
                error.detail,
                (*place, *where[1:]),
                error.kind,
                code=error.code,
                parameters=error.parameters,
            ) from error
        except AvatarForgeError as error:
            number = error.parameters.get("request")
            if isinstance(number, int):
                detail = error.detail.removeprefix(f"requests[{number}]: ")
                about = matrix.describe(number)
                error.args = (f"{about}: {detail}" if about else detail,)
            raise

    async def _seed(self, matrix: Matrix, base: AvatarRequest, content: CharacterContent) -> int | None:
        """The first seed of each combination: that of the base, else that of the character, else one that is
        drawn once. None if a template has no slot for one."""
        if base.seed is not None:
            return base.seed
        template_name = chosen_template(base, content)
        template = await self._templates.find(template_name) if template_name is not None else None
        if template is not None and "seed" not in fillable_fields(template):
            _check_one_seed(matrix, template)
            return None
        return content.seed if content.seed is not None else draw_seed(template=template is not None)


def _check_base(matrix: Matrix, base: AvatarRequest) -> None:
    """Raises UnprocessableError for a field of the base that a list varies."""
    for field, (name, _) in _LISTS.items():
        if getattr(matrix, name) is not None and getattr(base, field) is not None:
            raise UnprocessableError(
                f"Give {name} or {field} in base, not both.",
                ("body", "base", field),
                code="conflicting_fields",
                parameters={"field": field, "other": name},
            )


def _check_one_seed(matrix: Matrix, template: Template) -> None:
    if matrix.count > 1:
        raise UnprocessableError(
            f"The template {template.name!r} has no slot for a seed, so several of one combination would be "
            "the same picture.",
            ("body", "count"),
            code="template_slot_missing",
            parameters={"template": template.name, "field": "seed"},
        )
