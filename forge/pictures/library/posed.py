"""A pose of the library that is built in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import lru_cache

from .projection import mirror_body
from .rig import Body, Posture, pose_body

#: The ids of built-in poses are derived from their names in this name space (RFC 9562, version 5), so that
#: they are the same in every installation.
_NAMESPACE = uuid.UUID("6b0f7c52-8a0e-5d0c-9a55-2f6d1c0f7a31")
_MOST_KEPT = 128


@dataclass(frozen=True)
class LibraryPose:
    """A built-in pose: its fixed id, its name, what it shows, and how the body is held."""

    id: str
    name: str
    description: str
    posture: Posture

    def body(self, *, mirrored: bool = False) -> Body:
        return _body(self.posture, mirrored)


def pose(name: str, description: str, posture: Posture) -> LibraryPose:
    return LibraryPose(str(uuid.uuid5(_NAMESPACE, name)), name, description, posture)


@lru_cache(maxsize=_MOST_KEPT)
def _body(posture: Posture, mirrored: bool) -> Body:
    body = pose_body(posture)
    return mirror_body(body) if mirrored else body
