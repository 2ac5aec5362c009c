"""What the app is told from outside: environment variables, or lines of a file `.env` beside manage.py."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent


def load():
    """Lines `NAME=value` of `.env`; a variable that is set already wins."""
    file = BASE_DIR / ".env"
    if not file.exists():
        return
    for line in file.read_text().splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            os.environ.setdefault(name, value)


def port(name):
    value = os.environ.get(name, "")
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise ValueError(f"{name} is not a port: {value!r}")
    return int(value)


def path(name):
    """A path; a relative one counts from the release's own folder, so `../../x` lies beside `releases/`."""
    value = os.environ.get(name)
    return BASE_DIR / value if value else None


def build_id():
    """The commit that serves: what Soakgate wrote into the checkout, a file of our own, BUILD_ID, or `dev`."""
    for name in (".soakgate-build", "build-id"):
        if (BASE_DIR / name).exists():
            return (BASE_DIR / name).read_text().strip()
    return os.environ.get("BUILD_ID", "dev")
