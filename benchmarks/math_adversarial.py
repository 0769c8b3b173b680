r"""Answers written to stall a mathematics verifier: (expected, answer), none of them right.

Classes: numbers too large to compute, expressions too large to expand or simplify, text too long or too
deep to read, text that makes a pattern backtrack, numbers that agree to many digits.
"""

from __future__ import annotations

_TOWER = "9^{9^{9^{9^{9^9}}}}"
_SUM = "+".join(f"x_{{{i}}}^{i}" for i in range(200))
_PRODUCT = "".join(f"(x+{i})" for i in range(120))
_MATRIX = (
    r"\begin{pmatrix}" + r"\\".join("&".join(f"x^{i}+{j}" for j in range(12)) for i in range(12)) + r"\end{pmatrix}"
)
_CONTINUED = "1+\\frac{1}{" * 150 + "2" + "}" * 150
_ROOTS = r"\sqrt{2+" * 150 + "2" + "}" * 150

TOO_LARGE = [
    ("5", "9^{9^9}"),
    ("5", _TOWER),
    ("5", "100000000!"),
    ("5", "10^6!"),
    ("5", "(10^6)!"),
    ("5", "((((9!)!)!)!)!"),
    ("x", "x!!!!!!!!"),
    ("5", "7^{3e7}"),
    ("5", "7^{-30000000}"),
    ("5", "10^{10^{10}}"),
    ("5", "10^{-10^{10}}"),
    ("5", "1e999999999"),
    ("5", "(1+2i)^{100000000}"),
    ("5", "0.99999999^{10^{12}}"),
    ("5", r"\left(\frac{123456789}{987654321}\right)^{99999}"),
    ("5", r"\binom{100000000}{50000000}"),
    ("5", r"\binom{10^{30}}{10^{29}}"),
    ("5", r"\sin(10^{10^{10}})"),
    ("5", r"\tan(10^{300})"),
    ("5", "e^{e^{e^{e^{e^e}}}}"),
    ("5", r"\ln\ln\ln\ln\ln 9^{9^{9^9}}"),
    ("5", r"\sqrt[1000000007]{2}"),
    ("5", r"2^{\sqrt[99999]{3}}"),
    ("5", r"\gcd(10^{4000}, 10^{3999}+1)"),
    ("5", r"\operatorname{lcm}(1,2,3,4,5,6,7,8,9,10,11,13,17,19,23)^{5000}"),
    ("5", r"\sum_{k=1}^{100000000} \frac{1}{k}"),
    ("5", r"\prod_{k=1}^{100000000} k"),
    ("5", r"\int_0^{1} e^{-x^2} \, dx"),
    ("101_2", "1" * 300 + "_{36}"),
    (r"10^{100000}", r"10^{100000}+1"),
    (r"2^{66000}", r"2^{66000}+1"),
    (r"\frac{1}{3^{20000}}", r"\frac{1}{3^{20001}}"),
]
TOO_MUCH = [
    (r"(x+1)^{300}", "(x+1)^{299}(x+2)"),
    (r"(x+y+z)^{100}", "(x+y+z)^{100}+1"),
    ("x", "((x+1)^{1000}+(x-1)^{1000})^{1000}"),
    ("x", _SUM),
    (_PRODUCT, _PRODUCT + "+1"),
    (_MATRIX, _MATRIX.replace("x^0+0", "x^0+1", 1)),
    (_CONTINUED, _CONTINUED.replace("2", "3", 1)),
    (_ROOTS, _ROOTS.replace("2+2", "2+3", 1)),
    (r"\sin x", r"\sin(\sin(" * 15 + "x" + "))" * 15),
    (r"\sqrt{2}+\sqrt{3}", "+".join(rf"\sqrt{{{n}}}" for n in range(2, 300))),
    (r"\sqrt{\sqrt{x}+1}", r"\sqrt[3]{\sqrt[5]{\sqrt[7]{x+1}+1}+1}"),
    ("x=1", r"x^{50}+\sin^{20} x+\ln^{9} x+e^{x^3} = \sqrt[7]{x^{49}+1}"),
    ("[0,1]", r" \cup ".join(f"[{i}, {i + 1})" for i in range(300))),
    (r"\{1\}", r"\{" + ",".join(map(str, range(500))) + r"\}"),
    (",".join(map(str, range(60))), ",".join(map(str, range(59, 0, -1)))),
    (",".join(rf"\sqrt{{{n}}}" for n in range(2, 62)), ",".join(rf"\sqrt{{{n}}}" for n in range(62, 2, -1))),
    (r"\pm" * 12 + "1", r"\pm 1" * 12),
    ("1", r"\pm 1 " * 40),
    ("x", "|" * 200 + "x" + "|" * 200),
    ("x", r"\lfloor" * 100 + "x" + r"\rfloor" * 100),
]
TOO_LONG = [
    ("5", "1+" * 50_000 + "1"),
    ("5", "(" * 200 + "1" + ")" * 200),
    ("5", "(" * 20_000 + "1" + ")" * 20_000),
    ("5", "{" * 30_000),
    ("5", r"\frac{" * 5_000),
    ("5", r"\sqrt{" * 400 + "2" + "}" * 400),
    ("5", "-" * 50_000 + "1"),
    ("5", "9" * 100_000),
    ("5", "0." + "0" * 100_000 + "1"),
    ("5", "1," * 50_000 + "1"),
    ("5", "2^" * 3_000 + "2"),
    ("5", "x_" * 3_000 + "x"),
    ("5", "!" * 5_000),
    ("5", "5" + "!" * 300),
    ("5", "5" + "%" * 900),
    ("5", "x" * 20_000),
    ("5", r"\[" * 20_000),
    ("5", r"\boxed{" * 5_000),
    ("5", r"\boxed{1} and " * 5_000),
    ("5", "$" * 50_001),
    ("5", "the answer is " * 5_000),
    ("5", "answer: answer is: " * 5_000),
    ("5", r"\text{a}" * 5_000),
    ("5", r"\text{" * 5_000),
    ("5", " " * 200_000),
    ("5", "\n" * 200_000),
    ("5", "1 2/3 " * 10_000),
    ("5", "1,234,567," * 10_000),
    ("5", r"\begin{pmatrix}" * 2_000),
    ("5", "&\\\\" * 20_000),
    ("5", "a=b=" * 10_000 + "c"),
    ("5", "\\" * 50_000),
    ("5", "e" * 300 + "5"),
    ("5", "\U0001d7d3" * 10_000),
    ("5", "\x00" * 50_000),
]
TOO_NEAR = [
    ("262537412640768744", r"e^{\pi\sqrt{163}}"),
    ("10^{50}", r"\sqrt{10^{100}+1}"),
    ("1", r"1+\frac{1}{10^{80}}"),
    ("1", r"\tanh(200)"),
    ("1", r"1-e^{-400}"),
    ("0", "e^{-700}"),
    ("1", r"\cos(10^{-70})"),
    ("10^{-30}", r"\sin(10^{-30})"),
    (r"100\ln 10", r"\ln(10^{100}+1)"),
    (r"\frac{\pi}{2}", r"\arctan(10^{90})"),
    ("100!", r"100!+\sqrt{2}"),
    (r"\sqrt{2}", r"\sqrt{2}+2^{-500}"),
    (r"2^{600}\sqrt{3}", r"2^{600}\sqrt{3}+1"),
    ("2", r"10^{100}+1-10^{100}"),
    ("x", "x+10^{-90}"),
    ("x^{100}", "x^{100}+10^{-90}"),
    ("(10^9x+1)^{40}", "(10^9x+1)^{40}+1"),
    ("e^{300x}", "e^{300x}+1"),
    ("x^2", "x^2+e^{-500}"),
    ("x", r"\sqrt{x^2+10^{-99}}"),
    (r"\sin x", r"\sin(x+10^{-80})"),
    (r"\binom{200}{100}", r"\binom{200}{100}+1"),
    (r"\frac{10^{99}}{10^{99}+1}", "1"),
]
ADVERSARIAL = TOO_LARGE + TOO_MUCH + TOO_LONG + TOO_NEAR
# What the peer is shown too: each of these may take it its five seconds.
FOR_THE_PEER = [
    TOO_LARGE[0],
    TOO_LARGE[3],
    TOO_LARGE[7],
    TOO_MUCH[0],
    TOO_MUCH[5],
    TOO_MUCH[13],
    TOO_LONG[1],
    TOO_LONG[16],
]
