"""The page in a real browser: what is shown, by keyboard, without errors, and with nothing of a text ever run."""

import json
import re
from pathlib import Path

import pytest

from gradus.engine.store import open_snapshot
from tests.api.guarded import token_of
from tests.api.web.page_workspace import PROBES

pytestmark = pytest.mark.slow
SECTIONS = ["overview", "lengths", "fit", "problems", "traces", "sql", "manifests", "runs", "jobs", "reference"]


def rows(site, query: str) -> list[dict]:
    with open_snapshot(site.workspace) as store:
        return store.rows(query)


def one(site, table: str, where: str = "true") -> str:
    return rows(site, f"SELECT id FROM {table} WHERE {where} LIMIT 1")[0]["id"]


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_shows_itself_without_errors(watched, section):
    tab = watched.show(section)
    assert tab.locator("h1").count() == 1
    assert tab.locator("main .error:visible").count() == 0
    assert tab.locator("nav a[aria-current=page]").get_attribute("href") == f"#/{section}"
    assert watched.problems == []


@pytest.mark.parametrize("width", [360, 800, 1280])
@pytest.mark.parametrize("section", SECTIONS)
def test_no_section_is_wider_than_the_screen(browser, site, section, width):
    from tests.api.web.conftest import Watched

    watched = Watched(browser, site.url, viewport={"width": width, "height": 700})
    tab = watched.show(section)
    assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    watched.context.close()


def test_the_overview_shows_rates_with_n_and_interval(watched):
    cell = watched.show("overview").locator("table.heat").first.locator("tbody td").first
    assert re.fullmatch(r"\d+%\s*\d+%–\d+%\s*n = \d+", cell.inner_text())


def test_the_difference_of_a_failed_answer_and_its_correction_is_marked(watched, site):
    trace = one(site, "traces", "kind = 'correction'")
    tab = watched.show(f"trace/{trace}")
    failed, corrected = tab.locator(".compare > div").all()
    assert failed.locator(".state").inner_text() == "fail"
    assert corrected.locator(".state").inner_text() == "pass"
    assert "expected" in failed.locator(".verdict").inner_text()
    marked = [failed.locator("del").all_inner_texts(), corrected.locator("ins").all_inner_texts()]
    assert all(marked)
    assert not set(marked[0]) & set(marked[1])
    assert failed.locator("ins").count() == corrected.locator("del").count() == 0
    (known,) = rows(
        site,
        "SELECT failed.answer AS failed, fixed.answer AS fixed FROM traces "
        "JOIN attempts AS failed ON failed.id = traces.failed_attempt_id "
        f"JOIN attempts AS fixed ON fixed.id = traces.attempt_id WHERE traces.id = '{trace}'",
    )
    assert failed.locator("pre").text_content() == known["failed"]
    assert corrected.locator("pre").text_content() == known["fixed"]


def test_lineage_goes_from_the_problem_to_the_trace(watched, site):
    tab = watched.show(f"trace/{one(site, 'traces', 'failed_attempt_id IS NOT NULL')}")
    steps = tab.locator("ol.lineage > li > strong").all_inner_texts()
    order = [steps.index(step) for step in ("Problem", "Failed attempt", "Correction", "Trace")]
    assert order == sorted(order)


DIFFERENCES = [
    ("a b c", "a x c", [["same", "a "], ["del", "b"], ["ins", "x"], ["same", " c"]]),
    ("", "new", [["ins", "new"]]),
    ("old", "", [["del", "old"]]),
    ("same", "same", [["same", "same"]]),
    (
        "the red fox runs",
        "the blue dog runs",
        [["same", "the "], ["del", "red fox"], ["ins", "blue dog"], ["same", " runs"]],
    ),
]


@pytest.mark.parametrize(("before", "after", "want"), DIFFERENCES)
def test_words_are_compared(watched, before, after, want):
    assert compared(watched, before, after) == want


