"""Characters and what they spend, as JSON. The rules themselves lie in the models."""

from django.http import JsonResponse
from django.views.decorators.http import require_http_methods, require_POST

from characters.models import Character, Human, XPSpend
from characters.traits import TRAITS
from monitoring.record import operation
from tg import body
from tg.refused import Malformed

NEWEST = 50
FORMS = {
    "name": body.text,
    "xp": body.integer,
    **{trait: body.integer for trait in TRAITS},
    "willpower": body.integer,
    "temporary_willpower": body.integer,
    "age": body.nullable_integer,
    "apparent_age": body.nullable_integer,
}


def as_json(human):
    return {"id": human.pk, "status": human.status, **{field: getattr(human, field) for field in FORMS}}


@require_http_methods(["GET", "HEAD", "POST"])
def characters(request):
    if request.method != "POST":
        return JsonResponse({"characters": [as_json(human) for human in Human.objects.order_by("-pk")[:NEWEST]]})
    with operation("character_create", request):
        human = Human(**body.read(request, FORMS, required=["name"]))
        human.save_checked()
    return JsonResponse(as_json(human), status=201)


@require_http_methods(["GET", "HEAD", "PATCH"])
def character(request, pk):
    if request.method != "PATCH":
        return JsonResponse(as_json(Human.objects.get(pk=pk)))
    with operation("character_update", request):
        human = Human.change(pk, body.read(request, FORMS))
    return JsonResponse(as_json(human))


@require_POST
def change_status(request, pk):
    with operation("status_change", request):
        wanted = body.read(request, {"status": body.text}, required=["status"])
        human = Human.change(pk, wanted)
    return JsonResponse({"id": human.pk, "status": human.status})


@require_POST
def spend_xp(request, pk):
    with operation("xp_spend", request):
        wanted = body.read(request, {"trait": body.text, "cost": body.integer}, required=["trait", "cost"])
        if wanted["trait"] not in TRAITS:
            raise Malformed("trait", "choice", f"{wanted['trait']} is no trait")
        if wanted["cost"] < 1:
            raise Malformed("cost", "min_value", "a spend costs at least 1 XP")
        hero = Character.objects.get(pk=pk)
        spend = hero.spend_xp(**wanted)
    return JsonResponse({**spend_as_json(spend), "xp": hero.xp}, status=201)


@require_POST
def approve(request, pk):
    with operation("xp_approval", request):
        spend = XPSpend.objects.select_related("character").get(pk=pk)
        spend, value = spend.character.approve_xp_spend(spend.pk)
    return JsonResponse({**spend_as_json(spend), "value": value})


def spend_as_json(spend):
    return {
        "id": spend.pk,
        "character": spend.character_id,
        "trait": spend.trait,
        "cost": spend.cost,
        "status": spend.status,
    }
