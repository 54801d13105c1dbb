"""The services and requests that handlers receive, and the declaration of an endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel

from ..forge.characters.service import CharacterService
from ..forge.export.character_export import CharacterExporter
from ..forge.export.character_import import CharacterImporter
from ..forge.export.exporter import PictureExports
from ..forge.export.pictures import PictureExporter
from ..forge.generations.batches import BatchService
from ..forge.generations.gallery import GalleryService
from ..forge.generations.matrix import MatrixMaker
from ..forge.generations.service import GenerationService
from ..forge.generations.takes import TakeService
from ..forge.generations.to_character import CharacterMaker
from ..forge.health import HealthService
from ..forge.idempotency import Idempotency
from ..forge.ids import canonical_id
from ..forge.live.live import Live
from ..forge.maintenance.verify import Verifier
from ..forge.model_overrides import ModelOverrides
from ..forge.ports import Host
from ..forge.poses.service import PoseLibrary
from ..forge.product import Product
from ..forge.settings import Settings
from ..forge.store.files import FileStore
from ..forge.templates.service import TemplateService
from ..forge.workers import Workers
from .json_body import JsonBody, JsonCache

PREFIX = "/avatarforge-controller"


@dataclass(frozen=True)
class Services:
    """The services that handlers use."""

    settings: Settings
    files: FileStore
    generations: GenerationService
    takes: TakeService
    batches: BatchService
    matrices: MatrixMaker
    health: HealthService
    workers: Workers
    verifier: Verifier
    live: Live
    idempotency: Idempotency
    templates: TemplateService
    poses: PoseLibrary
    characters: CharacterService
    character_maker: CharacterMaker
    character_exporter: CharacterExporter
    character_importer: CharacterImporter
    gallery: GalleryService
    picture_exporter: PictureExporter
    exports: PictureExports
    host: Host
    overrides: ModelOverrides
    json_cache: JsonCache = field(default_factory=JsonCache)


def services_of(product: Product) -> Services:
    return Services(
        product.settings,
        product.files,
        product.generations,
        product.takes,
        product.batches,
        product.matrices,
        product.health,
        product.workers,
        product.verifier,
        product.live,
        product.idempotency,
        product.templates,
        product.poses,
        product.characters,
        product.character_maker,
        product.character_exporter,
        product.character_importer,
        product.gallery,
        product.picture_exporter,
        product.exports,
        product.host,
        product.overrides,
    )


@dataclass(frozen=True)
class Unavailable:
    """Replaces the services if the pack could not start. `reason` is a sentence; `other_faults` returns
    sentences about further faults."""

    reason: str
    url: str
    system_stats: Callable[[], Awaitable[Mapping[str, Any]]]
    other_faults: Callable[[], Sequence[str]] = tuple


STATE: web.AppKey[Services | Unavailable] = web.AppKey("avatarforge")


@dataclass(frozen=True)
class Caller:
    """The sender of a request. `authorized` is False if a key is needed and the caller has none. `headers`
    are added to the response, for the caller's browser."""

    authorized: bool
    headers: Mapping[str, str] = field(default_factory=dict)


Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Call:
    """An admitted request, with its body and query validated."""

    endpoint: Endpoint
    request: web.Request
    caller: Caller
    services: Services
    body: BaseModel | None = None
    query: BaseModel | None = None

    def path(self, name: str) -> str:
        return path_values(self.request)[name]

    def validated_body(self, kind: type[Model]) -> Model:
        return _checked(kind, self.body)

    def validated_query(self, kind: type[Model]) -> Model:
        return _checked(kind, self.query)


def _checked(kind: type[Model], value: BaseModel | None) -> Model:
    if not isinstance(value, kind):
        raise TypeError(f"the endpoint declares no {kind.__name__}")
    return value


def path_values(request: web.Request) -> dict[str, str]:
    """The values of the route's placeholders, with ids in their stored form. Use this instead of
    `match_info`."""
    return {
        name: canonical_id(value) if name.endswith("_id") else value
        for name, value in request.match_info.items()
    }


@dataclass(frozen=True)
class BodyLimits:
    """Limits of a body: bytes by the settings and, of JSON, levels of nesting and roughly the number of
    values."""

    size: Callable[[Settings], int]
    depth: int = 0
    values: int = 0


Answer = BaseModel | JsonBody | web.StreamResponse
Handler = Callable[[Call], Awaitable[Answer]]
EarlyHandler = Callable[[Call], Awaitable[Answer | None]]


@dataclass(frozen=True)
class Endpoint:
    """One route: what it accepts, returns and refuses. Routing and OpenAPI both read it.

    `path` is relative to PREFIX. `root_path` is an alias under the server's root, for the URLs in answers; it
    matches only UUIDs, so that it shadows no route of ComfyUI or another pack. `answer`, `body` and `query`
    are models. `upload` are the content types accepted for a file. `media_types` are those of the response,
    and `ranges` is whether it supports range requests. `stream`: the response continues until the client
    disconnects. `headers` maps the request headers that it reads to their descriptions. `refusals` are its
    error statuses.

    `linkable`: a signed link may lead to it, as to every picture.
    `anonymous_answer` is the answer for a caller without the key if one is needed; None means 401. `changes`
    is False for a route that takes a body but changes nothing. `limits` are those of its body, if they
    are not the usual ones. `early` may answer a request before its body
    is read, and returns None to read it.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    answer: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    upload: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ("application/json",)
    ranges: bool = True
    early: EarlyHandler | None = None
    stream: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    refusals: tuple[int, ...] = ()
    root_path: str | None = None
    anonymous_answer: type[BaseModel] | None = None
    linkable: bool = False
    changes: bool = True
    limits: BodyLimits | None = None

    @cached_property
    def takes_body(self) -> bool:
        return self.body is not None or bool(self.upload)

    @cached_property
    def conditional(self) -> bool:
        """Whether the route supports If-None-Match."""
        return self.method == "GET" and self.answer is not None and self.anonymous_answer is None

    @cached_property
    def signable(self) -> bool:
        """Whether it can have a signed link: a picture, and what says that it is linkable."""
        return self.linkable or any(kind.startswith("image/") for kind in self.media_types)


def read_state(request: web.Request) -> Services | Unavailable:
    return request.config_dict[STATE]


JsonObject = dict[str, Any]
