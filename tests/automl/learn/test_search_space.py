from __future__ import annotations

from automl.evidence import SearchedSetting
from automl.learn.families import USUAL, TableShape, family
from automl.learn.search_space import search_space


def test_the_space_has_every_setting_that_a_default_has() -> None:
    space = search_space(["linear", "lgbm", "trees"], "binary", USUAL)
    for name in ("linear", "lgbm", "trees"):
        mine = {one.name for one in space if one.family == name}
        assert set(family(name).defaults("binary")[0]) <= mine
    rate = next(one for one in space if (one.family, one.name) == ("lgbm", "learning_rate"))
    assert rate == SearchedSetting(family="lgbm", name="learning_rate", low=0.02, high=0.15, log=True)
    assert next(one for one in space if one.name == "extra_trees").choices == ("False", "True")


def test_a_large_table_has_a_space_of_its_own() -> None:
    small, large = (next(one for one in search_space(["lgbm"], "binary", TableShape(large=large)) if one.name == "num_leaves") for large in (False, True))
    assert small.high is not None
    assert large.high is not None
    assert small.high < large.high


def test_a_table_without_categories_is_not_asked_how_to_encode_them() -> None:
    names = [{one.name for one in search_space(["lgbm"], "binary", TableShape(categories=categories))} for categories in (True, False)]
    assert names[0] - names[1] == {"categories"}
