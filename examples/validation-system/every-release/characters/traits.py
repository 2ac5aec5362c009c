ATTRIBUTES = (
    "strength",
    "dexterity",
    "stamina",
    "charisma",
    "manipulation",
    "appearance",
    "perception",
    "intelligence",
    "wits",
)
ABILITIES = ("alertness", "athletics", "brawl", "empathy", "expression", "subterfuge")
TRAITS = ATTRIBUTES + ABILITIES
