"""Verifier "math": what must pass, what must fail, what is not an answer, what tries to stall it."""

import threading
import time

import pytest

from gradus.verifiers.base import SpecError, check_spec, verify
from gradus.verifiers.formula.extract import stated


def outcome(answer: str, expected: str, **spec) -> str:
    return verify("math", answer, {"expected": expected, **spec}).outcome


EQUAL = [
    ("0.5", "1/2"),
    (r"50\%", "1/2"),
    (r"50\%", "50"),
    ("1{,}234", "1234"),
    ("1,234", "1234"),
    (r"\$5", "5"),
    (r"2\frac{1}{2}", "5/2"),
    ("2 1/2", "2.5"),
    (r"\frac12", "0.5"),
    (r"-\dfrac{3}{4}", "-0.75"),
    (r"\sqrt{8}", r"2\sqrt2"),
    (r"\frac{1}{\sqrt[3]{4}}", "2^{-2 / 3}"),
    ("x=5", "5"),
    (r"5 \text{ cm}", "5"),
    (r"90^\circ", "90"),
    (r"12^{\text{th}}", "12"),
    (r"3 \text{ Hours}", r"3 \text{ hour}"),
    ("−3", "-3"),
    ("1e3", "1000"),
    ("0.3333333333", "1/3"),
    ("twelve", "12"),
    ("(x+1)^2", "x^2+2x+1"),
    (r"\sin^2 x", r"1-\cos^2 x"),
    ("a^{m+n}", "a^m a^n"),
    ("|x-1|", "|1-x|"),
    (r"e^{i\pi}", "-1"),
    (r"\log_2 8", "3"),
    (r"\binom{5}{2}", "10"),
    ("5!", "120"),
    (r"\tan^{-1}(1)", r"\pi/4"),
    ("2,1", "1,2"),
    (r"3\pm\sqrt2", r"3+\sqrt2, 3-\sqrt2"),
    ("(-\\infty, 3)", "x<3"),
    (r"x \in [1,2]", r"1\le x\le 2"),
    (r"(-\infty,1)\cup(2,\infty)", "x<1 or x>2"),
    ("y=2x+1", "2x-y+1=0"),
    ("f(z)=z", "f(x)=x"),
    ("(x, y) = (1, 2)", "(1,2)"),
    (r"\begin{pmatrix}-\frac13\\ 2\end{pmatrix}", r"\begin{bmatrix}-1/3 \\ 2\end{bmatrix}"),
    (r"\text{Even}", "even"),
    (r"\emptyset", r"\{\}"),
]
DIFFERENT = [
    ("1/2^98", "1/2^99"),
    (r"\frac{\sqrt{2}}{2^{200}}", r"\frac{\sqrt{2}}{2^{201}}"),
    ("1.6e-19", "9.1e-31"),
    ("10^{20}+1", "10^{20}"),
    ("5", "5.0001"),
    ("5.0001", "5"),
    ("0.333", "1/3"),
    ("3.14159", r"\pi"),
    ("5 km/s", "5 m/s"),
    ("10m", "10"),
    ("40 a, 50 b", "40 a, 60 b"),
    ("101", "101_2"),
    (r"0.5\%", "0.5"),
    (r"\sqrt{2}", r"-\sqrt{2}"),
    ("2", r"\pm 2"),
    (r"\pm 2", "2"),
    ("(2,1)", "(1,2)"),
    (r"\{1,2\}", "(1,2)"),
    ("[1,2)", "(1,2)"),
    ("1,2,3", "1,2"),
    ("5 or 6", "5"),
    ("k>-5", r"(-\infty,-5)"),
    (r"x\le 5", "x<5"),
    (r"\infty", r"-\infty"),
    ("y=3x", "y=2x"),
    ("x^3", "x^2"),
    ("x", "y"),
    ("1-i", "1+i"),
    ("0", "1/10^{60}"),
    ("100!", "101!"),
    (r"\text{odd}", r"\text{even}"),
    ("1 2", "12"),
    (r"5 \text{ mW}", r"5 \text{ MW}"),
    (r"5 \text{ s}", r"5 \text{ m}"),
    ("|x|", "x"),
    (r"\sqrt{x^2}", "x"),
    (r"\lfloor x \rfloor", "x"),
]


@pytest.mark.parametrize(("got", "expected"), EQUAL)
def test_equal_answers_pass(got, expected):
    assert outcome(rf"So \boxed{{{got}}}.", expected) == "pass"


@pytest.mark.parametrize(("got", "expected"), DIFFERENT)
def test_different_answers_fail(got, expected):
    assert outcome(rf"So \boxed{{{got}}}.", expected) == "fail"


