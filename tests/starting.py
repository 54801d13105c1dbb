"""The pack's start on stand-ins of ComfyUI's modules."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient

Client = TestClient[web.Request, web.Application]
PREFIX = "/avatarforge-controller"
Connect = Callable[..., Awaitable[Client]]


def product_of(bootstrap: Any) -> Any:
    """The module that builds the services."""
    return sys.modules[bootstrap.open_product.__module__]
