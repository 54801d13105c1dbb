"""The endpoints of the pose library: list, save, replace, get, delete."""

from __future__ import annotations

import asyncio
from typing import Any

from ..forge.pictures.library.builtin import openpose_json, written_pose
from ..forge.pictures.library.frames import Pose, turned_pose
from ..forge.pictures.library.posed import LibraryPose
from ..forge.pictures.openpose_json import MAX_BYTES, MAX_DEPTH
from ..forge.pictures.skeleton import LIMBS
from ..forge.poses.entry import LibraryEntry
from . import pose_requests, responses
from .context import BodyLimits, Call, Endpoint
from .rendering import iso_time

#: A pose in JSON has at most MAX_BYTES; the rest is for the name and for white space.
LIMITS = BodyLimits(lambda _: MAX_BYTES + 64 * 1024, depth=MAX_DEPTH + 1, values=200_000)


async def list_page(call: Call) -> responses.LibraryAnswer:
    query = call.validated_query(pose_requests.LibraryQuery)
    page = await call.services.poses.page(limit=query.limit, cursor=query.cursor, text=query.q)
    # In a thread, because built-in poses are drawn once.
    built_in, saved = await asyncio.to_thread(
        lambda: ([_summary(entry) for entry in page.built_in], [_summary(entry) for entry in page.saved])
    )
    return responses.LibraryAnswer(
        built_in=[responses.LibraryPoseSummary(**values) for values in built_in],
        poses=[responses.LibraryPoseSummary(**values) for values in saved],
        total=page.total,
        limit=query.limit,
        next_cursor=page.next_cursor,
    )


async def save(call: Call) -> responses.LibraryPoseAnswer:
    body = call.validated_body(pose_requests.LibraryPoseBody)
    return await _render(call, await call.services.poses.save(body.name, body.pose))


async def replace(call: Call) -> responses.LibraryPoseAnswer:
    body = call.validated_body(pose_requests.LibraryPoseVersionBody)
    return await _render(call, await call.services.poses.replace(call.path("pose_id"), body.pose))


async def get(call: Call) -> responses.LibraryPoseAnswer:
    query = call.validated_query(pose_requests.LibraryPoseQuery)
    entry = await call.services.poses.get(call.path("pose_id"))
    return await _render(call, entry, query.view, mirrored=query.mirrored)


async def delete(call: Call) -> responses.LibraryPoseDeletedAnswer:
    pose_id = await call.services.poses.delete(call.path("pose_id"))
    return responses.LibraryPoseDeletedAnswer(
        pose_id=pose_id, deleted=True, message="Pose deleted; generations that used it keep it"
    )


async def _render(
    call: Call, entry: LibraryEntry, view: str | None = None, *, mirrored: bool = False
) -> responses.LibraryPoseAnswer:
    found = await call.services.poses.document(entry)
    summary, pose = await asyncio.to_thread(lambda: (_summary(entry), _turned(found, view, mirrored)))
    return responses.LibraryPoseAnswer(**summary, view=view, mirrored=mirrored, pose=pose)


def _turned(pose: Pose, view: str | None, mirrored: bool) -> dict[str, Any]:
    if isinstance(pose, LibraryPose):
        return openpose_json(written_pose(pose, view, mirrored=mirrored))
    return openpose_json(turned_pose(pose, view, mirrored=mirrored))


def _summary(entry: LibraryEntry) -> dict[str, Any]:
    drawing = entry.drawing
    return {
        "pose_id": entry.id,
        "name": entry.name,
        "description": entry.description,
        "built_in": entry.built_in is not None,
        "file_id": entry.file_id,
        "created_at": iso_time(entry.created_at) if entry.created_at is not None else None,
        "hands": drawing.hands,
        "face": drawing.face,
        "skeleton": {
            "width": drawing.width,
            "height": drawing.height,
            "joints": drawing.joints,
            "bones": list(LIMBS),
        },
    }


ENDPOINTS = (
    Endpoint(
        "GET",
        "/poses/library",
        list_page,
        "The pose library: built-in poses, and saved ones, newest first",
        "poses",
        answer=responses.LibraryAnswer,
        query=pose_requests.LibraryQuery,
    ),
    Endpoint(
        "POST",
        "/poses/library",
        save,
        "Save a pose under a name",
        "poses",
        answer=responses.LibraryPoseAnswer,
        body=pose_requests.LibraryPoseBody,
        limits=LIMITS,
        refusals=(400, 404, 408, 409, 411, 413, 415),
    ),
    Endpoint(
        "GET",
        "/poses/library/{pose_id}",
        get,
        "A pose by its id or name, with its keypoints in a view",
        "poses",
        answer=responses.LibraryPoseAnswer,
        query=pose_requests.LibraryPoseQuery,
        refusals=(400, 404),
    ),
    Endpoint(
        "PUT",
        "/poses/library/{pose_id}",
        replace,
        "Save another pose in the place of a saved one, which keeps its id and name",
        "poses",
        answer=responses.LibraryPoseAnswer,
        body=pose_requests.LibraryPoseVersionBody,
        limits=LIMITS,
        refusals=(400, 404, 408, 409, 411, 413, 415),
    ),
    Endpoint(
        "DELETE",
        "/poses/library/{pose_id}",
        delete,
        "Delete a saved pose; generations that used it keep it",
        "poses",
        answer=responses.LibraryPoseDeletedAnswer,
        refusals=(404, 409),
    ),
)
