from django.db import migrations
from django.db.models import CheckConstraint, Q


class LeavesItThere(migrations.AddConstraint):
    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        pass


class Migration(migrations.Migration):
    dependencies = [("characters", "0002_xp_spends")]
    operations = [
        LeavesItThere("character", CheckConstraint(condition=Q(xp__gte=0), name="characters_character_xp_non_negative"))
    ]