def compared(watched, before: str, after: str) -> list:
    watched.show("overview")
    script = "async ([a, b]) => (await import('/web/words.js')).difference(a, b)"
    return watched.tab.evaluate(script, [before, after])


@pytest.mark.parametrize("size", [50, 3000, 40_000])
def test_a_difference_holds_both_texts_whole_however_long_they_are(watched, size):
    before = "".join(f"line {i}: {i} + {i} = {2 * i}\n" for i in range(size))
    after = before.replace("line 7: ", "row 7: ").replace(f"= {2 * size - 2}\n", "= nothing\n")
    parts = compared(watched, before, after)
    assert "".join(text for kind, text in parts if kind != "ins") == before
    assert "".join(text for kind, text in parts if kind != "del") == after
    assert sum(len(text) for kind, text in parts if kind != "same") < 200


@pytest.mark.parametrize("view", ["problems", "traces?kind=correction", "problem", "trace", "sql", "diff"])
def test_texts_that_try_to_be_html_stay_text(watched, site, view):
    spoilt = one(
        site,
        "problems",
        "contains(prompt, 'onerror') AND id IN (SELECT problem_id FROM traces WHERE kind = 'correction')",
    )
    places = {"problem": f"problem/{spoilt}", "trace": f"trace/{one(site, 'traces', f_where(spoilt))}"}
    if view == "diff":
        a, b = [path.stem for path in site.workspace.manifests.glob("*.json")]
        places["diff"] = f"diff/{a}/{b}"
    tab = watched.show(places.get(view, view))
    if view == "sql":
        tab.fill(
            "#sql",
            "SELECT answer FROM attempts WHERE contains(answer, 'pwned') UNION ALL SELECT prompt FROM problems",
        )
        tab.keyboard.press("Control+Enter")
        tab.wait_for_selector("section table tbody tr")
    tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    tab.wait_for_timeout(200)
    assert watched.pwned is None
    assert tab.locator("main script, main svg[onload], main img, main a[href^=javascript]").count() == 0
    assert watched.problems == []
    if view in ("problem", "trace", "sql"):
        assert any(probe in tab.locator("main").inner_text() for probe in PROBES)


def f_where(problem: str) -> str:
    return f"kind = 'correction' AND problem_id = '{problem}'"


def test_an_address_that_tries_to_be_html_stays_text(watched):
    tab = watched.show(
        "problems?text="
        + "%3Cscript%3Ewindow.pwned=1%3C/script%3E&tag=%22%3E%3Cimg%20src=x%20onerror=window.pwned=2%3E"
    )
    assert watched.pwned is None
    assert tab.locator("input[name=text]").input_value() == "<script>window.pwned=1</script>"
    tab.goto(f"{watched.url}/#/%3Cimg%20src=x%20onerror=window.pwned=3%3E")
    tab.wait_for_selector("main .error")
    assert watched.pwned is None


def test_the_policy_refuses_a_script_in_the_page(watched):
    tab = watched.show("overview")
    tab.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.pwned = 9'; document.body.append(s)"
    )
    assert watched.pwned is None
    assert any("Content Security Policy" in problem for problem in watched.problems)


def focused(tab) -> str:
    return tab.evaluate("document.activeElement.textContent.trim()")


def test_the_keyboard_alone_leads_from_the_start_to_a_trace_and_back(watched):
    tab = watched.show("overview")
    tab.keyboard.press("Tab")
    assert focused(tab) == "Skip to the content"
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"
    tab.keyboard.press("g")
    tab.keyboard.press("t")
    tab.wait_for_url("**/#/traces")
    watched.settled()
    assert focused(tab) == "Traces"
    tab.keyboard.press("j")
    tab.keyboard.press("j")
    second = tab.evaluate("[...document.querySelectorAll('[data-row]')].indexOf(document.activeElement)")
    assert second == 1
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    tab.keyboard.press("x")
    assert tab.locator("tbody input:checked").count() == 1
    assert tab.locator("details.panel").get_attribute("open") is not None
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/#/trace/*")
    watched.settled()
    first = tab.url
    tab.keyboard.press("j")
    tab.wait_for_function("url => location.href !== url", arg=first)
    watched.settled()
    tab.keyboard.press("k")
    tab.wait_for_url(first)
    watched.settled()
    tab.keyboard.press("c")
    assert tab.evaluate("document.activeElement.name") == "action"
    assert watched.problems == []


