"""The connection to the database, and a session for a piece of work."""
import json
import os
from contextlib import contextmanager
from functools import lru_cache

from sqlalchemy import URL, create_engine
from sqlalchemy.orm import sessionmaker


def database_url():
    """From the secret in Secrets Manager, or from DATABASE_URL where there is none."""
    arn = os.getenv("DB_SECRET_ARN")
    if not arn:
        return os.environ["DATABASE_URL"]
    import boto3

    secret = json.loads(boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    return URL.create(
        "postgresql",
        username=secret["username"],
        password=secret["password"],
        host=secret["host"],
        port=secret["port"],
        database=secret["dbname"],
    )


@lru_cache
def sessions():
    engine = create_engine(database_url(), pool_size=5, max_overflow=10, pool_pre_ping=True)
    return sessionmaker(autoflush=False, bind=engine)


@contextmanager
def get_db():
    """A session that commits when the work is done and rolls back when it fails."""
    db = sessions()()
    try:
        yield db
        db.commit()
    except Exception:
        db.rollback()
        raise
    finally:
        db.close()
