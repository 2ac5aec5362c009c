from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models
from django.db.models import CheckConstraint, Q

NAME = "characters_human_age_limits"


class Migration(migrations.Migration):
    """Ages up to 10,000. The way back holds only as long as nobody is older than 500."""

    dependencies = [("characters", "0007_add_age_constraints")]
    operations = [
        migrations.AlterField(
            "human",
            "age",
            models.IntegerField(blank=True, null=True, validators=[MinValueValidator(0), MaxValueValidator(10000)]),
        ),
        migrations.RemoveConstraint("human", NAME),
        migrations.AddConstraint(
            "human", CheckConstraint(condition=Q(("age__gte", 0), ("age__lte", 10000)), name=NAME)
        ),
    ]
