"""The endpoints of generations: submit, get, list, re-roll, cancel, retry and delete, and their pictures."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from ..forge.generations.gallery import GalleryFilter, to_filter
from ..forge.ids import UUID_PATTERN
from ..forge.spec.request import AvatarRequest
from ..forge.spec.views import SHEET_VIEWS
from . import queries, rendering, requests, responses
from .content import Content, send
from .context import Answer, Call, Endpoint
from .idempotency import HEADERS as IDEMPOTENT
from .idempotency import run_idempotent
from .value_types import microseconds_of

SUBMIT_REFUSALS = (400, 404, 408, 409, 411, 413, 415, 507)


def _request(call: Call) -> AvatarRequest:
    return AvatarRequest(**call.validated_body(requests.AvatarBody).model_dump(exclude_unset=True))


async def generate_avatar(call: Call) -> Answer:
    return await run_idempotent(
        call, partial(call.services.generations.submit, _request(call), "avatar", None)
    )


async def generate_pose(call: Call) -> Answer:
    view = call.validated_query(queries.PoseQuery).pose
    return await run_idempotent(
        call, partial(call.services.generations.submit, _request(call), "pose", (view,))
    )


async def generate_all_poses(call: Call) -> Answer:
    submit = call.services.generations.submit
    return await run_idempotent(call, partial(submit, _request(call), "all_poses", SHEET_VIEWS))


async def get(call: Call) -> Answer:
    generation_id, wait = call.path("generation_id"), call.validated_query(queries.WaitQuery).wait
    generations, live = call.services.generations, call.services.live
    if wait:
        await live.long_polls.wait_ended(generation_id, wait, partial(generations.get, generation_id))
    record = await generations.get_cached(generation_id)
    return rendering.render_cached(record, live.state(record), call.services.json_cache)


async def list_page(call: Call) -> Answer:
    query = call.validated_query(queries.ListQuery)
    page = await call.services.generations.page(
        status=query.status,
        limit=query.limit,
        offset=query.offset,
        cursor=query.cursor,
        character_id=query.character_id,
        batch_id=query.batch_id,
        gallery=_gallery_filter(query),
    )
    return await rendering.render_page(page, call.services, query.limit, query.offset)


def _gallery_filter(query: queries.ListQuery) -> GalleryFilter | None:
    since, until = query.created_from, query.created_before
    return to_filter(
        q=query.q,
        status=query.status,
        character_id=query.character_id,
        batch_id=query.batch_id,
        view=query.view,
        kind=query.kind,
        model=query.model,
        tag=query.tag,
        favourite=query.favourite,
        created_from=microseconds_of(since) if since is not None else None,
        created_before=microseconds_of(until) if until is not None else None,
        oldest_first=query.sort == "oldest",
    )


async def delete(call: Call) -> responses.GenerationDeletedAnswer:
    generation_id = call.path("generation_id")
    await call.services.generations.delete(
        generation_id, keep_outputs=call.validated_query(queries.KeepOutputsQuery).keep_outputs
    )
    return responses.GenerationDeletedAnswer(
        generation_id=generation_id, deleted=True, message="Generation deleted"
    )


async def reroll(call: Call) -> Answer:
    query = call.validated_query(queries.RerollQuery)
    generation_id = call.path("generation_id")
    reroll = call.services.generations.reroll
    return await run_idempotent(
        call, partial(reroll, generation_id, query.pose, query.seed, position=query.position)
    )


async def judge(call: Call) -> Answer:
    body = call.validated_body(requests.JudgeBody)
    judge = partial(call.services.generations.judge, call.path("generation_id"), body.views)
    return await run_idempotent(call, judge)


async def cancel(call: Call) -> Answer:
    record = await call.services.generations.cancel(call.path("generation_id"))
    return rendering.render_generation(record, call.services.live)


async def retry(call: Call) -> Answer:
    return await run_idempotent(call, partial(call.services.generations.retry, call.path("generation_id")))


async def output(call: Call) -> web.StreamResponse:
    record, path = await call.services.generations.output(call.path("generation_id"), call.path("name"))
    content = Content(path, "image/png", record.content_hash, record.filename)
    return await send(call, content)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/generate/avatar",
        generate_avatar,
        "Generate an avatar from words, with optional pose and reference images",
        "generate",
        answer=responses.GenerationAnswer,
        body=requests.AvatarBody,
        refusals=SUBMIT_REFUSALS,
        headers=IDEMPOTENT,
    ),
    Endpoint(
        "POST",
        "/generate_pose",
        generate_pose,
        "Generate one view, such as front, back, side or quarter",
        "generate",
        answer=responses.GenerationAnswer,
        body=requests.AvatarBody,
        query=queries.PoseQuery,
        refusals=SUBMIT_REFUSALS,
        headers=IDEMPOTENT,
    ),
    Endpoint(
        "POST",
        "/generate_all_poses",
        generate_all_poses,
        "Generate several views at once, for a character sheet: the four usual ones, or others",
        "generate",
        answer=responses.GenerationAnswer,
        body=requests.AvatarBody,
        refusals=SUBMIT_REFUSALS,
        headers=IDEMPOTENT,
    ),
    Endpoint(
        "GET",
        "/generations",
        list_page,
        "List generations, newest first: those that match a search and filters",
        "generations",
        answer=responses.GenerationsAnswer,
        query=queries.ListQuery,
    ),
    Endpoint(
        "GET",
        "/generations/{generation_id}",
        get,
        "Status of a generation, and its results when completed",
        "generations",
        answer=responses.GenerationAnswer,
        query=queries.WaitQuery,
        refusals=(404,),
    ),
    Endpoint(
        "DELETE",
        "/generations/{generation_id}",
        delete,
        "Delete a generation; a queued or running one is cancelled first",
        "generations",
        answer=responses.GenerationDeletedAnswer,
        query=queries.KeepOutputsQuery,
        refusals=(404,),
    ),
    Endpoint(
        "POST",
        "/generations/{generation_id}/reroll",
        reroll,
        "Re-roll one picture and keep the others",
        "generations",
        answer=responses.GenerationAnswer,
        query=queries.RerollQuery,
        refusals=(404, 409),
        headers=IDEMPOTENT,
    ),
    Endpoint(
        "POST",
        "/generations/{generation_id}/judge",
        judge,
        "Judge finished pictures: how well they match what was asked for",
        "generations",
        answer=responses.GenerationAnswer,
        body=requests.JudgeBody,
        refusals=(404, 409, 411, 413, 415),
        headers=IDEMPOTENT,
    ),
    Endpoint(
        "POST",
        "/generations/{generation_id}/cancel",
        cancel,
        "Stop a queued or running generation",
        "generations",
        answer=responses.GenerationAnswer,
        refusals=(404, 409),
    ),
    Endpoint(
        "POST",
        "/generations/{generation_id}/retry",
        retry,
        "Run a failed generation again, with the same seed and graph",
        "generations",
        answer=responses.GenerationAnswer,
        refusals=(404, 409, 422),
        headers=IDEMPOTENT,
    ),
    Endpoint(
        "GET",
        "/outputs/{generation_id}/{name}",
        output,
        "Download a picture that came out",
        "generations",
        media_types=("image/png",),
        refusals=(404, 412, 416),
        root_path=f"/outputs/{{generation_id:{UUID_PATTERN}}}/{{name}}",
    ),
)
