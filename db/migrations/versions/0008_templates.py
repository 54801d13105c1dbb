"""Templates: graphs of users, their versions, and what uses them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_VERSION = ["template_versions.template_id", "template_versions.number"]


def upgrade() -> None:
    op.create_table(
        "templates",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("name_key", sa.String(300), nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_templates"),
        sa.UniqueConstraint("name_key", name="uq_templates_name_key"),
    )
    op.create_index("ix_templates_created_at_id", "templates", ["created_at", "id"])
    op.create_table(
        "template_versions",
        sa.Column("template_id", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("workflow", sa.Text, nullable=True),
        sa.Column("slots", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("template_id", "number", name="pk_template_versions"),
        sa.ForeignKeyConstraint(
            ["template_id"], ["templates.id"], ondelete="CASCADE", name="fk_template_versions_template_id"
        ),
    )
    op.create_table(
        "generation_templates",
        sa.Column("generation_id", sa.String(36), nullable=False),
        sa.Column("template_id", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("generation_id", name="pk_generation_templates"),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generations.id"],
            ondelete="CASCADE",
            name="fk_generation_templates_generation_id",
        ),
        sa.ForeignKeyConstraint(["template_id", "number"], _VERSION, name="fk_generation_templates_version"),
    )
    op.create_index(
        "ix_generation_templates_template_id_number", "generation_templates", ["template_id", "number"]
    )
    op.create_table(
        "template_files",
        sa.Column("template_id", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("file_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("template_id", "number", "file_id", name="pk_template_files"),
        sa.ForeignKeyConstraint(
            ["template_id", "number"], _VERSION, ondelete="CASCADE", name="fk_template_files_version"
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], ondelete="CASCADE", name="fk_template_files_file_id"
        ),
    )
    op.create_index("ix_template_files_file_id", "template_files", ["file_id", "template_id"])


def downgrade() -> None:
    op.drop_table("template_files")
    op.drop_table("generation_templates")
    op.drop_table("template_versions")
    op.drop_table("templates")
