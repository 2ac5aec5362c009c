from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models
from django.db.models import CheckConstraint, Q


def limited(highest):
    return models.IntegerField(blank=True, null=True, validators=[MinValueValidator(0), MaxValueValidator(highest)])


def in_range(name, highest):
    condition = Q((f"{name}__gte", 0), (f"{name}__lte", highest))
    return CheckConstraint(condition=condition, name=f"characters_human_{name}_limits")


class Migration(migrations.Migration):
    """An age that nobody knows is NULL, and NULL passes both."""

    dependencies = [("characters", "0006_add_willpower_constraints")]
    operations = [
        migrations.AlterField("human", "age", limited(500)),
        migrations.AlterField("human", "apparent_age", limited(200)),
        migrations.AddConstraint("human", in_range("age", 500)),
        migrations.AddConstraint("human", in_range("apparent_age", 200)),
    ]
