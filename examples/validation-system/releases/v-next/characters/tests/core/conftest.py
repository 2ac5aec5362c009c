import threading

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from characters.models import Human
from game.models import Chronicle, Scene
from tg.answers import constraint_name, sqlstate


@pytest.fixture
def human(db):
    return Human.objects.create(name="Ada", xp=10)


@pytest.fixture
def scene(human):
    """A finished scene of five."""
    others = [Human.objects.create(name=f"Guest {number}") for number in range(4)]
    scene = Scene.objects.create(name="Evening", chronicle=Chronicle.objects.create(name="Winter"), finished=True)
    scene.participants.set([human, *others])
    return scene


@pytest.fixture
def storyteller(db):
    return User.objects.create(username="storyteller")


@pytest.fixture
def refused_by():
    """The name of the constraint that refuses a write; None when it was accepted."""

    def attempt(write):
        try:
            with transaction.atomic():
                write()
        except IntegrityError as error:
            assert sqlstate(error) in ("23514", "23505")
            return constraint_name(error)

    return attempt


@pytest.fixture
def at_once():
    """Calls each function in a thread with a connection of its own; what it returned or raised."""

    def run(*calls):
        barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

        def one(place, call):
            try:
                barrier.wait()
                results[place] = call()
            except Exception as error:
                results[place] = error
            finally:
                connection.close()

        threads = [threading.Thread(target=one, args=pair) for pair in enumerate(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    return run
