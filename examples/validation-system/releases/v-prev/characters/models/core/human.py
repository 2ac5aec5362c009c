from django.db import models

from characters.models.core.ability_block import AbilityBlock
from characters.models.core.attribute_block import AttributeBlock
from characters.models.core.character import Character


class Human(Character, AttributeBlock, AbilityBlock):
    willpower = models.IntegerField(default=3)
    temporary_willpower = models.IntegerField(default=3)
    age = models.IntegerField(null=True, blank=True)
    apparent_age = models.IntegerField(null=True, blank=True)
