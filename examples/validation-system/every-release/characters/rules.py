"""The names of the rules: a field's own rule, and the field that a constraint speaks about."""

import re

from characters.traits import TRAITS

XP_RULE = "characters_character_xp_non_negative"
TEMP_RULE = "characters_human_temp_not_exceeds_max"
BOUNDED = ("willpower", "temporary_willpower", "age", "apparent_age")
_FIELD = re.compile(r"characters_(?:character|human)_(\w+)_(?:range|limits|non_negative)")


def range_rule(field):
    return f"characters_human_{field}_{'range' if field in TRAITS else 'limits'}"


def rule_of(field, code):
    """The rule behind a validation error of a field; where no constraint stands behind it, the error's own code."""
    if code in ("min_value", "max_value") and (field in TRAITS or field in BOUNDED):
        return range_rule(field)
    return code


def constraint_field(name):
    found = _FIELD.fullmatch(name)
    if found:
        return found[1]
    return "temporary_willpower" if name == TEMP_RULE else None
