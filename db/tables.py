"""The tables. `migrations/` creates them; a test checks that both agree.

Times are whole microseconds since 1970-01-01T00:00:00Z. Ids are UUIDs in their canonical text form.
`generations.sequence` only increases, so "newest first" is right even if the clock is set back.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite increments a rowid only for a column whose type is exactly INTEGER.
GrowingInteger = BigInteger().with_variant(Integer, "sqlite")


def _of_character(*columns: str) -> Index:
    """An index of `generations` for those of one character."""
    name = "_".join(("ix_generations_character_id", *columns))
    has_one = text("character_id IS NOT NULL")
    return Index(name, "character_id", *columns, sqlite_where=has_one, postgresql_where=has_one)


files = Table(
    "files",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("content_hash", String(64), nullable=False, unique=True),
    Column("filename", String(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mime_type", String(32), nullable=False),
    Column("extension", String(8), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger, nullable=True),
    # json, skeleton or photo; NULL until it is detected on first use.
    Column("pose_kind", String(16), nullable=True),
    # Made by AvatarForge from another file and never uploaded; deleted together with that file.
    Column("derived", Boolean, nullable=False, server_default=false()),
    # When its bytes were found to be lost; an upload of that content brings them back.
    Column("lost_at", BigInteger, nullable=True),
    Index("ix_files_last_used_at", "last_used_at"),
    Index("ix_files_created_at_id", "created_at", "id"),
)

generations = Table(
    "generations",
    metadata,
    Column("sequence", GrowingInteger, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("prompt_id", String(36), nullable=False, unique=True),
    Column("spec", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("receipt", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("reroll", Text, nullable=True),
    Column("callback_url", Text, nullable=True),
    Column("error", Text, nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger, nullable=True),
    Column("completed_at", BigInteger, nullable=True),
    # The version of a character that its pictures show. The row of the version stays as long as this one.
    Column("character_id", String(36), nullable=True),
    Column("character_version", Integer, nullable=True),
    # Of an item of a batch: the batch, its position in the request, and, while it waits to be handed to
    # ComfyUI, its place among all that wait. Without a foreign key, which SQLite cannot add to a table.
    Column("batch_id", String(36), nullable=True),
    Column("batch_position", Integer, nullable=True),
    Column("waiting_place", BigInteger, nullable=True),
    # The re-rolls that begin, one after another, when the present one has ended.
    Column("waiting_rerolls", Text, nullable=True),
    Index(
        "ix_generations_waiting_rerolls",
        "waiting_rerolls",
        sqlite_where=text("waiting_rerolls IS NOT NULL"),
        postgresql_where=text("waiting_rerolls IS NOT NULL"),
    ),
    # The pictures that are judged again; NULL unless its prompt only judges. How many pictures were made of
    # each view until one is good enough, and the re-roll that comes next, while no prompt of it is in
    # ComfyUI's queue.
    Column("judging", Text, nullable=True),
    Column("tries", Text, nullable=True),
    Column("next_try", Text, nullable=True),
    Index(
        "ix_generations_next_try",
        "next_try",
        sqlite_where=text("next_try IS NOT NULL"),
        postgresql_where=text("next_try IS NOT NULL"),
    ),
    # What its user notes: whether it is a favourite, and its tags, a JSON list; NULL: none.
    Column("favourite", Boolean, nullable=False, server_default=false()),
    Column("tags", Text, nullable=True),
    Index("ix_generations_status_sequence", "status", "sequence"),
    # These two are small: few generations belong to a batch, and fewer wait. The first covers the queries on
    # the progress of a batch.
    Index(
        "ix_generations_batch_id",
        "batch_id",
        "batch_position",
        "status",
        "id",
        sqlite_where=text("batch_id IS NOT NULL"),
        postgresql_where=text("batch_id IS NOT NULL"),
    ),
    Index(
        "ix_generations_waiting_place",
        "waiting_place",
        sqlite_where=text("waiting_place IS NOT NULL"),
        postgresql_where=text("waiting_place IS NOT NULL"),
    ),
    # In SQLite the primary key is the table itself: scanning it would read past every prompt.
    Index("ix_generations_sequence", "sequence"),
    # Only generations of a character are in these: the list of a character, that of one status, and whether a
    # version is used.
    _of_character("sequence"),
    _of_character("status", "sequence"),
    _of_character("character_version"),
    sqlite_autoincrement=True,
)

# What generations are filtered by, such as ("view", "front"), and how many have it. `db.terms` has the kinds.
# `number` is kept by triggers in SQLite; other databases count the rows.
terms = Table(
    "terms",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("value", String(512), nullable=False),
    Column("number", BigInteger, nullable=False),
    UniqueConstraint("kind", "value"),
    Index("ix_terms_kind_number", "kind", "number"),
)

# The terms of each generation. Its key is the order of every page: the newest of a term come first. The time
# is here, too, so that a filter by date reads no row of `generations`, which are large.
generation_terms = Table(
    "generation_terms",
    metadata,
    Column("term_id", Integer, primary_key=True),
    Column(
        "sequence",
        GrowingInteger,
        ForeignKey("generations.sequence", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_generation_terms_sequence", "sequence"),
    sqlite_with_rowid=False,
)

# What a search looks at: the words of a generation, in the form in which they are compared.
generation_texts = Table(
    "generation_texts",
    metadata,
    Column(
        "sequence",
        GrowingInteger,
        ForeignKey("generations.sequence", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("search_key", Text, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(100), nullable=True),
    # The name in the form in which names are searched.
    Column("name_key", String(300), nullable=True),
    # How many generations were accepted; some may have been deleted since.
    Column("total", Integer, nullable=False),
    Column("callback_url", Text, nullable=True),
    Column("created_at", BigInteger, nullable=False),
    # When its last generation ended. A retry clears it.
    Column("completed_at", BigInteger, nullable=True),
    Index("ix_batches_created_at_id", "created_at", "id"),
)

generation_inputs = Table(
    "generation_inputs",
    metadata,
    Column(
        "generation_id",
        String(36),
        ForeignKey("generations.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("role", String(16), primary_key=True),
    Column("file_id", String(36), ForeignKey("files.id", ondelete="CASCADE"), nullable=False),
    Index("ix_generation_inputs_file_id", "file_id", "generation_id"),
)

extracted_poses = Table(
    "extracted_poses",
    metadata,
    Column(
        "source_hash",
        String(64),
        ForeignKey("files.content_hash", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("extractor", String(16), primary_key=True),
    Column("bones", String(16), primary_key=True),
    Column("file_id", String(36), ForeignKey("files.id", ondelete="CASCADE"), nullable=False),
    Index("ix_extracted_poses_file_id", "file_id"),
)

outputs = Table(
    "outputs",
    metadata,
    Column(
        "generation_id",
        String(36),
        ForeignKey("generations.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("position", Integer, primary_key=True),
    Column("filename", String(255), nullable=False),
    Column("view", String(16), nullable=True),
    Column("size", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("lost_at", BigInteger, nullable=True),
    # Its number among the takes of the picture, how many of these are kept, and the highest number that one
    # ever had: no number is used again, because a file that could not be removed may still have it.
    Column("take", Integer, nullable=False, server_default=text("1")),
    Column("takes", Integer, nullable=False, server_default=text("1")),
    Column("last_take", Integer, nullable=False, server_default=text("1")),
)

# The takes of pictures that are not the current ones, which are in `outputs`. `made` is the stored form of
# the re-roll that choosing one amounts to: its seed and its part of the receipt.
takes = Table(
    "takes",
    metadata,
    Column(
        "generation_id",
        String(36),
        ForeignKey("generations.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("position", Integer, primary_key=True),
    Column("take", Integer, primary_key=True),
    Column("filename", String(255), nullable=False),
    Column("view", String(16), nullable=True),
    Column("size", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("lost_at", BigInteger, nullable=True),
    Column("made", Text, nullable=False),
)

# The scores of pictures, as JSON: of each take that was judged.
picture_scores = Table(
    "picture_scores",
    metadata,
    Column(
        "generation_id",
        String(36),
        ForeignKey("generations.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("position", Integer, primary_key=True),
    Column("take", Integer, primary_key=True),
    Column("scores", Text, nullable=False),
)

templates = Table(
    "templates",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(100), nullable=False),
    # The name in the form in which names are compared; NULL once it is deleted, so that the name is free.
    Column("name_key", String(300), nullable=True, unique=True),
    # The newest version.
    Column("version", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    # Its versions that generations use stay until the last of these generations is gone.
    Column("deleted_at", BigInteger, nullable=True),
    Index("ix_templates_created_at_id", "created_at", "id"),
)

template_versions = Table(
    "template_versions",
    metadata,
    Column("template_id", String(36), ForeignKey("templates.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("prompt", Text, nullable=False),
    Column("workflow", Text, nullable=True),
    Column("slots", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# The version that a generation uses: its re-rolls need it.
generation_templates = Table(
    "generation_templates",
    metadata,
    Column(
        "generation_id",
        String(36),
        ForeignKey("generations.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("template_id", String(36), nullable=False),
    Column("number", Integer, nullable=False),
    ForeignKeyConstraint(
        ["template_id", "number"],
        ["template_versions.template_id", "template_versions.number"],
        name="fk_generation_templates_version",
    ),
    Index("ix_generation_templates_template_id_number", "template_id", "number"),
)

# The stored files that the graph of a version names.
template_files = Table(
    "template_files",
    metadata,
    Column("template_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("file_id", String(36), ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    ForeignKeyConstraint(
        ["template_id", "number"],
        ["template_versions.template_id", "template_versions.number"],
        ondelete="CASCADE",
        name="fk_template_files_version",
    ),
    Index("ix_template_files_file_id", "file_id", "template_id"),
)

# Poses that users saved. Generations that use one hold its file, so an entry can go at any time.
library_poses = Table(
    "library_poses",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(100), nullable=False),
    # The name in the form in which names are compared.
    Column("name_key", String(300), nullable=False, unique=True),
    Column("file_id", String(36), ForeignKey("files.id", ondelete="CASCADE"), nullable=False),
    # What lists show of the pose, as JSON, so that they need not read its file.
    Column("drawing", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_library_poses_created_at_id", "created_at", "id"),
    Index("ix_library_poses_file_id", "file_id"),
)

characters = Table(
    "characters",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(100), nullable=False),
    # As in `templates`.
    Column("name_key", String(300), nullable=True, unique=True),
    # Name and beginning of the description, in the form in which they are searched; NULL once it is deleted.
    Column("search_key", String(600), nullable=True),
    # The newest version, its description, and the file that shows the character in lists.
    Column("version", Integer, nullable=False),
    Column("description", Text, nullable=False),
    Column("portrait", String(36), nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger, nullable=True),
    # Holds all that a page is found by, so that a search reads no row that does not match.
    Index("ix_characters_created_at_id_search_key", "created_at", "id", "search_key"),
)

character_versions = Table(
    "character_versions",
    metadata,
    Column("character_id", String(36), ForeignKey("characters.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# The stored files that a version names.
character_files = Table(
    "character_files",
    metadata,
    Column("character_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("file_id", String(36), ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    ForeignKeyConstraint(
        ["character_id", "number"],
        ["character_versions.character_id", "character_versions.number"],
        ondelete="CASCADE",
        name="fk_character_files_version",
    ),
    Index("ix_character_files_file_id", "file_id", "character_id"),
)

# The next two tables have no foreign key to the generation, because their rows outlive it. `generation_id`
# can also be the id of a batch.
webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("generation_id", String(36), nullable=False),
    Column("url", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Index("ix_webhooks_next_at", "next_at"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("generation_id", String(36), nullable=False),
    Column("answer", Text, nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_idempotency_keys_created_at", "created_at"),
)

# Totals of rows, updated by triggers in SQLite; empty in other databases. Read by `db.row_counts`.
tallies = Table(
    "tallies",
    metadata,
    Column("what", String(32), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)

# How many generations each character has, by status; kept as `tallies` are.
character_tallies = Table(
    "character_tallies",
    metadata,
    Column("character_id", String(36), primary_key=True),
    Column("status", String(16), primary_key=True),
    Column("number", BigInteger, nullable=False),
)
