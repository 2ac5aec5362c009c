"""What the release promises: 36 tests of attributes, 24 of abilities, 29 of everything else."""

import os

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from characters.models import Character, Human, XPSpend
from characters.rules import TEMP_RULE, XP_RULE, range_rule
from characters.traits import ABILITIES, ATTRIBUTES
from game.models import Chronicle, Scene, STRelationship
from tg import faults
from tg.refused import Refused

ST_RULE = "game_strelationship_one_for_each_gameline"


def write(human, **values):
    """Straight to the database, past the validation of the model."""
    return lambda: Human.objects.filter(pk=human.pk).update(**values)


def complaints(human, **values):
    for field, value in values.items():
        setattr(human, field, value)
    with pytest.raises(ValidationError) as caught:
        human.full_clean(validate_constraints=False, exclude=["character_ptr"])
    return list(caught.value.error_dict)


def become(character, *statuses):
    for status in statuses:
        character = type(character).change(character.pk, {"status": status})
    return character.status


@pytest.mark.parametrize("attribute", ATTRIBUTES)
class TestAttributes:
    def test_may_stand_on_both_limits(self, human, refused_by, attribute):
        assert refused_by(write(human, **{attribute: 1})) is None
        assert refused_by(write(human, **{attribute: 10})) is None

    def test_below_1_is_refused_by_the_database(self, human, refused_by, attribute):
        assert refused_by(write(human, **{attribute: 0})) == range_rule(attribute)

    def test_above_10_is_refused_by_the_database(self, human, refused_by, attribute):
        assert refused_by(write(human, **{attribute: 11})) == range_rule(attribute)

    def test_the_model_complains_before_the_database_does(self, human, attribute):
        assert complaints(human, **{attribute: 15}) == [attribute]
        assert complaints(human, **{attribute: 0}) == [attribute]


@pytest.mark.parametrize("ability", ABILITIES)
class TestAbilities:
    def test_may_stand_on_both_limits(self, human, refused_by, ability):
        assert refused_by(write(human, **{ability: 0})) is None
        assert refused_by(write(human, **{ability: 10})) is None

    def test_below_0_is_refused_by_the_database(self, human, refused_by, ability):
        assert refused_by(write(human, **{ability: -1})) == range_rule(ability)

    def test_above_10_is_refused_by_the_database(self, human, refused_by, ability):
        assert refused_by(write(human, **{ability: 11})) == range_rule(ability)

    def test_the_model_complains_before_the_database_does(self, human, ability):
        assert complaints(human, **{ability: 11}) == [ability]
        assert complaints(human, **{ability: -1}) == [ability]


class TestXP:
    def test_none_at_all_is_accepted(self, human, refused_by):
        assert refused_by(write(human, xp=0)) is None

    def test_below_0_is_refused_by_the_database(self, human, refused_by):
        assert refused_by(write(human, xp=-1)) == XP_RULE

    def test_the_model_complains_before_the_database_does(self, human):
        assert complaints(human, xp=-100) == ["xp"]


class TestWillpower:
    @pytest.mark.parametrize("value", [0, 11])
    def test_outside_1_to_10_is_refused(self, human, refused_by, value):
        refusal = refused_by(write(human, willpower=value, temporary_willpower=0))
        assert refusal == range_rule("willpower")

    def test_temporary_below_0_is_refused(self, human, refused_by):
        assert refused_by(write(human, temporary_willpower=-1)) == range_rule("temporary_willpower")

    def test_temporary_may_reach_willpower_but_not_exceed_it(self, human, refused_by):
        assert refused_by(write(human, willpower=5, temporary_willpower=5)) is None
        assert refused_by(write(human, willpower=5, temporary_willpower=6)) == TEMP_RULE

    def test_the_model_compares_both(self, human):
        assert complaints(human, willpower=5, temporary_willpower=6) == ["temporary_willpower"]


class TestAges:
    def test_both_may_be_unknown_or_on_their_limits(self, human, refused_by):
        for age, apparent in [(None, None), (0, 0), (500, 200)]:
            assert refused_by(write(human, age=age, apparent_age=apparent)) is None

    @pytest.mark.parametrize("age", [-1, 501])
    def test_an_age_outside_is_refused(self, human, refused_by, age):
        assert refused_by(write(human, age=age)) == range_rule("age")

    @pytest.mark.parametrize("age", [-1, 201])
    def test_an_apparent_age_outside_is_refused(self, human, refused_by, age):
        assert refused_by(write(human, apparent_age=age)) == range_rule("apparent_age")


class TestStatus:
    def test_the_whole_way_is_open(self, human):
        assert become(human, "submitted", "draft", "submitted", "approved", "retired") == "retired"

    @pytest.mark.parametrize("way", [["approved"], ["submitted", "approved", "draft"]])
    def test_no_step_is_left_out_and_none_goes_back(self, human, way):
        with pytest.raises(ValidationError) as caught:
            become(human, *way)
        assert caught.value.error_dict["status"][0].code == "status_transition"

    def test_nobody_retires_with_a_spend_that_waits(self, human):
        human.spend_xp("wits", 2)
        with pytest.raises(ValidationError) as caught:
            become(human, "submitted", "approved", "deceased")
        assert caught.value.error_dict["status"][0].code == "pending_spends"


