"""`python -m gunicorn tg.wsgi` reads this: one process with threads, one or two listeners on the loopback."""

import os

from tg import environment

environment.load()

HOST = os.environ.get("HOST", "127.0.0.1")
bind = [f"{HOST}:{environment.port('PORT')}"]
if os.environ.get("INSIDE_PORT"):
    bind.append(f"{HOST}:{environment.port('INSIDE_PORT')}")

workers = 1
worker_class = "gthread"
threads = 8
keepalive = 30  # longer than a client keeps an idle connection, so that none is closed under its request
graceful_timeout = 5

# The server's own sessions: neither the name nor the settings of whoever started it.
os.environ["PGAPPNAME"] = "tg"
os.environ["PGOPTIONS"] = "-c statement_timeout=5000"
