"""The report of a check of the store."""

from __future__ import annotations

from pydantic import Field

from ...forge.maintenance.report import KINDS
from ..models import LazyModel

_KINDS = "Problems by kind. " + " ".join(f"`{kind}`: {text}" for kind, text in KINDS.items())


class StoreProblem(LazyModel):
    kind: str
    detail: str = Field(description="A sentence that says what is wrong.")
    file_id: str | None
    generation_id: str | None
    name: str | None = Field(description="A file's name in the storage or among the outputs.")
    repaired: str | None = Field(description="What was done; null where nothing was.")


class VerifyAnswer(LazyModel):
    clean: bool = Field(description="Nothing was found. What this run repaired, it has found.")
    repair: bool
    files: int = Field(description="Stored files that were looked at.")
    bytes: int = Field(description="Bytes of the good ones.")
    outputs: int = Field(description="Generated pictures that were looked at.")
    output_bytes: int
    lost_files: int = Field(description="Known to be lost since an earlier repair; no problem any more.")
    lost_outputs: int
    counts: dict[str, int] = Field(description=_KINDS)
    problems_total: int
    problems: list[StoreProblem] = Field(description="The first 1000.")
    seconds: float
