from django.conf import settings
from django.db import migrations, models

STATUSES = ["draft", "submitted", "approved", "retired", "deceased"]
ABILITIES = ["alertness", "athletics", "brawl", "empathy", "expression", "subterfuge"]
ATTRIBUTES = [
    "strength",
    "dexterity",
    "stamina",
    "charisma",
    "manipulation",
    "appearance",
    "perception",
    "intelligence",
    "wits",
]


class Migration(migrations.Migration):
    initial = True
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel(
            name="Character",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("status", models.CharField(choices=[(s, s) for s in STATUSES], default="draft", max_length=20)),
                ("xp", models.IntegerField(default=0)),
                ("owner", models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Human",
            fields=[
                (
                    "character_ptr",
                    models.OneToOneField(
                        "characters.character",
                        models.CASCADE,
                        auto_created=True,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                *((name, models.IntegerField(default=0)) for name in ABILITIES),
                *((name, models.IntegerField(default=1)) for name in ATTRIBUTES),
                ("willpower", models.IntegerField(default=3)),
                ("temporary_willpower", models.IntegerField(default=3)),
                ("age", models.IntegerField(blank=True, null=True)),
                ("apparent_age", models.IntegerField(blank=True, null=True)),
            ],
            options={"abstract": False},
            bases=("characters.character", models.Model),
        ),
    ]
