"""`manage.py seed_dirty [--size N] [--decided | --clean]`: years of use, always the same rows.

--decided leaves out what people have to decide, --clean all that is wrong.
"""

import json
import random
from datetime import datetime, timezone

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from characters.models import Character, Human, XPSpend
from characters.traits import ABILITIES, ATTRIBUTES, TRAITS
from game.models import GAMELINES, Chronicle, Scene, STRelationship

LONG_AGO = datetime(2026, 1, 12, 9, tzinfo=timezone.utc)
NAMES = ["Ada", "Bela", "Cato", "Dora", "Emil", "Fenna", "Goran", "Hedda", "Ilja", "Juno", "Kai", "Lena", "Milo"]
PLACES = ["the harbour", "the old mill", "the north gate", "the opera", "the station", "the archive", "the bridge"]
WORN = {"willpower": 0, "temporary_willpower": 0}
FIXABLE = [
    ("owes five", {"xp": -5}),
    ("owes a hundred", {"xp": -100}),
    ("without strength", {"strength": 0}),
    ("too quick", {"dexterity": 11}),
    ("too alert", {"alertness": 12}),
    ("never learnt to fight", {"brawl": -1}),
    ("worn out", WORN),
    ("unbreakable", {"willpower": 11}),
    ("over-rested", {"willpower": 5, "temporary_willpower": 6}),
    ("not yet born", {"age": -3}),
]
FOR_PEOPLE = [
    ("a vampire of a thousand years", {"age": 1000}),
    ("a portrait in the attic", {"apparent_age": 250}),
    ("of unknown state", {"status": "zombie"}),
]
AT_THE_LIMITS = [
    ("lowest", {"xp": 0, **dict.fromkeys(ATTRIBUTES, 1), **dict.fromkeys(ABILITIES, 0), "willpower": 1}),
    ("highest", {**dict.fromkeys(TRAITS, 10), "willpower": 10, "temporary_willpower": 10}),
    ("newborn", {"age": 0, "apparent_age": 0}),
    ("oldest", {"age": 500, "apparent_age": 200}),
    ("ageless", {"age": None, "apparent_age": None}),
]


class Command(BaseCommand):
    help = "Fills an empty database"

    def add_arguments(self, parser):
        parser.add_argument("--size", type=int, default=300)
        parser.add_argument("--decided", action="store_true")
        parser.add_argument("--clean", action="store_true")

    @transaction.atomic
    def handle(self, size, decided, clean, **options):
        if Character.objects.exists():
            raise CommandError("there are characters already")
        self.dice = random.Random(20260112)
        self.players = [
            User.objects.create(username=f"player-{number}", date_joined=LONG_AGO) for number in range(1, 13)
        ]
        heroes = [self.hero(number) for number in range(size)]
        for name, values in AT_THE_LIMITS:
            Human.objects.create(name=name, **{"temporary_willpower": values.get("willpower", 3), **values})
        for name, values in [] if clean else FIXABLE if decided else FIXABLE + FOR_PEOPLE:
            Human.objects.create(name=name, **values)
        self.spends(heroes)
        self.scenes(heroes)
        self.storytellers(0 if clean else 1 if decided else 2)
        counts = {model.__name__: model.objects.count() for model in (Character, XPSpend, Scene, STRelationship)}
        self.stdout.write(json.dumps(counts))

    def hero(self, number):
        dice, willpower = self.dice, self.dice.randint(1, 10)
        return Human.objects.create(
            name=f"{dice.choice(NAMES)} of {dice.choice(PLACES)} {number + 1}",
            owner=dice.choice(self.players),
            status=dice.choice(["draft", "submitted", "approved", "approved", "retired"]),
            xp=dice.randint(0, 60),
            **{name: dice.randint(1, 5) for name in ATTRIBUTES},
            **{name: dice.randint(0, 5) for name in ABILITIES},
            willpower=willpower,
            temporary_willpower=dice.randint(0, willpower),
            age=dice.choice([None, dice.randint(16, 90), dice.randint(90, 500)]),
            apparent_age=dice.randint(16, 90),
        )

    def spends(self, heroes):
        for hero in heroes:
            if hero.status == "approved":
                XPSpend.objects.create(
                    character=hero, trait=self.dice.choice(TRAITS), cost=self.dice.randint(1, 8), status="approved"
                )
        XPSpend.objects.update(requested_at=LONG_AGO, decided_at=LONG_AGO)

    def scenes(self, heroes):
        chronicle = Chronicle.objects.create(name="The long winter")
        for number, (finished, given) in enumerate([(True, True)] * 3 + [(True, False)] * 2 + [(False, False)]):
            scene = Scene.objects.create(
                name=f"Evening {number + 1}", chronicle=chronicle, finished=finished, xp_given=given
            )
            scene.participants.set(self.dice.sample(heroes, min(5, len(heroes))))

    def storytellers(self, pairs):
        """One for each gameline; then a row that stands there twice, then two that contradict each other."""
        chronicle = Chronicle.objects.get()
        for player, gameline in zip(self.players, GAMELINES):
            STRelationship.objects.create(user=player, chronicle=chronicle, gameline=gameline)
        for notes in [("", ""), ("leads the table", "only stands in")][:pairs]:
            player = self.players[10 if notes[0] else 11]
            for note in notes:
                STRelationship.objects.create(user=player, chronicle=chronicle, gameline="mage", note=note)
