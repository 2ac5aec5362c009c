from django.db import models


class AbilityBlock(models.Model):
    alertness = models.IntegerField(default=0)
    athletics = models.IntegerField(default=0)
    brawl = models.IntegerField(default=0)
    empathy = models.IntegerField(default=0)
    expression = models.IntegerField(default=0)
    subterfuge = models.IntegerField(default=0)

    class Meta:
        abstract = True
