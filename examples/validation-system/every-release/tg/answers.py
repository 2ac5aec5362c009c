"""What an error means to whoever sent the request: 400 with field and rule, 409, 503; 500 for the rest."""

import logging

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import DataError, Error, IntegrityError
from django.http import JsonResponse

from characters.rules import constraint_field, rule_of
from tg.refused import Malformed, Refused

logger = logging.getLogger("tg")
# Serialization, deadlock, lock or statement timeout: the same request may work a moment later.
BUSY = {"40001", "40P01", "55P03", "57014"}


def sqlstate(error):
    return getattr(error.__cause__, "sqlstate", None) or ""


def constraint_name(error):
    diagnostic = getattr(error.__cause__, "diag", None)
    return getattr(diagnostic, "constraint_name", None) or ""


def no_such(what):
    return JsonResponse({"error": f"no such {what}"}, status=404)


def not_found(request, exception):
    return no_such("path")


def _refusal(status, field, rule, message):
    return JsonResponse({"field": field, "rule": rule, "message": message}, status=status)


def _invalid(error):
    field, errors = next(iter(error.error_dict.items()))
    status = 409 if errors[0].code in ("status_transition", "pending_spends") else 400
    return _refusal(status, field, rule_of(field, errors[0].code), errors[0].messages[0])


def _database(error):
    code, name = sqlstate(error), constraint_name(error)
    if isinstance(error, IntegrityError):
        return _refusal(400, constraint_field(name), name, f"refused by {name}")
    if isinstance(error, DataError):
        return _refusal(400, None, "value", f"the database cannot store this value ({code})")
    return JsonResponse({"error": "busy" if code in BUSY else "database down", "code": code}, status=503)


def explain(error):
    if isinstance(error, Malformed):
        return _refusal(400, error.field, error.rule, error.message)
    if isinstance(error, Refused):
        return _refusal(409, error.field, error.rule, error.message)
    if isinstance(error, ValidationError):
        return _invalid(error)
    if isinstance(error, ObjectDoesNotExist):
        return no_such(type(error).__qualname__.split(".")[0].lower())
    logger.error("%s: %s", type(error).__name__, str(error).strip())
    if isinstance(error, Error):
        return _database(error)
    return JsonResponse({"error": "internal"}, status=500)
