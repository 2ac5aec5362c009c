"""What must be true of the rows before the constraints can be added: eight sections, each a list of findings."""

from dataclasses import asdict, dataclass

from django.db.models import Count, Q

from characters.limits import LIMITS
from characters.models import Character, Human
from characters.models.core.character import STATUSES
from characters.rules import TEMP_RULE, XP_RULE, range_rule
from characters.traits import ABILITIES, ATTRIBUTES
from game.models import Scene, STRelationship

AUTO, PEOPLE = "auto", "people"


@dataclass(frozen=True)
class Repair:
    """One value of one row, or with `field` None the row itself."""

    model: type
    pk: int
    field: str | None
    old: object
    new: object


@dataclass(frozen=True)
class Finding:
    category: str
    key: str
    fix: str
    message: str
    repair: Repair | None = None

    def as_json(self):
        return {name: value for name, value in asdict(self).items() if name != "repair"}


def _key(model, *pks):
    return f"{model._meta.db_table} {','.join(str(pk) for pk in pks)}"


def _value(category, row, field, rule, new):
    """A value that a machine may put right."""
    old = getattr(row, field)
    repair = Repair(type(row), row.pk, field, old, new)
    return Finding(category, _key(type(row), row.pk), AUTO, f"{field} is {old}, against {rule}", repair)


def negative_xp():
    return [_value("xp", row, "xp", XP_RULE, 0) for row in Character.objects.filter(xp__lt=0).order_by("pk")]


def unknown_status():
    rows = Character.objects.exclude(status__in=STATUSES).order_by("pk")
    return [Finding("status", _key(Character, row.pk), PEOPLE, f"status is {row.status!r}") for row in rows]


def _clamped(field, value):
    lowest, highest = LIMITS[field]
    return min(max(value, lowest), highest)


def _out_of_range(category, fields):
    outside = Q()
    for field in fields:
        outside |= Q((f"{field}__lt", LIMITS[field][0])) | Q((f"{field}__gt", LIMITS[field][1]))
    for row in Human.objects.filter(outside).order_by("pk"):
        for field in fields:
            value = getattr(row, field)
            if value != _clamped(field, value):
                yield _value(category, row, field, range_rule(field), _clamped(field, value))


def attributes():
    return list(_out_of_range("attributes", ATTRIBUTES))


def abilities():
    return list(_out_of_range("abilities", ABILITIES))


def willpower():
    """One finding for each value; the temporary one goes down to what the other will be."""
    for row in Human.objects.order_by("pk"):
        most = _clamped("willpower", row.willpower)
        if row.willpower != most:
            yield _value("willpower", row, "willpower", range_rule("willpower"), most)
        temporary = row.temporary_willpower
        within = _clamped("temporary_willpower", temporary)
        if temporary != min(within, most):
            rule = TEMP_RULE if temporary == within else range_rule("temporary_willpower")
            yield _value("willpower", row, "temporary_willpower", rule, min(within, most))


def ages():
    """Nobody was born in the future: unknown. But a thousand years may be true, and only people know."""
    for row in Human.objects.order_by("pk"):
        for field in ("age", "apparent_age"):
            value = getattr(row, field)
            if value is None or value == _clamped(field, value):
                continue
            if value < 0:
                yield _value("negative-age", row, field, range_rule(field), None)
            else:
                message = f"{field} is {value}, against {range_rule(field)}"
                yield Finding("age", _key(Human, row.pk), PEOPLE, message)


def duplicates():
    same = ("user_id", "chronicle_id", "gameline")
    keys = STRelationship.objects.values_list(*same).annotate(n=Count("pk")).filter(n__gt=1).order_by(*same)
    for *values, _ in keys:
        rows = list(STRelationship.objects.filter(**dict(zip(same, values))).order_by("pk"))
        key = _key(STRelationship, *(row.pk for row in rows))
        if len({row.note for row in rows}) > 1:
            yield Finding("duplicates", key, PEOPLE, "one storyteller twice in one gameline, with different notes")
            continue
        for row in rows[1:]:
            repair = Repair(STRelationship, row.pk, None, f"the same as {rows[0].pk}", "removed")
            yield Finding("identical-duplicates", key, AUTO, "the same row twice", repair)


def no_findings():
    return []


def scene_counts():
    finished = Scene.objects.filter(finished=True, xp_given=False).count()
    return [
        f"{Scene.objects.filter(xp_given=True).count()} scenes have given their XP",
        f"{finished} finished scenes have not",
    ]


SECTIONS = [
    ("XP below zero", negative_xp),
    ("status", unknown_status),
    ("attributes 1 to 10", attributes),
    ("abilities 0 to 10", abilities),
    ("willpower", willpower),
    ("ages", ages),
    ("storytellers twice in one gameline", duplicates),
    ("XP of scenes", no_findings),
]


def all_findings():
    return [(title, list(find())) for title, find in SECTIONS]
