"""Saved queries: checked before they are stored, bound by type, and found again."""

import pytest

from gradus.api.sql import saved
from gradus.api.sql.query import Limits, ask
from gradus.api.sql.saved import Parameter, SavedQuery
from gradus.errors import ConfigError, DataError

DOMAIN = Parameter(name="domain", type="text", description="only this one")
LIMIT = Parameter(name="limit", type="integer", required=False, default=3)
SQL = "SELECT id FROM problems\nWHERE domain = $domain -- not $other\nLIMIT $limit"
QUERY = SavedQuery(name="some-problems", sql=SQL, description="Some problems.", parameters=(DOMAIN, LIMIT))


def test_a_saved_query_is_found_as_it_was(spoilable):
    assert saved.save(spoilable.workspace, QUERY) == QUERY
    assert saved.find_query(spoilable.workspace, "some-problems") == QUERY
    assert QUERY in saved.list_queries(spoilable.workspace)


def test_its_file_can_be_read_by_people(spoilable):
    saved.save(spoilable.workspace, QUERY)
    text = (spoilable.workspace.root / "queries/some-problems.sql").read_text()
    head = "-- Some problems.\n-- $domain text: only this one\n-- $limit integer = 3\n"
    assert text == head + SQL + "\n"


def test_it_runs_with_its_defaults_and_with_other_values(spoilable):
    def run(**values):
        return ask(spoilable.workspace, QUERY.sql, saved.bind(QUERY, values), limits=Limits()).num_rows

    assert run(domain="math") == 3
    assert run(domain="math", limit=5) == 5
    assert run(domain="x' OR 'a' = 'a") == 0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "needs a value for 'domain'"),
        ({"domain": "math", "depth": 1}, "no parameter 'depth'. Known: domain, limit"),
        ({"domain": 1}, "domain is of type text, which 1 is not"),
        ({"domain": "math", "limit": "many"}, "limit is of type integer, which 'many' is not"),
        ({"domain": "math", "limit": 1.5}, "of type integer"),
        ({"domain": "math", "limit": True}, "of type integer"),
    ],
)
def test_values_that_do_not_fit_are_named(values, words):
    with pytest.raises(DataError, match=words.replace(".", r"\.")):
        saved.bind(QUERY, values)


@pytest.mark.parametrize(
    ("kind", "value", "bound"),
    [
        ("text", "10", "10"),
        ("integer", "10", 10),
        ("number", 1, 1),
        ("number", "0.5", 0.5),
        ("boolean", "true", True),
        ("texts", ["a"], ["a"]),
        ("texts", '["a", "b"]', ["a", "b"]),
        ("integer", None, None),
    ],
)
def test_a_value_becomes_its_type(kind, value, bound):
    query = SavedQuery(name="x", sql="", parameters=(Parameter(name="p", type=kind),))
    assert saved.bind(query, {"p": value}) == {"p": bound}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "../x"}, "is no name"),
        ({"name": "A"}, "is no name"),
        ({"name": ""}, "is no name"),
        ({"sql": "DROP TABLE problems", "parameters": ()}, "only a SELECT"),
        ({"sql": "SELECT * FROM read_text('x')", "parameters": ()}, "read_text"),
        ({"sql": "SELECT 1"}, "parameters"),
        ({"parameters": ()}, "parameters"),
        (
            {"parameters": (DOMAIN, Parameter(name="limit", type="integer", required=False, default="x"))},
            "of type integer",
        ),
    ],
)
def test_a_query_that_makes_no_sense_is_not_stored(spoilable, change, words):
    fields = {name: getattr(QUERY, name) for name in SavedQuery.__slots__}
    with pytest.raises(DataError, match=words):
        saved.save(spoilable.workspace, SavedQuery(**(fields | change)))
    assert not list((spoilable.workspace.root).glob("queries/*"))


def test_one_of_ours_can_be_hidden_but_not_deleted(spoilable):
    with pytest.raises(ConfigError, match="comes with Gradus"):
        saved.delete(spoilable.workspace, "funnel")
    saved.save(spoilable.workspace, SavedQuery(name="funnel", sql="SELECT 1 AS mine"))
    assert saved.find_query(spoilable.workspace, "funnel").sql == "SELECT 1 AS mine"
    assert [query.name for query in saved.list_queries(spoilable.workspace)].count("funnel") == 1
    saved.delete(spoilable.workspace, "funnel")
    assert saved.find_query(spoilable.workspace, "funnel").shipped


@pytest.mark.parametrize("name", ["nothing", "../funnel", "/etc/passwd", "funnel.sql", ""])
def test_a_name_that_is_none_is_refused(finished, name):
    with pytest.raises(ConfigError, match="no saved query"):
        saved.find_query(finished.workspace, name)


def test_parameters_are_inferred_from_the_values_of_a_try():
    inferred = saved.infer({"a": 1, "b": "x", "c": 0.5, "d": True, "e": ["y"]}, ["a", "b", "c", "d", "e", "f"])
    assert [one.type for one in inferred] == ["integer", "text", "number", "boolean", "texts", "text"]
    assert [one.required for one in inferred] == [False] * 5 + [True]


@pytest.mark.parametrize(
    ("line", "words"),
    [("-- $x colour = 1", "has the type 'colour'"), ("-- $x text = {", "the default of .x is not JSON")],
)
def test_a_file_that_somebody_wrote_wrongly_is_named(spoilable, line, words):
    folder = spoilable.workspace.root / "queries"
    folder.mkdir()
    (folder / "wrong.sql").write_text(f"{line}\nSELECT $x\n")
    with pytest.raises(DataError, match=words):
        saved.find_query(spoilable.workspace, "wrong")
