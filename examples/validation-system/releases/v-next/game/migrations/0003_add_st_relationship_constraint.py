from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("game", "0002_scene_awards")]
    operations = [
        migrations.AddConstraint(
            "strelationship",
            models.UniqueConstraint(
                fields=["user", "chronicle", "gameline"], name="game_strelationship_one_for_each_gameline"
            ),
        )
    ]
