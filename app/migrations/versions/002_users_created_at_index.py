"""Find new users fast

Revision ID: 002_created_at
"""
from alembic import op

revision = "002_created_at"
down_revision = "001_initial"


def upgrade():
    op.create_index("users_created_at", "users", ["created_at"])


def downgrade():
    op.drop_index("users_created_at", "users")
