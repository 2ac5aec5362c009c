from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone

from characters.models.core.xp_spend import XPSpend
from tg import faults
from tg.refused import Refused

STATUSES = ("draft", "submitted", "approved", "retired", "deceased")


class Character(models.Model):
    name = models.CharField(max_length=100)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    status = models.CharField(max_length=20, default="draft", choices=[(status, status) for status in STATUSES])
    xp = models.IntegerField(default=0)

    def __str__(self):
        return self.name

    def save_checked(self):
        self.save()

    @classmethod
    def change(cls, pk, values):
        character = cls.objects.get(pk=pk)
        for field, value in values.items():
            setattr(character, field, value)
        character.save()
        return character

    def spend_xp(self, trait, cost, requested_by=None):
        if self.xp < cost:
            raise Refused("cost", "xp_balance", f"{self.xp} XP are left, and this costs {cost}")
        faults.hold_lock()
        spend = XPSpend.objects.create(character=self, trait=trait, cost=cost, requested_by=requested_by)
        faults.written()
        Character.objects.filter(pk=self.pk).update(xp=F("xp") - cost)
        faults.written()
        self.refresh_from_db(fields=["xp"])
        return spend

    def approve_xp_spend(self, spend_id, approved_by=None):
        spend = self.xp_spends.get(pk=spend_id)
        if spend.status != XPSpend.PENDING:
            raise Refused("status", "already_decided", f"this spend is {spend.status}")
        faults.hold_lock()
        spend.status, spend.approved_by, spend.decided_at = XPSpend.APPROVED, approved_by, timezone.now()
        spend.save()
        faults.written()
        human = self.human
        setattr(human, spend.trait, getattr(human, spend.trait) + 1)
        human.save(update_fields=[spend.trait])
        faults.written()
        return spend, getattr(human, spend.trait)
