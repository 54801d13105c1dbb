"""The header Idempotency-Key, with which a request can be repeated safely."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from ..forge.generations.service import GenerationRecord
from ..forge.idempotency import Claim, Made, request_hash, require_key
from . import rendering
from .context import PREFIX, Answer, Call, path_values
from .errors import json_answer
from .json_body import JsonBody

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
HEADERS = {
    HEADER: "1 to 255 characters of your choice, such as a UUID. The same request sent again with it is not "
    "done again, but answered as the first one was. Kept for 24 hours."
}


async def run_idempotent(call: Call, work: Callable[[Claim | None], Awaitable[GenerationRecord]]) -> Answer:
    """Run `work` and render its generation, or replay the answer to the first request with the same key."""
    services = call.services
    render = partial(rendering.render_generation, live=services.live)
    return await replay_or_run(call, work, services.generations.get, render)


async def replay_or_run(
    call: Call,
    work: Callable[[Claim | None], Awaitable[Made]],
    get: Callable[[str], Awaitable[Made]],
    render: Callable[[Made], JsonBody],
) -> Answer:
    """Run `work` and render what it made, or replay the answer to the first request with the same key. `get`
    finds what was made by its id, for an answer that a crash prevented."""
    services = call.services
    if HEADER not in call.request.headers:
        return render(await work(None))
    key = require_key(call.request.headers[HEADER])
    with services.idempotency.one_at_a_time(key):
        claim = Claim(key, await services.workers.disk(_fingerprint, call))
        first = await services.idempotency.answered_before(claim)
        if first is not None:
            answer = first.answer
            if answer is None:
                answer = render(await get(first.generation_id)).body.decode()
            response = json_answer(answer)
            response.headers[REPLAYED] = "true"
            return response
        answer = render(await work(claim)).body.decode()
        await services.idempotency.answered(claim, answer)
        return json_answer(answer)


def _fingerprint(call: Call) -> str:
    # Does not depend on ComfyUI's /api prefix, or on whether the id was sent in upper or lower case.
    path = call.endpoint.path.format_map(path_values(call.request))
    route = f"{call.request.method} {PREFIX}{path}"
    query = call.query.model_dump_json() if call.query else ""
    return request_hash(route, query, call.body.model_dump_json() if call.body else "")
