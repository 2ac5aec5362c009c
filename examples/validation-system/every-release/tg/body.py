"""Reads a JSON body against a table {field: form}; whatever does not fit is named by field and rule."""

import json

from tg.refused import Malformed

LARGEST = 2**31 - 1


def text(value):
    return isinstance(value, str) and 0 < len(value.strip()) <= 100


def integer(value):
    return type(value) is int and abs(value) <= LARGEST


def nullable_integer(value):
    return value is None or integer(value)


def flag(value):
    return type(value) is bool


def ids(value):
    return isinstance(value, list) and all(integer(item) for item in value)


def read(request, forms, required=()):
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        raise Malformed("body", "json", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Malformed("body", "object", "the body is not an object")
    for field, value in body.items():
        if field not in forms:
            raise Malformed(field, "unknown_field", "there is no such field")
        if not forms[field](value):
            raise Malformed(field, forms[field].__name__, f"this is not a fitting value: {value!r}"[:200])
    for field in required:
        if field not in body:
            raise Malformed(field, "required", "is missing")
    return body
