from characters.models.core.character import Character
from characters.models.core.human import Human
from characters.models.core.xp_spend import XPSpend

__all__ = ["Character", "Human", "XPSpend"]
