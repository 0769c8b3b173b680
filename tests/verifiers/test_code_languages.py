"""Programs in other languages, where this machine has the toolchain."""

import shutil

import pytest

from gradus.verifiers.base import verify
from gradus.verifiers.program.languages import language
from gradus.verifiers.program.languages.cpp import LANGUAGE as CPP

TESTS = [{"input": "1 2\n", "output": "3\n"}, {"input": "5 7\n", "output": "12"}]
TOOLS = {"cpp": "g++", "javascript": "node", "go": "go"}
SUMS = {
    "cpp": "#include <iostream>\nint main() { long a, b; std::cin >> a >> b; std::cout << a @ b << '\\n'; }",
    "javascript": 'const [a, b] = require("fs").readFileSync(0, "utf8").split(" ").map(Number);\nconsole.log(a @ b);',
    "go": 'package main\nimport "fmt"\nfunc main() {\n\tvar a, b int\n\tfmt.Scan(&a, &b)\n\tfmt.Println(a @ b)\n}',
}
ENDLESS = {
    "cpp": "int main() { volatile int x = 0; while (true) x++; }",
    "javascript": "while (true) {}",
    "go": "package main\nfunc main() { for {} }",
}
ESCAPES = {
    "cpp": "#include <cstdlib>\n#include <cstdio>\n"
    'int main() { fopen("/usr/x", "w"); system("touch /escape"); return 1; }',
    "javascript": 'require("child_process").execSync("touch /usr/x"); fetch("http://127.0.0.1:1/");',
    "go": 'package main\nimport "net"\n'
    'func main() { c, e := net.Dial("tcp", "1.1.1.1:53"); if e != nil { panic(e) }; _ = c }',
}


def judge(name: str, program: str, **spec):
    if shutil.which(TOOLS[name]) is None:
        pytest.skip(f"no {TOOLS[name]} here")
    answer = f"```{name}\n{program}\n```"
    return verify("code", answer, {"stdin_tests": TESTS, "language": name, **spec})


@pytest.mark.parametrize("name", [pytest.param("go", marks=pytest.mark.slow), "cpp", "javascript"])
def test_a_program_in_another_language_is_judged(name):
    right = judge(name, SUMS[name].replace("@", "+"))
    assert right.outcome == "pass", right
    wrong = judge(name, SUMS[name].replace("@", "*"))
    assert (wrong.outcome, wrong.score) == ("fail", 0.0)
    assert "printed '2', expected '3'" in wrong.reason


@pytest.mark.slow
@pytest.mark.parametrize("name", TOOLS)
def test_its_limits_hold(name):
    assert "no end within" in judge(name, ENDLESS[name], timeout_s=0.5).reason
    assert judge(name, ESCAPES[name]).outcome == "fail"


@pytest.mark.parametrize("name", ["cpp"])
def test_a_program_that_does_not_build_hears_why(name):
    verdict = judge(name, "int main() { return x; }")
    assert verdict.outcome == "fail"
    assert "was not declared" in verdict.reason


def test_a_machine_without_the_tool_says_what_to_install(monkeypatch):
    language.require.cache_clear()
    monkeypatch.setattr(language.shutil, "which", lambda *_, **__: None)
    verdict = verify("code", "```cpp\nint main() {}\n```", {"stdin_tests": TESTS, "language": "cpp"})
    language.require.cache_clear()
    assert verdict.outcome == "verifier_error"
    assert f"no {CPP.tool} on this machine" in verdict.reason


def test_an_answer_without_a_program_is_unparseable():
    assert verify("code", "", {"stdin_tests": TESTS, "language": "cpp"}).outcome in {"unparseable", "fail"}
