"""What is still to be attempted comes in batches, and leaves out just what was made."""

from gradus.engine import store as stores
from gradus.engine.sample import plan
from gradus.engine.store import open_store
from gradus.engine.unmade import Chosen


def keys(asks):
    return [(ask.problem_id, ask.sampler, ask.index) for ask in asks]


def test_every_attempt_is_asked_for_once_however_small_the_batches(world, monkeypatch):
    monkeypatch.setattr(stores, "BATCH_ROWS", 7)
    with open_store(world.workspace) as store:
        chosen = Chosen(store, "true")
        asked = keys(chosen.unmade(world.recipe.sample, "m"))
        assert len(asked) == len(set(asked)) == world.recipe.sample.planned(chosen.by_domain())
        assert set(asked) == set(keys(plan(store.problems(), world.recipe.sample, set())))


def test_what_was_made_is_not_asked_for_again(finished):
    with open_store(finished.workspace) as store:
        chosen = Chosen(store, "domain = $domain", {"domain": "math"})
        assert len(chosen) == len(list(chosen)) == 40
        assert list(chosen.unmade(finished.recipe.sample, finished.student)) == []
        assert len(list(chosen.unmade(finished.recipe.sample, "another"))) == 160
