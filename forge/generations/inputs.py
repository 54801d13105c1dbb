"""The pictures of a request: looked up or taken in, recognised, and still there when it runs anew."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial

from ...db import files as file_queries
from ...db.engine import Database
from ...db.records import FileRecord
from ..errors import ConflictError, UnprocessableError
from ..pictures.skeleton import BoneStyle
from ..store.files import FileStore
from ..store.poses import require_picture
from .acceptance import used_files
from .decide import GivenPose
from .spec import AvatarSpec


class Inputs:
    def __init__(self, database: Database, files: FileStore) -> None:
        self._database = database
        self._files = files

    async def take(
        self, file_id: str | None, text: str | None, role: str, undo: AsyncExitStack
    ) -> FileRecord | None:
        """The picture of a request, by id or as base64, if one was given. `undo` takes an upload back."""
        pictures_only = role == "reference"
        if file_id is not None and text is not None:
            raise UnprocessableError(
                f"Give {role}_file_id or {role}_image, not both.", ("body", f"{role}_image")
            )
        if file_id is not None:
            record = await self._files.get(file_id)
            if pictures_only:
                require_picture(record, "reference_file_id")
            return record
        if text is None:
            return None
        received = await self._files.receive_base64(text, f"{role}.png", pictures_only=pictures_only)
        undo.push_async_callback(self._files.forget, received)
        return received.file

    async def recognise(self, record: FileRecord) -> GivenPose:
        """What the picture is as a pose, and what was read from it before."""
        kept = {}
        for style in BoneStyle:
            found = await self._files.extracted_pose(record.content_hash, style.value)
            if found is not None:
                kept[style.value] = found.id
        return GivenPose(record, await self._files.pose_kind(record), kept)

    async def require(self, spec: AvatarSpec) -> None:
        """Raises ConflictError: a picture that was deleted by force since cannot be applied again."""
        for file_id in used_files(spec).values():
            if await self._database.read(partial(file_queries.get_any, file_id=file_id)) is None:
                raise ConflictError(
                    f"This generation uses file {file_id}, which was deleted. Upload it again."
                )
