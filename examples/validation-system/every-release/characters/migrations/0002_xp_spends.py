from django.conf import settings
from django.db import migrations, models

STATUSES = ["pending", "approved", "denied"]


def person():
    return models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, blank=True, null=True, related_name="+")


class Migration(migrations.Migration):
    dependencies = [
        ("characters", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="XPSpend",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("character", models.ForeignKey("characters.character", models.CASCADE, related_name="xp_spends")),
                ("trait", models.CharField(max_length=30)),
                ("cost", models.IntegerField()),
                ("status", models.CharField(choices=[(s, s) for s in STATUSES], default="pending", max_length=10)),
                ("requested_by", person()),
                ("approved_by", person()),
                ("requested_at", models.DateTimeField(auto_now_add=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
            ],
        )
    ]