@pytest.mark.parametrize(
    ("answer", "expected", "wanted"),
    [
        ("The area is 12, so the final answer is $\\frac{3}{4}$.", "3/4", "pass"),
        ("3 + 4 = 7\n#### 1,200", "1200", "pass"),
        ("x = 3 so y = 4", "4", "pass"),
        ("I think it is 7.", "7", "pass"),
        ("**Answer:** 42", "42", "pass"),
        ("So, the answer is 18 dollars", "18", "pass"),
        ("the final answer is $5$. I hope so.\n\\boxed{6}", "6", "pass"),
        ("the final answer is $5$. I hope so.\n\\boxed{6}", "5", "fail"),
        ("\\boxed{5}. Wait, no:\n\\boxed{6}", "5", "fail"),
        ("The roots are $x = 2$ or $x = -3$.", "\\{-3, 2\\}", "pass"),
        ("The primes are $2$, $3$ and $5$.", "2, 3, 5", "pass"),
        ("The answer is $2$ or $3$.", "3", "fail"),
        ("It is 2 or 3", "3", "fail"),
        ("either \\boxed{5} or \\boxed{6}", "6", "fail"),
        ("\\boxed{5 \\text{ or } 6}", "6", "fail"),
        ("it is between 3-5", "-5", "fail"),
        ("I have no idea", "7", "unparseable"),
        ("Final Answer: The final answer is $7$. I hope it is correct.", "7", "pass"),
        ("\\boxed{7}. The final answer is correct.", "7", "pass"),
        ("The final answer is $6$. No, it is $7$.", "6", "fail"),
        ("The answer is 7 because 3 + 4 = 7", "7", "pass"),
        ("So the answer is 3 + 4 = 7.", "7", "pass"),
        ("It is not 5 but 7", "7", "pass"),
        ("\\boxed{\\boxed{7}}", "7", "pass"),
        ("\\boxed{3} papers and \\boxed{7} bins", "3, 7", "pass"),
        ("\\boxed{3}, thus \\boxed{7}", "7", "pass"),
        ("The answer cannot be 7", "7", "unparseable"),
        ("7 is not the answer", "7", "unparseable"),
        ("Is it 7? No.", "7", "unparseable"),
        ("The answer is 7? 9?.", "7", "unparseable"),
        ("room A7B", "7", "unparseable"),
        ("\\boxed{not 7}", "7", "fail"),
        ("\\boxed{anything but 7}", "7", "fail"),
        ("\\boxed{at least 7}", "7", "fail"),
        ("\\boxed{7 or more}", "7", "fail"),
        ("\\boxed{7 squared}", "7", "fail"),
        ("\\boxed{7 to 9}", "7", "fail"),
        ("\\boxed{}", "7", "unparseable"),
        ("", "7", "unparseable"),
    ],
)
def test_the_last_stated_answer_counts(answer, expected, wanted):
    assert outcome(answer, expected) == wanted


def test_nested_braces_belong_to_the_box():
    assert stated(r"thus \boxed{\frac{1}{\sqrt{2}}} holds") == r"\frac{1}{\sqrt{2}}"


def test_tolerance_is_relative_and_only_where_asked():
    assert outcome(r"\boxed{85.71}", "600/7") == "fail"
    assert outcome(r"\boxed{85.71}", "600/7", tolerance=1e-3) == "pass"
    assert outcome(r"\boxed{86}", "600/7", tolerance=1e-3) == "fail"


@pytest.mark.parametrize(
    ("got", "expected", "reason", "score"),
    [
        ("3/4", "0.8", "got 3/4, expected 0.8: differs by 0.05", 0),
        ("-5", "5", "got -5, expected 5: the sign is wrong", 0),
        (r"1+\sqrt{2}", "2", r"got 1+\sqrt{2}, expected 2: differs by 0.414", 0),
        ("2, 5", "2, 5, 7", "got 2, 5, expected 2, 5, 7: 2 of 3 values right: 7 is missing", 2 / 3),
        (
            "2, 5, 7, 9",
            "2, 5, 7",
            "got 2, 5, 7, 9, expected 2, 5, 7: 3 of 4 values right: 9 should not be there",
            3 / 4,
        ),
        ("(1, 3)", "(1, 2)", "got (1, 3), expected (1, 2): 1 of 2 values right", 1 / 2),
        ("[1, 2)", "[1, 2]", "got [1, 2), expected [1, 2]: the interval's right end is open, expected closed", 1 / 2),
        (r"5 \text{ s}", r"5 \text{ m}", r"got 5 \text{ s}, expected 5 \text{ m}: the unit is s, expected m", 0),
        ("x^2+", "x^2", "got x^2+, expected x^2: the answer cannot be read as mathematics", 0),
    ],
)
def test_the_reason_says_what_to_mend(got, expected, reason, score):
    verdict = verify("math", rf"\boxed{{{got}}}", {"expected": expected})
    assert (verdict.outcome, verdict.reason) == ("fail", reason)
    assert verdict.score == pytest.approx(score)


