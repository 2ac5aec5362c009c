from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models
from django.db.models import CheckConstraint, F, Q


def limited(lowest, highest):
    return models.IntegerField(default=3, validators=[MinValueValidator(lowest), MaxValueValidator(highest)])


class Migration(migrations.Migration):
    dependencies = [("characters", "0005_add_ability_constraints")]
    operations = [
        migrations.AlterField("human", "willpower", limited(1, 10)),
        migrations.AlterField("human", "temporary_willpower", limited(0, 10)),
        migrations.AddConstraint(
            "human",
            CheckConstraint(
                condition=Q(("willpower__gte", 1), ("willpower__lte", 10)), name="characters_human_willpower_limits"
            ),
        ),
        migrations.AddConstraint(
            "human",
            CheckConstraint(
                condition=Q(("temporary_willpower__gte", 0), ("temporary_willpower__lte", 10)),
                name="characters_human_temporary_willpower_limits",
            ),
        ),
        migrations.AddConstraint(
            "human",
            CheckConstraint(
                condition=Q(temporary_willpower__lte=F("willpower")), name="characters_human_temp_not_exceeds_max"
            ),
        ),
    ]
