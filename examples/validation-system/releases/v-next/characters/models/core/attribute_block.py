from django.db import models

from characters.limits import between, range_constraint
from characters.traits import ATTRIBUTES


class AttributeBlock(models.Model):
    strength = models.IntegerField(default=1, validators=between("strength"))
    dexterity = models.IntegerField(default=1, validators=between("dexterity"))
    stamina = models.IntegerField(default=1, validators=between("stamina"))
    charisma = models.IntegerField(default=1, validators=between("charisma"))
    manipulation = models.IntegerField(default=1, validators=between("manipulation"))
    appearance = models.IntegerField(default=1, validators=between("appearance"))
    perception = models.IntegerField(default=1, validators=between("perception"))
    intelligence = models.IntegerField(default=1, validators=between("intelligence"))
    wits = models.IntegerField(default=1, validators=between("wits"))

    class Meta:
        abstract = True


ATTRIBUTE_CONSTRAINTS = [range_constraint(name) for name in ATTRIBUTES]
