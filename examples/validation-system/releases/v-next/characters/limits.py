"""Between which values a field must stay, for its validators, its constraint and the integrity check alike."""

from pathlib import Path

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import CheckConstraint, Q

from characters.rules import range_rule
from characters.traits import ABILITIES, ATTRIBUTES


def taken(forward):
    """Whether the migration of a forward route was added to the loaded ones: the models then say what it did."""
    return (Path(__file__).parent / "migrations" / f"{forward}.py").exists()


CONSTRAINED = not taken("remove_validation_constraints")
LIMITS = {
    **dict.fromkeys(ATTRIBUTES, (1, 10)),
    **dict.fromkeys(ABILITIES, (0, 10)),
    "willpower": (1, 10),
    "temporary_willpower": (0, 10),
    "age": (0, 10000 if taken("relax_age_constraint") else 500),
    "apparent_age": (0, 200),
}


def between(field):
    lowest, highest = LIMITS[field]
    return [MinValueValidator(lowest), MaxValueValidator(highest)]


def range_constraint(field):
    lowest, highest = LIMITS[field]
    return CheckConstraint(condition=Q((f"{field}__gte", lowest), (f"{field}__lte", highest)), name=range_rule(field))
