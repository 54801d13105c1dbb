"""The endpoint that checks the whole store."""

from __future__ import annotations

from dataclasses import asdict

from . import queries, responses
from .context import Call, Endpoint


async def verify(call: Call) -> responses.VerifyAnswer:
    report = await call.services.verifier.run(repair=call.validated_query(queries.VerifyQuery).repair)
    return responses.VerifyAnswer.model_validate({**asdict(report), "clean": report.clean})


ENDPOINTS = (
    Endpoint(
        "POST",
        "/maintenance/verify",
        verify,
        "Hash every stored file and compare rows with bytes; repair on request",
        "utility",
        answer=responses.VerifyAnswer,
        query=queries.VerifyQuery,
        refusals=(409,),
    ),
)
