"""What handlers work with, and the shape of an endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel

from ..forge.generations.service import GenerationService
from ..forge.health import HealthService
from ..forge.idempotency import Idempotency
from ..forge.ids import canonical_id
from ..forge.live.live import Live
from ..forge.maintenance.verify import Verifier
from ..forge.product import Product
from ..forge.settings import Settings
from ..forge.store.files import FileStore
from ..forge.workers import Workers
from .json_body import JsonBody, JsonCache

PREFIX = "/avatarforge-controller"


@dataclass(frozen=True)
class Services:
    settings: Settings
    files: FileStore
    generations: GenerationService
    health: HealthService
    workers: Workers
    verifier: Verifier
    live: Live
    idempotency: Idempotency
    json_cache: JsonCache = field(default_factory=JsonCache)


def services_of(product: Product) -> Services:
    return Services(
        product.settings,
        product.files,
        product.generations,
        product.health,
        product.workers,
        product.verifier,
        product.live,
        product.idempotency,
    )


@dataclass(frozen=True)
class Unavailable:
    """Stands in for the services when the pack could not start. `other_faults`: sentences about what else is
    wrong."""

    reason: str
    url: str
    system_stats: Callable[[], Awaitable[Mapping[str, Any]]]
    other_faults: Callable[[], Sequence[str]] = tuple


STATE: web.AppKey[Services | Unavailable] = web.AppKey("avatarforge")


@dataclass(frozen=True)
class Caller:
    """Who asks. `known`: may see everything; False for one who has no key where one is needed.
    `headers`: what the answer tells the caller's browser."""

    known: bool
    headers: Mapping[str, str] = field(default_factory=dict)


Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Call:
    """One request, its caller admitted, its body and query already validated."""

    endpoint: Endpoint
    request: web.Request
    caller: Caller
    services: Services
    body: BaseModel | None = None
    query: BaseModel | None = None

    def path(self, name: str) -> str:
        return path_values(self.request)[name]

    def validated_body(self, kind: type[Model]) -> Model:
        """The validated body."""
        return _of(kind, self.body)

    def validated_query(self, kind: type[Model]) -> Model:
        """The validated query."""
        return _of(kind, self.query)


def _of(kind: type[Model], value: BaseModel | None) -> Model:
    if not isinstance(value, kind):
        raise TypeError(f"the endpoint declares no {kind.__name__}")
    return value


def path_values(request: web.Request) -> dict[str, str]:
    """What stands for the placeholders of the route, ids as they are stored. Nothing else reads them."""
    return {
        name: canonical_id(value) if name.endswith("_id") else value
        for name, value in request.match_info.items()
    }


Answer = BaseModel | JsonBody | web.StreamResponse
Handler = Callable[[Call], Awaitable[Answer]]
EarlyHandler = Callable[[Call], Awaitable[Answer | None]]


@dataclass(frozen=True)
class Endpoint:
    """One route: what it takes, what it gives, what it refuses. Routing and OpenAPI both read it.

    `path` follows the prefix. `root_path` is the alias under the server's root, for the URLs that
    answers print; it matches UUIDs only, so that it shadows no route of anyone else. `upload` are the
    content types in which a file may come. `ranges`: whether bytes that it gives can be asked for in parts.
    `anonymous_answer`: what a caller without a key gets where one is needed; None: 401. `changes`: False for
    one that takes a body and changes nothing.
    `early`: gives the answer of a request whose body nobody needs, before it is let in; None for the others.
    `stream`: its answer goes on until the client leaves. `headers` are those that it reads, each with what it
    is for.
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
    gives: tuple[str, ...] = ("application/json",)
    ranges: bool = True
    early: EarlyHandler | None = None
    stream: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    refusals: tuple[int, ...] = ()
    root_path: str | None = None
    anonymous_answer: type[BaseModel] | None = None
    changes: bool = True

    @cached_property
    def takes_body(self) -> bool:
        return self.body is not None or bool(self.upload)

    @cached_property
    def conditional(self) -> bool:
        """Whether a client that has the answer already is told so instead."""
        return self.method == "GET" and self.answer is not None and self.anonymous_answer is None

    @cached_property
    def picture(self) -> bool:
        """Whether it gives a picture, which a signed link can show."""
        return any(kind.startswith("image/") for kind in self.gives)


def read_state(request: web.Request) -> Services | Unavailable:
    return request.config_dict[STATE]


JsonObject = dict[str, Any]
