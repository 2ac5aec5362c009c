"""Two addresses that lock the same two rows, in opposite orders; they exist only with DEADLOCK=1."""

import time

from django.db import transaction
from django.http import JsonResponse
from django.views.decorators.http import require_POST

from characters.models import Character
from monitoring.record import operation
from tg import faults
from tg.answers import no_such


@require_POST
def lock_two(request, order):
    if not faults.switch("deadlock") or order not in ("forward", "backward"):
        return no_such("path")
    keys = list(Character.objects.order_by("pk").values_list("pk", flat=True)[:2])
    with operation("deadlock", request), transaction.atomic():
        for pk in keys if order == "forward" else reversed(keys):
            Character.objects.select_for_update().get(pk=pk)
            time.sleep(0.3)
    return JsonResponse({"locked": keys})