class TestStorytellers:
    def test_one_gameline_has_one_storyteller_of_that_name(self, storyteller, refused_by):
        chronicle = Chronicle.objects.create(name="Winter")
        mage = {"user": storyteller, "chronicle": chronicle, "gameline": "mage"}
        STRelationship.objects.create(**mage)
        assert refused_by(lambda: STRelationship.objects.create(**mage, note="again")) == ST_RULE
        assert refused_by(lambda: STRelationship.objects.create(**{**mage, "gameline": "wraith"})) is None


class TestSpending:
    def test_takes_the_xp_and_leaves_a_spend_that_waits(self, human):
        spend = human.spend_xp("strength", 4)
        human.refresh_from_db()
        assert (human.xp, human.strength, spend.status) == (6, 1, XPSpend.PENDING)

    def test_more_than_there_is_is_refused(self, human):
        with pytest.raises(Refused) as caught:
            human.spend_xp("strength", 11)
        assert caught.value.rule == "xp_balance"
        assert (Character.objects.get(pk=human.pk).xp, XPSpend.objects.count()) == (10, 0)

    def test_approval_raises_the_trait_once(self, human, storyteller):
        spend = human.spend_xp("strength", 4)
        assert human.approve_xp_spend(spend.pk, storyteller)[1] == 2
        with pytest.raises(Refused):
            human.approve_xp_spend(spend.pk, storyteller)
        assert Human.objects.get(pk=human.pk).strength == 2

    def test_approval_does_not_raise_a_trait_past_its_limit(self, human):
        spend = human.spend_xp("strength", 4)
        Human.objects.filter(pk=human.pk).update(strength=10)
        with pytest.raises(Refused) as caught:
            human.approve_xp_spend(spend.pk)
        assert caught.value.rule == range_rule("strength")
        assert XPSpend.objects.get().status == XPSpend.PENDING


class TestAwards:
    def test_every_participant_gets_it_once(self, scene):
        assert scene.award_xp(3) == 5
        with pytest.raises(Refused) as caught:
            Scene.objects.get(pk=scene.pk).award_xp(3)
        assert caught.value.rule == "scene_awarded"
        assert sorted(scene.participants.values_list("xp", flat=True)) == [3, 3, 3, 3, 13]


class TestAllOrNothing:
    """A process that dies after one of its writes leaves none of them."""

    def test_spending(self, human, monkeypatch):
        dies_after(monkeypatch, 1)
        with pytest.raises(faults.InjectedFailure):
            human.spend_xp("wits", 4)
        assert (Character.objects.get(pk=human.pk).xp, XPSpend.objects.count()) == (10, 0)

    def test_approving(self, human, monkeypatch):
        spend = human.spend_xp("wits", 4)
        dies_after(monkeypatch, 1)
        with pytest.raises(faults.InjectedFailure):
            human.approve_xp_spend(spend.pk)
        assert (XPSpend.objects.get().status, Human.objects.get(pk=human.pk).wits) == (XPSpend.PENDING, 1)

    def test_awarding(self, scene, monkeypatch):
        dies_after(monkeypatch, 3)
        with pytest.raises(faults.InjectedFailure):
            scene.award_xp(3)
        assert sum(scene.participants.values_list("xp", flat=True)) == 10
        assert not Scene.objects.get(pk=scene.pk).xp_given


def dies_after(monkeypatch, writes):
    monkeypatch.setenv("FAIL_AFTER", str(writes))
    faults.begin()


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    """Real threads, each with a connection of its own."""

    def test_of_four_spends_that_only_one_can_pay_one_wins(self, human, at_once):
        results = at_once(*[lambda: Character.objects.get(pk=human.pk).spend_xp("wits", 8)] * 4)
        assert sorted(type(result).__name__ for result in results) == ["Refused"] * 3 + ["XPSpend"]
        assert (Character.objects.get(pk=human.pk).xp, XPSpend.objects.count()) == (2, 1)

    def test_of_four_awards_one_wins(self, scene, at_once):
        results = at_once(*[lambda: Scene.objects.get(pk=scene.pk).award_xp(3)] * 4)
        assert sorted(type(result).__name__ for result in results) == ["Refused"] * 3 + ["int"]
        assert sum(scene.participants.values_list("xp", flat=True)) == 10 + 5 * 3


def test_this_is_postgresql_and_a_database_of_its_own(db):
    assert not os.environ.get("ONE_BAD_TEST"), "ONE_BAD_TEST is set"
    assert connection.vendor == "postgresql"
    assert connection.settings_dict["NAME"].startswith("test_")
