from django.conf import settings
from django.db import migrations, models

GAMELINES = ["vampire", "werewolf", "mage", "changeling", "wraith"]


def key():
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("characters", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="Chronicle",
            fields=[("id", key()), ("name", models.CharField(max_length=100))],
        ),
        migrations.CreateModel(
            name="Scene",
            fields=[
                ("id", key()),
                ("name", models.CharField(max_length=100)),
                ("chronicle", models.ForeignKey("game.chronicle", models.CASCADE)),
                ("finished", models.BooleanField(default=False)),
                ("participants", models.ManyToManyField("characters.character", related_name="scenes")),
            ],
        ),
        migrations.CreateModel(
            name="STRelationship",
            fields=[
                ("id", key()),
                ("user", models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)),
                ("chronicle", models.ForeignKey("game.chronicle", models.CASCADE)),
                ("gameline", models.CharField(choices=[(line, line) for line in GAMELINES], max_length=20)),
                ("note", models.CharField(blank=True, max_length=200)),
            ],
        ),
    ]
