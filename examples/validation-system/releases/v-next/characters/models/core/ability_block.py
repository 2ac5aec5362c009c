from django.db import models

from characters.limits import between, range_constraint
from characters.traits import ABILITIES


class AbilityBlock(models.Model):
    alertness = models.IntegerField(default=0, validators=between("alertness"))
    athletics = models.IntegerField(default=0, validators=between("athletics"))
    brawl = models.IntegerField(default=0, validators=between("brawl"))
    empathy = models.IntegerField(default=0, validators=between("empathy"))
    expression = models.IntegerField(default=0, validators=between("expression"))
    subterfuge = models.IntegerField(default=0, validators=between("subterfuge"))

    class Meta:
        abstract = True


ABILITY_CONSTRAINTS = [range_constraint(name) for name in ABILITIES]
