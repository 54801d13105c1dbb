"""Reads OmniChar's `.char` files, through its own package `omnichar-sdk`.

AvatarForge does not install it; it is imported when such a file arrives. What is used of it is in the protocols
below, so that its release can be exchanged in one place.
"""

from __future__ import annotations

import hashlib
import importlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

from ..errors import UnavailableError
from .manifest import Manifest, ReadContent, ReadVersion, refuse
