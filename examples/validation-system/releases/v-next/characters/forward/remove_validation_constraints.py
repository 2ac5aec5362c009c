from pathlib import Path

from django.db import migrations

RANGES = [
    "strength",
    "dexterity",
    "stamina",
    "charisma",
    "manipulation",
    "appearance",
    "perception",
    "intelligence",
    "wits",
    "alertness",
    "athletics",
    "brawl",
    "empathy",
    "expression",
    "subterfuge",
]
LIMITS = ["willpower", "temporary_willpower", "age", "apparent_age"]
RELAXED = (Path(__file__).parent / "relax_age_constraint.py").exists()


class Migration(migrations.Migration):
    """Takes the constraints of the characters away; transactions, locks and validation stay as they are."""

    dependencies = [("characters", "relax_age_constraint" if RELAXED else "0007_add_age_constraints")]
    operations = [
        migrations.RemoveConstraint("character", "characters_character_xp_non_negative"),
        *(migrations.RemoveConstraint("human", f"characters_human_{name}_range") for name in RANGES),
        *(migrations.RemoveConstraint("human", f"characters_human_{name}_limits") for name in LIMITS),
        migrations.RemoveConstraint("human", "characters_human_temp_not_exceeds_max"),
    ]
