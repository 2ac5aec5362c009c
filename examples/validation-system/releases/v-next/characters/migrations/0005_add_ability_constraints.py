from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models
from django.db.models import CheckConstraint, Q

ABILITIES = ["alertness", "athletics", "brawl", "empathy", "expression", "subterfuge"]


def limited():
    return models.IntegerField(default=0, validators=[MinValueValidator(0), MaxValueValidator(10)])


def in_range(name):
    condition = Q((f"{name}__gte", 0), (f"{name}__lte", 10))
    return CheckConstraint(condition=condition, name=f"characters_human_{name}_range")


class Migration(migrations.Migration):
    dependencies = [("characters", "0004_add_attribute_constraints")]
    operations = [
        *(migrations.AlterField("human", name, limited()) for name in ABILITIES),
        *(migrations.AddConstraint("human", in_range(name)) for name in ABILITIES),
    ]
