"""Renders templates as ansible-core does: JSON in, a line of JSON for each out."""

import json
import sys

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template


def trusted(value):
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, list):
        return [trusted(item) for item in value]
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    return value


def plain(value):
    """The value in Python's own types, whose repr says both type and value."""
    if isinstance(value, bool) or value is None:
        return value
    for kind in (str, int, float, bytes):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return str(value)


asked = json.load(sys.stdin)
templar = Templar(loader=DataLoader(), variables=trusted(asked["variables"]))
for source in asked["templates"]:
    try:
        answer = {"value": repr(plain(templar.template(trust_as_template(source))))}
    except Exception as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
