"""Labels with side, zone, evidence and parents; their drafts; where sources disagree

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # An export from elsewhere could name any source until now.
    op.execute(
        "UPDATE labels SET source = 'imported' WHERE source NOT IN ('adjudicated', 'reader', 'imported', 'labeler')"
    )
    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.add_column(sa.Column("side", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("zone", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("evidence", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("suggested", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("parent_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_labels_parent_id_labels"), "labels", ["parent_id"], ["id"])
    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.alter_column("evidence", existing_type=sa.String(), existing_nullable=False, server_default=None)
        batch_op.alter_column("suggested", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)

    op.create_table(
        "label_drafts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("finding", sa.String(length=100), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("branch", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("base_version_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("side", sa.String(length=20), nullable=True),
        sa.Column("zone", sa.String(length=20), nullable=True),
        sa.Column("suggested", sa.Boolean(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("discarded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["base_version_id"], ["labels.id"], name=op.f("fk_label_drafts_base_version_id_labels")
        ),
        sa.ForeignKeyConstraint(["closed_by"], ["labels.id"], name=op.f("fk_label_drafts_closed_by_labels")),
        sa.ForeignKeyConstraint(["finding"], ["findings.key"], name=op.f("fk_label_drafts_finding_findings")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["label_drafts.id"], name=op.f("fk_label_drafts_parent_id_label_drafts")
        ),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_label_drafts_reader_id_readers")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_label_drafts_study_id_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_drafts")),
    )
    with op.batch_alter_table("label_drafts", schema=None) as batch_op:
        batch_op.create_index("ix_label_drafts_reader_id_study_id", ["reader_id", "study_id"], unique=False)
        batch_op.create_index("ix_label_drafts_parent_id", ["parent_id"], unique=False)

    op.create_table(
        "disagreements",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("finding", sa.String(length=100), nullable=False),
        sa.Column("reader", sa.String(length=20), nullable=True),
        sa.Column("imported", sa.String(length=20), nullable=True),
        sa.Column("labeler", sa.String(length=20), nullable=True),
        sa.Column("model", sa.String(length=20), nullable=True),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("readers_differ", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["finding"], ["findings.key"], name=op.f("fk_disagreements_finding_findings")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_disagreements_study_id_studies")),
        sa.PrimaryKeyConstraint("study_id", "finding", name=op.f("pk_disagreements")),
    )
    with op.batch_alter_table("disagreements", schema=None) as batch_op:
        batch_op.create_index("ix_disagreements_finding", ["finding", "study_id"], unique=False)

    # Added in place: the table is too much referred to for SQLite to copy it while foreign keys are watched.
    op.add_column("studies", sa.Column("disagrees", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_studies_disagrees", "studies", ["disagrees", "queue_rank", "id", "state"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_studies_disagrees", table_name="studies")
    op.drop_column("studies", "disagrees")
    with op.batch_alter_table("disagreements", schema=None) as batch_op:
        batch_op.drop_index("ix_disagreements_finding")
    op.drop_table("disagreements")
    with op.batch_alter_table("label_drafts", schema=None) as batch_op:
        batch_op.drop_index("ix_label_drafts_parent_id")
        batch_op.drop_index("ix_label_drafts_reader_id_study_id")
    op.drop_table("label_drafts")
    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_labels_parent_id_labels"), type_="foreignkey")
        for column in ("parent_id", "suggested", "evidence", "zone", "side"):
            batch_op.drop_column(column)
