"""A small web application: users in a PostgreSQL database."""
from flask import Flask, jsonify, request
from sqlalchemy import text

from database import get_db
from models import User

app = Flask(__name__)


@app.get("/health")
def health():
    """What the load balancer asks: the application is up and reaches its database."""
    with get_db() as db:
        db.execute(text("select 1"))
    return jsonify(status="ok")


@app.get("/users")
def users():
    with get_db() as db:
        return jsonify([user.to_dict() for user in db.query(User).order_by(User.id)])


@app.post("/users")
def create_user():
    body = request.get_json()
    with get_db() as db:
        user = User(username=body["username"], email=body["email"])
        db.add(user)
        db.flush()
        return jsonify(user.to_dict()), 201
