from django.db import migrations
from django.db.models import CheckConstraint, Q


class Migration(migrations.Migration):
    dependencies = [("characters", "0002_xp_spends")]
    operations = [
        migrations.AddConstraint(
            "character", CheckConstraint(condition=Q(xp__gte=0), name="characters_character_xp_non_negative")
        )
    ]
