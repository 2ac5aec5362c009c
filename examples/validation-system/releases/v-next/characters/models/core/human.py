from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import CheckConstraint, F, Q

from characters.limits import CONSTRAINED, between, range_constraint
from characters.models.core.ability_block import ABILITY_CONSTRAINTS, AbilityBlock
from characters.models.core.attribute_block import ATTRIBUTE_CONSTRAINTS, AttributeBlock
from characters.models.core.character import Character
from characters.rules import BOUNDED, TEMP_RULE

CONSTRAINTS = [
    *ATTRIBUTE_CONSTRAINTS,
    *ABILITY_CONSTRAINTS,
    *(range_constraint(field) for field in BOUNDED),
    CheckConstraint(condition=Q(temporary_willpower__lte=F("willpower")), name=TEMP_RULE),
]


class Human(Character, AttributeBlock, AbilityBlock):
    willpower = models.IntegerField(default=3, validators=between("willpower"))
    temporary_willpower = models.IntegerField(default=3, validators=between("temporary_willpower"))
    age = models.IntegerField(null=True, blank=True, validators=between("age"))
    apparent_age = models.IntegerField(null=True, blank=True, validators=between("apparent_age"))

    class Meta:
        constraints = CONSTRAINTS if CONSTRAINED else []

    def clean(self):
        errors = {}
        try:
            super().clean()
        except ValidationError as error:
            errors = error.error_dict
        both = (self.temporary_willpower, self.willpower)
        if all(isinstance(value, int) for value in both) and both[0] > both[1]:
            message = f"temporary willpower {both[0]} exceeds willpower {both[1]}"
            errors["temporary_willpower"] = ValidationError(message, code=TEMP_RULE)
        if errors:
            raise ValidationError(errors)