@pytest.mark.parametrize(
    ("got", "expected", "order_matters", "wanted"),
    [
        ("2,1", "1,2", None, "pass"),
        ("2,1", "1,2", True, "fail"),
        ("1,2", "1,2", True, "pass"),
        ("(2,1)", "(1,2)", None, "fail"),
        ("(2,1)", "(1,2)", False, "pass"),
        ("(2,2)", "(1,2)", False, "fail"),
        ("5, 32", "a = 5, b = 32", None, "pass"),
        ("32, 5", "a = 5, b = 32", None, "fail"),
        ("b = 32, a = 5", "a = 5, b = 32", None, "pass"),
    ],
)
def test_order_counts_as_the_notation_or_the_spec_says(got, expected, order_matters, wanted):
    assert outcome(rf"\boxed{{{got}}}", expected, order_matters=order_matters) == wanted


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        ("50", "pass"),
        (r"50 \text{ cm}", "pass"),
        (r"0.5 \text{ m}", "pass"),
        ("0.5", "fail"),
        (r"50 \text{ m}", "fail"),
    ],
)
def test_units_names_the_unit_of_the_expected_value(got, wanted):
    assert outcome(rf"\boxed{{{got}}}", "50", units="cm") == wanted


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        ("B", "pass"),
        ("(B)", "pass"),
        (r"\textbf{(B)}", "pass"),
        ("B. 42", "pass"),
        ("42", "pass"),
        (r"\frac{84}{2}", "pass"),
        ("A", "fail"),
        ("41", "fail"),
        ("B. 41", "fail"),
        ("A or B", "fail"),
        ("43", "fail"),
    ],
)
@pytest.mark.parametrize("expected", ["B", "42"])
def test_an_option_is_named_by_letter_or_text(got, expected, wanted):
    assert outcome(rf"\boxed{{{got}}}", expected, choices=["41", "42", "40"]) == wanted


HOSTILE = [
    "9^{9^9}",
    "9^{9^{9^{9^9}}}",
    "100000000!",
    "x!!!!!!",
    "7^{3e7}",
    "10^{-10^{10}}",
    "(1+2i)^{1000000}",
    r"\sin(10^{10^{10}})",
    r"\binom{10000000}{5000000}",
    "e^{e^{e^{e^e}}}",
    "(" * 300 + "1" + ")" * 300,
    "-" * 900 + "1",
    "1+" * 50_000 + "1",
    r"\[" * 20_000,
    r"\boxed{" * 5_000,
    r"\sqrt{" * 300 + "2" + "}" * 300,
    "{" * 4_000,
    "9" * 50_000,
    " " * 100_000,
    "1," * 30_000,
    '__import__("os").system("true")',
    "1e99999999",
    "1e999",
    r"\sum_{k=1}^{100000000} k",
    r"\sum_{k=1}^{1999} \sum_{j=1}^{1999} \sqrt{jk}",
    r"\int_0^1 \sum_{k=1}^{500} x^k dx",
    ",".join(f"\\sqrt{{{n}}}" for n in range(150)),
    ",".join(map(str, range(500))),
    r"\begin{pmatrix}1&2\\3&4\end{pmatrix}" * 60,
    r"\begin{pmatrix}"
    + r"\\".join("&".join(f"\\sqrt{{{i * j}}}" for i in range(12)) for j in range(12))
    + r"\end{pmatrix}",
    r"\tanh(1e80)",
    r"\tan(" * 30 + "1" + ")" * 30,
    "+".join(f"\\frac{{1}}{{{10**9 + n}}}" for n in range(200)),
    r"\{x\mid x>" * 20 + "1" + r"\}" * 20,
    "\\" * 60_000,
    "5!!!!",
    "5%%%%",
    r"\pm 1 " * 100,
]


@pytest.mark.parametrize("expected", ["5", "x^2+1", r"1, \sqrt{2}"])
def test_hostile_answers_neither_pass_nor_stall(expected):
    for text in HOSTILE:
        for answer in (text, rf"\boxed{{{text}}}", f"the answer is {text}"):
            start = time.process_time()
            assert outcome(answer, expected) in {"fail", "unparseable"}, text[:40]
            assert time.process_time() - start < 0.25, text[:40]


def test_it_works_in_any_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(outcome(r"\boxed{\sqrt{8}}", r"2\sqrt{2}")))
    thread.start()
    thread.join()
    assert found == ["pass"]


USELESS = [
    {"expected": "5", "tolerance": True},
    {"expected": "5", "order_matters": 1},
    {"expected": "5", "units": ""},
    {"expected": "5", "choices": "AB"},
    {"expected": "5", "choices": ["5"]},
    {"expected": "D", "choices": ["4", "5"]},
    {"expected": "5", "unknown": 1},
]


@pytest.mark.parametrize("spec", [{"expected": ""}, {"expected": 5}, {"expected": "5", "tolerance": 2}, {}, *USELESS])
def test_a_useless_spec_is_refused(spec):
    with pytest.raises(SpecError):
        check_spec("math", spec)
