"""How long pages take, added up by the minute in Redis; without REDIS_URL nobody notes it."""

import time

from django.conf import settings
from django.core.cache import cache

KEPT_SECONDS = 8 * 86400
WAIT_SECONDS = 10
_silent_until = 0.0


def _keys(minute):
    return f"pages:{minute}:count", f"pages:{minute}:ms"


def note(milliseconds):
    global _silent_until
    if not settings.REDIS_URL or time.monotonic() < _silent_until:
        return
    count, total = _keys(int(time.time() // 60))
    try:
        for key, amount in ((count, 1), (total, round(milliseconds))):
            cache.add(key, 0, KEPT_SECONDS)
            cache.incr(key, amount)
    except Exception:  # a cache that is away must not cost a request, nor every request its timeout
        _silent_until = time.monotonic() + WAIT_SECONDS


def read(since):
    """{value, samples}, or {value, missing} with the reason."""
    if not settings.REDIS_URL:
        return {"value": None, "missing": "REDIS_URL is not set"}
    minutes = range(int(since.timestamp() // 60), int(time.time() // 60) + 1)
    try:
        found = cache.get_many([key for minute in minutes for key in _keys(minute)])
    except Exception as error:
        return {"value": None, "missing": f"Redis does not answer: {type(error).__name__}"}
    samples = sum(value for key, value in found.items() if key.endswith(":count"))
    total = sum(value for key, value in found.items() if key.endswith(":ms"))
    return {"value": round(total / samples, 1) if samples else None, "samples": samples}
