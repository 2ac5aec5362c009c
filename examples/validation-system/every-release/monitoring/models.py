from django.db import models
from django.db.models.functions import Now


class Operation(models.Model):
    """One operation of the app, however it ended: what the monitor counts."""

    DONE, REFUSED, FAILED = "done", "refused", "failed"

    operation = models.CharField(max_length=30)
    outcome = models.CharField(max_length=10)
    latency_ms = models.FloatField()
    violation = models.CharField(max_length=100, blank=True)
    error = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["at"], name="monitoring_operation_at")]

    def __str__(self):
        return f"{self.operation} {self.outcome}"
