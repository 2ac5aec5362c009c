from django.conf import settings
from django.db import models


class XPSpend(models.Model):
    PENDING, APPROVED, DENIED = "pending", "approved", "denied"

    character = models.ForeignKey("characters.Character", models.CASCADE, related_name="xp_spends")
    trait = models.CharField(max_length=30)
    cost = models.IntegerField()
    status = models.CharField(max_length=10, default=PENDING, choices=[(s, s) for s in (PENDING, APPROVED, DENIED)])
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    def __str__(self):
        return f"{self.cost} XP for {self.trait} ({self.status})"