def test_the_keys_are_explained(watched):
    tab = watched.show("overview")
    tab.keyboard.press("?")
    assert "next page" in tab.locator("#keys").inner_text()
    tab.keyboard.press("Escape")
    assert not tab.locator("#keys").is_visible()


def test_typing_into_a_field_is_no_shortcut(watched):
    tab = watched.show("problems")
    tab.keyboard.press("/")
    tab.keyboard.type("gt?")
    assert tab.locator("input[name=text]").input_value() == "gt?"
    assert tab.url.endswith("#/problems")


def test_pages_follow_each_other_until_the_last(watched):
    tab, seen = watched.show("problems"), []
    for _ in range(5):
        watched.settled()
        seen += tab.eval_on_selector_all("[data-row]", "links => links.map(link => link.hash)")
        if not tab.locator("[data-next]").count():
            break
        address = tab.url
        tab.keyboard.press("n")
        tab.wait_for_function("url => location.href !== url", arg=address)
        tab.wait_for_selector("main:not([aria-busy])")
    assert len(seen) == len(set(seen)) == 150


def test_filters_stand_in_the_address_and_come_back_from_it(watched):
    tab = watched.show("problems")
    tab.select_option("select[name=domain]", "tool")
    tab.click("form.filters button.main")
    tab.wait_for_url("**/#/problems?domain=tool")
    watched.settled()
    assert tab.locator("[data-row]").count() == 10
    tab.reload()
    watched.settled()
    assert tab.locator("select[name=domain]").input_value() == "tool"
    assert tab.locator("[data-row]").count() == 10


def test_two_attempts_that_are_marked_are_compared(watched, site):
    problem = rows(site, "SELECT problem_id FROM traces WHERE kind = 'correction' LIMIT 1")[0]["problem_id"]
    tab = watched.show(f"problem/{problem}")
    tab.locator(".attempt:has(.fail) input").first.check()
    tab.locator(".attempt:has(.pass) input").first.check()
    assert tab.locator(".compare .state").all_inner_texts() == ["fail", "pass"]
    assert tab.locator("del").count() > 1


def test_a_problem_is_excluded_with_a_reason_and_restored(watched_own, own_site):
    problem = one(own_site, "problems")
    tab = watched_own.show(f"problem/{problem}")
    for action, state in (("exclude", True), ("restore", False)):
        tab.select_option("select[name=action]", action)
        tab.fill("input[name=reason]", f"to {action} it <b>")
        tab.click("[data-curate] button.main")
        tab.wait_for_selector(f"td:text('to {action} it <b>')", timeout=20_000)
        assert tab.locator(".state.excluded").count() == int(state)
    assert watched_own.problems == []
    said = rows(own_site, f"SELECT action, reason FROM labels WHERE record_id = '{problem}' ORDER BY \"at\"")
    assert [row["action"] for row in said] == ["exclude", "restore"]


def test_several_traces_are_weighed_at_once_and_a_filter_means_all_of_its_pages(watched_own, own_site):
    tab = watched_own.show("traces?domain=math&kind=cot")
    tab.locator("tbody input").nth(0).check()
    tab.locator("tbody input").nth(1).check()
    apply(tab, "weight", "2", "clear")
    assert "2 of 2 traces changed" in tab.locator("[data-curate] .done").inner_text()
    tab.check("label.across input")
    apply(tab, "label", "seen", "looked at")
    (known,) = rows(own_site, "SELECT count(*) AS n FROM traces WHERE kind = 'cot' AND domain = 'math'")
    assert f"{known['n']} of {known['n']} traces changed" in tab.locator("[data-curate] .done").inner_text()
    labelled = rows(own_site, "SELECT count(*) AS n FROM curated WHERE list_contains(labels, 'seen')")
    assert labelled[0]["n"] == known["n"] > 50


