"""Characters, their versions and the files that these name; and which one a generation shows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_INDEXES = (("sequence",), ("status", "sequence"), ("character_version",))
_VERSION = ["character_versions.character_id", "character_versions.number"]
_TOTAL = "characters listed"
_LISTED = "({row}.name_key IS NOT NULL)"


def upgrade() -> None:
    op.add_column("generations", sa.Column("character_id", sa.String(36), nullable=True))
    op.add_column("generations", sa.Column("character_version", sa.Integer, nullable=True))
    has_one = sa.text("character_id IS NOT NULL")
    for columns in _INDEXES:
        op.create_index(
            _index(columns),
            "generations",
            ["character_id", *columns],
            sqlite_where=has_one,
            postgresql_where=has_one,
        )
    op.create_table(
        "characters",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("name_key", sa.String(300), nullable=True),
        sa.Column("search_key", sa.String(600), nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("portrait", sa.String(36), nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_characters"),
        sa.UniqueConstraint("name_key", name="uq_characters_name_key"),
    )
    op.create_index(
        "ix_characters_created_at_id_search_key", "characters", ["created_at", "id", "search_key"]
    )
    op.create_table(
        "character_versions",
        sa.Column("character_id", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("character_id", "number", name="pk_character_versions"),
        sa.ForeignKeyConstraint(
            ["character_id"],
            ["characters.id"],
            ondelete="CASCADE",
            name="fk_character_versions_character_id",
        ),
    )
    op.create_table(
        "character_files",
        sa.Column("character_id", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("file_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("character_id", "number", "file_id", name="pk_character_files"),
        sa.ForeignKeyConstraint(
            ["character_id", "number"], _VERSION, ondelete="CASCADE", name="fk_character_files_version"
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], ondelete="CASCADE", name="fk_character_files_file_id"
        ),
    )
    op.create_index("ix_character_files_file_id", "character_files", ["file_id", "character_id"])
    # As in revision 0007: other databases count the rows.
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"INSERT INTO tallies VALUES ('{_TOTAL}', 0, 0)")  # noqa: S608
        for statement in _triggers():
            op.execute(statement)


def _index(columns: tuple[str, ...]) -> str:
    return "_".join(("ix_generations_character_id", *columns))


def _triggers() -> list[str]:
    added, gone = _character("NEW", "+"), _character("OLD", "-")
    changes = [
        ("insert", "INSERT", added),
        ("update", "UPDATE OF name_key", f"{gone} {added}"),
        ("delete", "DELETE", gone),
    ]
    return [
        f"CREATE TRIGGER tally_characters_{name} AFTER {change} ON characters BEGIN {steps} END"
        for name, change, steps in changes
    ]


def _character(row: str, sign: str) -> str:
    wanted = _LISTED.format(row=row)
    return f"UPDATE tallies SET number = number {sign} 1 WHERE what = '{_TOTAL}' AND {wanted};"  # noqa: S608


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for change in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER tally_characters_{change}")
        op.execute(f"DELETE FROM tallies WHERE what = '{_TOTAL}'")  # noqa: S608
    op.drop_table("character_files")
    op.drop_table("character_versions")
    op.drop_table("characters")
    for columns in _INDEXES:
        op.drop_index(_index(columns), "generations")
    op.drop_column("generations", "character_version")
    op.drop_column("generations", "character_id")
