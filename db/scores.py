"""Queries on the scores of pictures: those of each take, current or not. Each takes the connection first.

They are rows of their own, so that a take keeps them whichever take is current, and so that the node that
judges can write them before the picture has its row.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from .changes import of_generation
from .tables import picture_scores


def put(connection: Connection, generation_id: str, position: int, take: int, scores: str) -> None:
    """Write the scores of a take, as JSON, in place of earlier ones. The generation must exist."""
    remove(connection, generation_id, position, take)
    connection.execute(
        insert(picture_scores).values(
            generation_id=generation_id, position=position, take=take, scores=scores
        ),
        execution_options=of_generation(generation_id),
    )


def get(connection: Connection, generation_id: str, position: int, take: int) -> str | None:
    """The scores of a take, as JSON; None if it was not judged."""
    query = select(picture_scores.c.scores).where(
        picture_scores.c.generation_id == generation_id,
        picture_scores.c.position == position,
        picture_scores.c.take == take,
    )
    scores: str | None = connection.execute(query).scalar_one_or_none()
    return scores


def remove(connection: Connection, generation_id: str, position: int, take: int) -> None:
    """Remove the scores of a take."""
    connection.execute(
        delete(picture_scores).where(
            picture_scores.c.generation_id == generation_id,
            picture_scores.c.position == position,
            picture_scores.c.take == take,
        ),
        execution_options=of_generation(generation_id),
    )


def clear(connection: Connection, *generation_ids: str) -> None:
    """Remove all scores of these generations, of which there are few hundreds at most."""
    connection.execute(
        delete(picture_scores).where(picture_scores.c.generation_id.in_(generation_ids)),
        execution_options=of_generation(*generation_ids),
    )