def apply(tab, action: str, value: str, reason: str) -> None:
    tab.select_option("select[name=action]", action)
    tab.fill("input[name=value]", value)
    tab.fill("input[name=reason]", reason)
    with tab.expect_response("**/v1/labels", timeout=30_000):
        tab.click("[data-curate] button.main")
    tab.wait_for_selector("[data-curate] .done")


def test_curation_without_a_reason_is_not_sent(watched, site):
    tab = watched.show(f"problem/{one(site, 'problems')}")
    asked = []
    tab.on("request", lambda request: asked.append(request.method))
    tab.click("[data-curate] button.main")
    tab.wait_for_timeout(200)
    assert "POST" not in asked


def ask(tab, sql: str) -> None:
    tab.fill("#sql", sql)
    with tab.expect_response("**/v1/sql"):
        tab.keyboard.press("Control+Enter")
    tab.wait_for_selector("[aria-live] .note, [aria-live] .error")


def test_sql_is_answered_with_a_table_and_a_chart(watched, site):
    tab = watched.show("sql")
    ask(tab, "SELECT domain, count(*) AS n, [1, 2] AS pair FROM problems GROUP BY 1 ORDER BY 1")
    assert tab.locator("[aria-live] tbody tr").count() == 5
    assert tab.locator("[aria-live] tbody tr").first.inner_text().split() == ["code", "30", "[1,2]"]
    for kind, mark in (("bars", "rect.filled"), ("line", "polyline"), ("scatter", "circle.filled")):
        tab.select_option("[aria-live] select >> nth=0", kind)
        assert tab.locator(f"[aria-live] svg.chart {mark}").count() > 0
    assert watched.problems == []


def test_bad_sql_is_told_and_nothing_else_breaks(watched):
    tab = watched.show("sql")
    ask(tab, "SELECT nothing FROM problems")
    assert "nothing" in tab.locator("[aria-live] .error").inner_text()
    assert all("422" in problem for problem in watched.problems)


def test_parameters_get_fields_and_are_bound(watched):
    tab = watched.show("sql")
    tab.fill("#sql", "SELECT id, domain FROM problems WHERE domain = $domain AND $num > 1 AND '$no' <> '' LIMIT $num")
    assert tab.locator("label:has-text('$') input").count() == 2
    tab.fill("input[name=domain]", "stem")
    tab.fill("input[name=num]", "3")
    tab.click("text=Ask (Ctrl+Enter)")
    tab.wait_for_selector("[aria-live] tbody tr")
    assert tab.locator("[aria-live] tbody td:nth-child(2)").all_inner_texts() == ["stem"] * 3


def test_a_query_is_saved_chosen_and_deleted(watched_own):
    tab = watched_own.show("sql")
    tab.fill("#sql", "SELECT prompt FROM problems WHERE domain = $domain LIMIT 2")
    tab.fill("input[name=domain]", "code")
    tab.click("text=Save this query")
    tab.fill("input[name=name]", "two-prompts")
    tab.fill("input[name=description]", "Two of them <i>")
    tab.click("button:text-is('Save')")
    tab.wait_for_url("**/#/sql?saved=two-prompts")
    watched_own.settled()
    assert "Two of them <i>" in tab.locator("main").inner_text()
    assert tab.locator("input[name=domain]").input_value() == "code"
    tab.click("text=Save this query")
    tab.click("text=Delete two-prompts")
    tab.wait_for_url("**/#/sql")
    watched_own.settled()
    assert tab.locator("option:text-is('two-prompts')").count() == 0
    assert watched_own.problems == []


