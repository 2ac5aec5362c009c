import logging

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import CheckConstraint, Q
from django.utils import timezone

from characters.limits import CONSTRAINED, LIMITS
from characters.models.core.xp_spend import XPSpend
from characters.rules import XP_RULE, range_rule
from tg import faults
from tg.refused import Refused

logger = logging.getLogger(__name__)

STATUSES = ("draft", "submitted", "approved", "retired", "deceased")
CLOSED = ("retired", "deceased")
TRANSITIONS = {"draft": ("submitted",), "submitted": ("draft", "approved"), "approved": CLOSED}


class Character(models.Model):
    name = models.CharField(max_length=100)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    status = models.CharField(max_length=20, default="draft", choices=[(status, status) for status in STATUSES])
    xp = models.IntegerField(default=0)

    class Meta:
        constraints = [CheckConstraint(condition=Q(xp__gte=0), name=XP_RULE)] if CONSTRAINED else []

    def __str__(self):
        return self.name

    @classmethod
    def from_db(cls, db, field_names, values):
        character = super().from_db(db, field_names, values)
        character._stored_status = character.__dict__.get("status")
        return character

    def clean(self):
        super().clean()
        errors = {}
        if isinstance(self.xp, int) and self.xp < 0:
            errors["xp"] = ValidationError("XP cannot be less than 0", code=XP_RULE)
        stored = self.__dict__.get("_stored_status")
        if stored in STATUSES and self.status in STATUSES and self.status not in (stored, *TRANSITIONS.get(stored, ())):
            errors["status"] = ValidationError(f"{stored} cannot become {self.status}", code="status_transition")
        elif self.pk and self.status in CLOSED and self.xp_spends.filter(status=XPSpend.PENDING).exists():
            errors["status"] = ValidationError("spends of XP are still pending", code="pending_spends")
        if errors:
            raise ValidationError(errors)

    def save_checked(self):
        """The constraints are left to the database: asking for each would cost a query, and `clean` knows them all."""
        if not faults.switch("skipValidation"):
            self.full_clean(validate_constraints=False, exclude=["character_ptr"])
        self.save()

    @classmethod
    def change(cls, pk, values):
        with transaction.atomic():
            character = cls.objects.select_for_update().get(pk=pk)
            for field, value in values.items():
                setattr(character, field, value)
            character.save_checked()
        return character

    def spend_xp(self, trait, cost, requested_by=None):
        """Takes the XP and leaves a spend that waits for approval: both or neither, and one caller at a time."""
        with transaction.atomic():
            locked = Character.objects.select_for_update().get(pk=self.pk)
            faults.hold_lock()
            if locked.status in CLOSED:
                raise Refused("status", "character_closed", f"this character is {locked.status}")
            if locked.xp < cost:
                raise Refused("cost", "xp_balance", f"{locked.xp} XP are left, and this costs {cost}")
            locked.xp -= cost
            locked.save(update_fields=["xp"])
            faults.written()
            spend = XPSpend.objects.create(character=locked, trait=trait, cost=cost, requested_by=requested_by)
            faults.written()
        self.xp = locked.xp
        logger.info("character %s spends %s XP for %s", self.pk, cost, trait)
        return spend

    def approve_xp_spend(self, spend_id, approved_by=None):
        """Approves a spend and raises its trait: both or neither. The character is locked first, as in `spend_xp`."""
        with transaction.atomic():
            Character.objects.select_for_update().get(pk=self.pk)
            spend = self.xp_spends.select_for_update().get(pk=spend_id)
            faults.hold_lock()
            if spend.status != XPSpend.PENDING:
                raise Refused("status", "already_decided", f"this spend is {spend.status}")
            human = type(self.human).objects.select_for_update().get(pk=self.pk)
            value, highest = getattr(human, spend.trait) + 1, LIMITS[spend.trait][1]
            if value > highest:
                raise Refused(spend.trait, range_rule(spend.trait), f"{spend.trait} is {highest} already")
            spend.status, spend.approved_by, spend.decided_at = XPSpend.APPROVED, approved_by, timezone.now()
            spend.save()
            faults.written()
            setattr(human, spend.trait, value)
            human.save(update_fields=[spend.trait])
            faults.written()
        logger.info("spend %s of character %s is approved", spend_id, self.pk)
        return spend, value
