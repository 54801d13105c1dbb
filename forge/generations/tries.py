"""Pictures that are made again until they are good enough: what comes next, and which take is the best.

After each prompt the row says what comes next, in the transaction that writes the prompt's end. So a restart
goes on where it was, and no more pictures are made than the request allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from ...db import generations as queries
from ...db import takes as take_queries
from ...db.records import GenerationRecord, OutputRecord
from ..graphs.judging import conditions_of
from ..spec.avatar import AvatarSpec
from ..spec.receipt import TriedPicture
from ..spec.reroll import RequestedReroll
from ..spec.tries import next_to_json, tries_to_json
from ..spec.warning import GenerationWarning, make_warning
from .take_transactions import choose_take
from .template import draw_seed


@dataclass(frozen=True)
class Tried:
    """What was tried of a picture so far. `position` counts from 1. `passed` is None while the picture was
    not judged, and `take` until the best one is chosen."""

    position: int
    pose_type: str | None
    conditions: tuple[str, ...]
    tries: int
    limit: int
    passed: bool | None
    take: int | None


def first_tries(spec: AvatarSpec) -> str | None:
    """The column `tries` of a new generation: None unless its pictures must reach something."""
    return tries_to_json({}) if spec.until is not None else None


def tries_of(record: GenerationRecord) -> list[Tried]:
    """What was tried of each picture of a generation with `until`; empty for any other."""
    if record.is_manual or record.spec.until is None:
        return []
    spec, limit = record.spec, record.spec.until.tries
    if record.receipt.tried:
        return [
            Tried(
                done.position + 1,
                spec.pictures[done.position],
                done.conditions,
                done.tries,
                limit,
                done.passed,
                done.take,
            )
            for done in record.receipt.tried
        ]
    return [
        Tried(
            position + 1,
            view,
            conditions_of(spec, position),
            _made(record, position),
            limit,
            _passed(record, position),
            None,
        )
        for position, view in enumerate(spec.pictures)
    ]


def go_on(
    connection: Connection, record: GenerationRecord, settled: int | None, *, stops: bool
) -> GenerationRecord:
    """What follows the end of a prompt of a generation that is still being tried: another try, or its end
    with the best takes. `settled` is the position of which a picture was just made, None after the first
    prompt; `stops`: no further picture is made. Returns the row, which then waits for the next try, or is
    complete."""
    spec = record.spec
    if spec.until is None:
        return record
    made = {position: _made(record, position) for position in range(len(spec.pictures))}
    for position, tries in made.items():
        best = best_take(connection, record, position)
        passes = spec.until.passes(best.scores, conditions_of(spec, position)) if best else False
        if best is not None and not (passes or stops or tries >= spec.until.tries):
            return _wait(connection, record, position, made)
        if best is not None and position == settled:
            record = choose_take(connection, record.id, position, best.take)
    return _end(connection, record, made)


def begin_try(record: GenerationRecord) -> dict[str, Any]:
    """The columns that change when the next try of a generation begins."""
    wanted = record.next_try
    if wanted is None:
        return {}
    made = {position: _made(record, position) for position in range(len(record.spec.pictures))}
    made[wanted.position] += 1
    return {"tries": tries_to_json(made), "next_try": None}


def best_take(connection: Connection, record: GenerationRecord, position: int) -> OutputRecord | None:
    """The best take of a picture: of those that pass before those that do not, then by how many conditions
    are met, by the mean of their scores, and the earliest of equal ones. None if there is no picture."""
    current, until = record.output_at(position), record.spec.until
    if current is None or until is None:
        return current
    conditions = conditions_of(record.spec, position)
    kept = [take.picture for take in take_queries.of_picture(connection, record.id, position)]
    candidates = [current, *(picture for picture in kept if picture.lost_at is None)]
    return max(candidates, key=lambda take: (until.rank(take.scores, conditions), -take.take))


def _wait(
    connection: Connection, record: GenerationRecord, position: int, made: dict[int, int]
) -> GenerationRecord:
    """Let the generation wait for another picture at a position."""
    wanted = RequestedReroll(position, draw_seed(template=record.spec.template is not None))
    queries.update_row(
        connection,
        record.id,
        [record.status],
        running=record.prompt_id,
        status="queued",
        completed_at=None,
        tries=tries_to_json(made),
        next_try=next_to_json(wanted),
    )
    return queries.get(connection, record.id) or record


def _end(connection: Connection, record: GenerationRecord, made: dict[int, int]) -> GenerationRecord:
    """Complete the generation, with what was tried in its receipt."""
    tried = tuple(_line(record, output, made[output.position]) for output in record.outputs)
    receipt = replace(record.receipt, tried=tried)
    missed = [line for line in tried if not line.passed]
    if missed:
        receipt = receipt.with_warnings([*receipt.warnings, _missed(record, missed)])
    queries.update_row(
        connection,
        record.id,
        [record.status],
        running=record.prompt_id,
        tries=None,
        next_try=None,
        receipt=receipt.to_json(),
    )
    return queries.get(connection, record.id) or record


def _line(record: GenerationRecord, output: OutputRecord, tries: int) -> TriedPicture:
    conditions = conditions_of(record.spec, output.position)
    passed = bool(_passed(record, output.position)) or not conditions
    return TriedPicture(output.position, tries, output.take, passed, conditions)


def _missed(record: GenerationRecord, missed: Sequence[TriedPicture]) -> GenerationWarning:
    pictures = [_name(record, line.position) for line in missed]
    detail = (
        f"Not all conditions of until are met by {', '.join(pictures)}: the best of the pictures that were "
        "made is shown."
    )
    return make_warning("until_not_reached", detail, pictures=pictures)


def _name(record: GenerationRecord, position: int) -> str:
    number = record.spec.number_at(position)
    view = record.spec.pictures[position]
    return view if view and number is None else f"picture {position + 1}"


def _made(record: GenerationRecord, position: int) -> int:
    return record.tries.get(position, 1 if record.output_at(position) is not None else 0)


def _passed(record: GenerationRecord, position: int) -> bool | None:
    current, until = record.output_at(position), record.spec.until
    if until is None or current is None or current.scores is None:
        return None
    return until.passes(current.scores, conditions_of(record.spec, position))
