import logging

from django.conf import settings
from django.db import models, transaction

from characters.models import Character
from tg import faults
from tg.refused import Refused

logger = logging.getLogger(__name__)

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
        """XP for every participant and the scene's own flag: all or nothing, and once."""
        with transaction.atomic():
            scene = Scene.objects.select_for_update().get(pk=self.pk)
            faults.hold_lock()
            if scene.xp_given:
                raise Refused("xp_given", "scene_awarded", "This scene has already given its XP")
            if not scene.finished:
                raise Refused("finished", "scene_not_finished", "this scene is still being played")
            awarded = 0
            # By primary key, so that two scenes with the same heroes wait for each other and never in a circle.
            for character in Character.objects.select_for_update().filter(scenes=scene).order_by("pk"):
                character.xp += amount
                character.save(update_fields=["xp"])
                awarded += 1
                faults.written()
            scene.xp_given = True
            scene.save(update_fields=["xp_given"])
            faults.written()
        self.xp_given = True
        logger.info("scene %s gives %s XP to %s characters", self.pk, amount, awarded)
        return awarded


class STRelationship(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    chronicle = models.ForeignKey(Chronicle, models.CASCADE)
    gameline = models.CharField(max_length=20, choices=[(line, line) for line in GAMELINES])
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "chronicle", "gameline"], name="game_strelationship_one_for_each_gameline"
            )
        ]

    def __str__(self):
        return f"{self.user}: {self.gameline} in {self.chronicle}"
