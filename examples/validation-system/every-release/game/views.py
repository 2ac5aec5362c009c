from django.db import transaction
from django.http import JsonResponse
from django.views.decorators.http import require_POST

from characters.models import Character
from game.models import Chronicle, Scene
from monitoring.record import operation
from tg import body
from tg.refused import Malformed


@require_POST
def create_scene(request):
    forms = {"name": body.text, "finished": body.flag, "participants": body.ids}
    with operation("scene_create", request), transaction.atomic():
        wanted = body.read(request, forms, required=["name", "participants"])
        heroes = list(Character.objects.filter(pk__in=wanted["participants"]))
        if len(heroes) != len(set(wanted["participants"])):
            raise Malformed("participants", "unknown_character", "not all of them exist")
        # Two that are made at once are no reason to fail: the older one is meant.
        tables = Chronicle.objects.filter(name="Open table").order_by("pk")
        chronicle = tables.first() or Chronicle.objects.create(name="Open table")
        scene = Scene.objects.create(name=wanted["name"], chronicle=chronicle, finished=wanted.get("finished", True))
        scene.participants.set(heroes)
    return JsonResponse({"id": scene.pk, "finished": scene.finished, "participants": len(heroes)}, status=201)


@require_POST
def award_xp(request, pk):
    with operation("scene_xp", request):
        amount = body.read(request, {"xp": body.integer}).get("xp", 1)
        if not 1 <= amount <= 100:
            raise Malformed("xp", "range", "a scene gives 1 to 100 XP")
        awarded = Scene.objects.get(pk=pk).award_xp(amount)
    return JsonResponse({"id": pk, "xp_given": True, "xp": amount, "awarded": awarded})
