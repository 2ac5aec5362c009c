"""The app's own failure switches: environment variables for a process, a JSON file for a running one.

The file is named by TG_FAULT, read again at most every 100 ms, and wins over the environment. No file, no fault.
While it is being written its former content holds.
"""

import json
import os
import random
import threading
import time

from django.conf import settings

VARIABLES = {
    "failAfter": "FAIL_AFTER",
    "holdLockMs": "HOLD_LOCK_MS",
    "slowMs": "SLOW_MS",
    "breakHealth": "BREAK_HEALTH",
    "deadlock": "DEADLOCK",
    "errorRate": "ERROR_RATE",
    "skipValidation": "SKIP_VALIDATION",
}
_local = threading.local()
_file = {"at": float("-inf"), "content": {}}


class InjectedFailure(Exception):
    """Stands for a process that dies between two writes."""


def _from_file():
    path, now = settings.FAULT_FILE, time.monotonic()
    if path is None or now - _file["at"] < 0.1:
        return _file["content"]
    _file["at"] = now
    try:
        _file["content"] = json.loads(path.read_text())
    except FileNotFoundError:
        _file["content"] = {}
    except ValueError:
        pass
    return _file["content"]


def switch(name):
    """The number of a switch; 0 when it is not set."""
    return float(_from_file().get(name, os.environ.get(VARIABLES[name]) or 0))


def strikes():
    return random.random() < switch("errorRate")


def slow():
    time.sleep(switch("slowMs") / 1000)


def hold_lock():
    """Called with the row in hand, before it is written."""
    time.sleep(switch("holdLockMs") / 1000)


def begin():
    """A new operation: writes are counted from here."""
    _local.writes = 0


def written():
    """Called after each write of an operation; raises after as many as FAIL_AFTER says."""
    _local.writes = getattr(_local, "writes", 0) + 1
    if _local.writes == switch("failAfter"):
        raise InjectedFailure(f"after write {_local.writes}")
