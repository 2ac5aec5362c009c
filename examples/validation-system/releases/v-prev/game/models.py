from django.conf import settings
from django.db import models
from django.db.models import F

from tg import faults
from tg.refused import Refused

GAMELINES = ("vampire", "werewolf", "mage", "changeling", "wraith")


class Chronicle(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self):
        return self.name


class Scene(models.Model):
    name = models.CharField(max_length=100)
    chronicle = models.ForeignKey(Chronicle, models.CASCADE)
    finished = models.BooleanField(default=False)
    xp_given = models.BooleanField(default=False)
    participants = models.ManyToManyField("characters.Character", related_name="scenes")

    def __str__(self):
        return self.name

    def award_xp(self, amount):
        if self.xp_given:
            raise Refused("xp_given", "scene_awarded", "This scene has already given its XP")
        if not self.finished:
            raise Refused("finished", "scene_not_finished", "this scene is still being played")
        faults.hold_lock()
        awarded = 0
        for character in self.participants.order_by("pk"):
            type(character).objects.filter(pk=character.pk).update(xp=F("xp") + amount)
            awarded += 1
            faults.written()
        self.xp_given = True
        self.save()
        faults.written()
        return awarded


class STRelationship(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    chronicle = models.ForeignKey(Chronicle, models.CASCADE)
    gameline = models.CharField(max_length=20, choices=[(line, line) for line in GAMELINES])
    note = models.CharField(max_length=200, blank=True)

    def __str__(self):
        return f"{self.user}: {self.gameline} in {self.chronicle}"
