"""Each operation leaves one row, written after its own transaction has ended."""

import logging
import time
from contextlib import contextmanager

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import Error

from monitoring.models import Operation
from tg import faults
from tg.answers import constraint_name, sqlstate
from tg.refused import Malformed, Refused

logger = logging.getLogger("tg")


@contextmanager
def operation(name, request):
    """A refusal that the app foresees is no failure; what only the database stopped is one."""
    event = Operation(operation=name, outcome=Operation.DONE)
    faults.begin()
    try:
        if faults.strikes():
            raise faults.InjectedFailure("fault switch")
        yield
    except (Malformed, ObjectDoesNotExist):
        event = None
        raise
    except (Refused, ValidationError) as error:
        event.outcome, event.error = Operation.REFUSED, type(error).__name__
        raise
    except Exception as error:
        event.outcome, event.error = Operation.FAILED, sqlstate(error) or type(error).__name__
        event.violation = constraint_name(error)
        raise
    finally:
        if event:
            event.latency_ms = (time.monotonic() - request.started) * 1000
            _write(event)


def _write(event):
    if event.latency_ms > 1000:
        logger.warning("slow transaction: %s took %d ms", event.operation, event.latency_ms)
    if event.outcome != Operation.DONE:
        level = logging.INFO if event.outcome == Operation.REFUSED else logging.ERROR
        logger.log(level, "rollback: %s %s %s %s", event.operation, event.outcome, event.error, event.violation)
    try:
        event.save()
    except Error as error:
        logger.error("the event is lost: %s", str(error).strip())
