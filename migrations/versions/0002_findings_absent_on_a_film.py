"""Findings stated absent on a film

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "absences",
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("finding", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["finding"], ["findings.key"], name=op.f("fk_absences_finding_findings")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_absences_image_id_images")),
        sa.PrimaryKeyConstraint("image_id", "finding", name=op.f("pk_absences")),
    )


def downgrade() -> None:
    op.drop_table("absences")
