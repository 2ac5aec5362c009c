from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models
from django.db.models import CheckConstraint, Q

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


def limited():
    return models.IntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(10)])


def in_range(name):
    condition = Q((f"{name}__gte", 1), (f"{name}__lte", 10))
    return CheckConstraint(condition=condition, name=f"characters_human_{name}_range")


class Migration(migrations.Migration):
    dependencies = [("characters", "0003_add_xp_constraints")]
    operations = [
        *(migrations.AlterField("human", name, limited()) for name in ATTRIBUTES),
        *(migrations.AddConstraint("human", in_range(name)) for name in ATTRIBUTES[1:]),
    ]
