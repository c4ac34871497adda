"""Values on the wire: JSON, and an object with the member `$` for what JSON does not have."""

import base64
import datetime
import math
from collections.abc import Mapping, Set

from ansible._internal._datatag._tags import TrustedAsTemplate
from ansible._internal._templating._jinja_common import Marker, UndefinedMarker

KIND = "$"


def encode(value):
    """Returns a value in the form in which it is sent."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, Marker):
        return {KIND: "undefined", "v": _undefined_text(value)}
    if isinstance(value, str):
        text = str.__str__(value)
        return {KIND: "trusted", "v": text} if TrustedAsTemplate.is_tagged_on(value) else text
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, int):
        number = int(value)
        return number if -(1 << 63) <= number < 1 << 63 else {KIND: "int", "v": str(number)}
    if isinstance(value, float):
        number = float(value)
        return number if math.isfinite(number) else {KIND: "float", "v": _special(number)}
    if isinstance(value, (bytes, bytearray)):
        return {KIND: "bytes", "v": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, Mapping):
        return _encode_mapping(value)
    if isinstance(value, tuple):
        return {KIND: "tuple", "v": [encode(item) for item in value]}
    if isinstance(value, datetime.datetime):
        return str(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (list, Set)) or hasattr(value, "__iter__"):
        return [encode(item) for item in value]
    return str(value)


def _encode_mapping(value):
    pairs = [(key, value[key]) for key in value]
    if all(isinstance(key, str) and key != KIND for key, _ in pairs):
        return {str.__str__(key): encode(member) for key, member in pairs}
    return {KIND: "map", "v": [[encode(key), encode(member)] for key, member in pairs]}


def _special(number):
    return "NaN" if math.isnan(number) else str(number)


def _undefined_text(marker):
    message = getattr(marker, "_undefined_message", None)
    return message or str(getattr(marker, "_undefined_hint", None) or "undefined")


def decode(value):
    """Returns a value that was received."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if KIND not in value:
        return {key: decode(member) for key, member in value.items()}
    decoder = _DECODERS.get(value[KIND])
    return decoder(value.get("v")) if decoder else None


_DECODERS = {
    "bytes": base64.b64decode,
    "float": float,
    "int": int,
    "map": lambda pairs: {decode(key): decode(member) for key, member in pairs},
    "trusted": lambda text: TrustedAsTemplate().tag(text),
    "tuple": lambda items: tuple(decode(item) for item in items),
    "undefined": lambda hint: UndefinedMarker(hint=hint),
}
