"""The front page and the health answer."""

from django.conf import settings
from django.db import Error, connection
from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from characters.models import Character
from game.models import Scene
from tg import faults


@require_safe
def home(request):
    counts = f"{Character.objects.count()} characters, {Scene.objects.count()} scenes"
    return HttpResponse(f"<!doctype html><title>Characters</title><h1>Characters</h1><p>{counts}</p>")


@require_safe
def health(request):
    database = "ok" if _database_answers() else "down"
    well = database == "ok" and not faults.switch("breakHealth")
    body = {"status": "ok" if well else "down", "database": database, "build": settings.BUILD_ID}
    return JsonResponse(body, status=200 if well else 503)


def _database_answers():
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        return True
    except Error:
        connection.close()
        return False
