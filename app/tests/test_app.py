"""Needs DATABASE_URL of a migrated database."""
from app import app


def test_a_user_that_was_created_is_listed():
    client = app.test_client()
    created = client.post("/users", json={"username": "ada", "email": "ada@example.com"})
    assert created.status_code == 201
    assert created.json["username"] in [user["username"] for user in client.get("/users").json]


def test_health_reaches_the_database():
    assert app.test_client().get("/health").json == {"status": "ok"}
