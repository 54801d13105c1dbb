"""The operator's look at the whole store."""

from __future__ import annotations

from dataclasses import asdict

from . import bodies, schemas
from .context import Call, Endpoint


async def verify(call: Call) -> schemas.VerifyAnswer:
    report = await call.services.verifier.run(repair=call.asked(bodies.VerifyQuery).repair)
    return schemas.VerifyAnswer.model_validate({**asdict(report), "clean": report.clean})


ENDPOINTS = (
    Endpoint(
        "POST",
        "/maintenance/verify",
        verify,
        "Hash every stored file and compare rows with bytes; repair on request",
        "utility",
        answer=schemas.VerifyAnswer,
        query=bodies.VerifyQuery,
        refusals=(409,),
    ),
)