@pytest.mark.parametrize(("name", "start"), [("CSV", b"x"), ("Parquet", b"PAR1"), ("NDJSON", b'{"x"')])
def test_an_answer_is_saved_as_a_file(watched, name, start):
    tab = watched.show("sql")
    tab.fill("#sql", "SELECT 1 AS x")
    with tab.expect_download() as download:
        tab.click(f"button:text-is('{name}')")
    assert Path(download.value.path()).read_bytes().startswith(start)


def test_two_manifests_are_compared_in_words(watched):
    tab = watched.show("manifests")
    tab.click("text=Compare")
    tab.wait_for_url("**/#/diff/**")
    watched.settled()
    assert "traces added" in tab.locator("main").inner_text()
    assert watched.problems == []


def test_a_manifest_shows_its_stages(watched, site):
    (newest,) = [path for path in site.workspace.manifests.glob("*.json") if "1024" in path.read_text()]
    tab = watched.show(f"manifest/{newest.stem}")
    assert tab.locator("main table").first.locator("tbody tr").count() == 2
    assert json.loads(tab.locator("details pre").text_content())["name"] == "apples"


def test_curves_grow_while_a_run_goes_on(watched_own, own_site):
    folder = own_site.workspace.runs / "live"
    folder.mkdir()
    (folder / "run.json").write_text('{"state": "running", "kind": "sft", "step": 2}')
    (folder / "metrics.jsonl").write_text('{"step": 1, "loss": 3.0}\n{"step": 2, "loss": 2.5}\n')
    tab = watched_own.show("run/live")
    assert "step 2" in tab.locator("main").inner_text()
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"step": 3, "loss": 2.0}\n')
    tab.wait_for_function(
        "() => document.querySelector('polyline').getAttribute('points').split(' ').length === 3", timeout=15_000
    )
    (folder / "run.json").write_text('{"state": "finished", "kind": "sft", "step": 3}')
    tab.wait_for_selector("text=Over.", timeout=15_000)
    assert tab.locator("main .state").inner_text() == "finished"


def test_the_theme_is_the_systems_until_another_is_chosen(browser, site):
    from tests.api.web.conftest import Watched

    watched = Watched(browser, site.url, color_scheme="dark")
    tab = watched.show("overview")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = tab.evaluate(ground)
    tab.click("#theme")
    assert tab.evaluate(ground) != dark
    tab.reload()
    watched.settled()
    assert tab.evaluate(ground) != dark
    watched.context.close()


def a_token(site, *scopes: str) -> str:
    return token_of(site.workspace, *scopes)["Authorization"].removeprefix("Bearer ")


def test_a_server_with_tokens_asks_for_one_until_it_fits_and_forgets_it_with_the_tab(watched_own, own_site):
    token = a_token(own_site, "read", "query")
    tab = watched_own.tab
    tab.goto(f"{own_site.url}/#/overview")
    tab.wait_for_selector("#token[open]")
    tab.fill("#token-value", "gradus_wrong")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#token-why:not(:empty)")
    tab.fill("#token-value", token)
    tab.keyboard.press("Enter")
    watched_own.settled()
    assert tab.locator("table.heat").count() > 0
    assert tab.evaluate("[localStorage.length, document.cookie, location.href.includes('gradus_')]") == [1, "", False]
    other = watched_own.context.new_page()
    other.goto(f"{own_site.url}/#/overview")
    other.wait_for_selector("#token[open]")


def test_what_a_token_may_not_do_is_told(watched_own, own_site):
    problem = one(own_site, "problems")
    tab = watched_own.show("overview")
    token = a_token(own_site, "read")
    tab.evaluate("token => sessionStorage.setItem('gradus-token', token)", token)
    watched_own.show(f"problem/{problem}")
    tab.fill("input[name=reason]", "not mine to say")
    tab.click("[data-curate] button.main")
    tab.wait_for_selector("[data-curate] .error")
    assert "curate" in tab.locator("[data-curate] .error").inner_text()
    assert rows(own_site, "FROM labels") == []
