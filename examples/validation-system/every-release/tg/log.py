"""One JSON object a line: on standard output and, with LOG_DIR, in two rotating files."""

import json
import logging
from datetime import datetime, timezone


class JsonLines(logging.Formatter):
    def format(self, record):
        line = {
            "at": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _file(folder, name, level):
    return {
        "class": "logging.handlers.RotatingFileHandler",
        "filename": folder / name,
        "maxBytes": 10 * 1024 * 1024,
        "backupCount": 5,
        "level": level,
        "formatter": "json",
    }


def configuration(folder):
    handlers = {"console": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}}
    if folder:
        handlers["all"] = _file(folder, "validation.log", "INFO")
        handlers["errors"] = _file(folder, "validation_errors.log", "ERROR")
    ours = {"handlers": list(handlers), "level": "INFO", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "tg.log.JsonLines"}},
        "handlers": handlers,
        "loggers": {name: ours for name in ("tg", "characters.models", "game.models")},
    }
