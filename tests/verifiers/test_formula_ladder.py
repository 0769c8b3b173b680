"""What formulas are equal, by subject; the expected answer first."""

import pytest

from gradus.verifiers.base import explain, verify

EQUAL = {
    "numbers": [
        ("105", "one hundred and five"),
        ("21", "twenty-one"),
        ("5000000", r"5 \text{ million}"),
        ("997/999", r"0.\overline{997}"),
        ("1/6", r"0.1\overline{6}"),
        ("1000", "1 000"),
        ("61669392", "61{,}669{,}392"),
        ("2.74", "2,74"),
        ("-5/2", r"-2\frac{1}{2}"),
        ("1324_5", "(1324)_{5}"),
        ("9!", "362880"),
        (r"\binom{60}{39}", r"\frac{60!}{39!\,21!}"),
        ("56!+1", "1+56!"),
        ("0", r"\sin(\pi)"),
        ("1.6 \\times 10^{-19}", "1.6e-19"),
    ],
    "functions": [
        (r"2\ln x", r"\ln(x^2)"),
        (r"\log 2", r"\log_{10} 2"),
        (r"35\sin 7^\circ", r"35\cos 83^\circ"),
        (r"\sin(30^\circ)", "1/2"),
        (r"\tan^2 y+1", r"\sec^2 y"),
        (r"\sqrt[3]{-8}", "-2"),
        (r"\sqrt[3]{x^2}", "x^{2/3}"),
        (r"\sqrt{x-50}\sqrt{x-50}", "x-50"),
        (r"\cosh x", r"\frac{e^x+e^{-x}}{2}"),
        (r"\max(x, 3)", r"\max(3, x)"),
        ("(-1)^n", "(-1)^{n+2}"),
        (r"\frac{d!}{2k(d-k)!}", r"\dfrac{\dbinom{d}{k}(k-1)!}{2}"),
    ],
    "sums and integrals": [
        ("55", r"\sum_{k=1}^{10} k"),
        ("n(n+1)/2", r"\sum_{k=1}^{n} k"),
        ("120", r"\prod_{i=1}^{5} i"),
        (r"\sum_{k=0}^{n-1} F_k F_{n-k-1}", r"\sum_{k=0}^{n-1} F_{n-k-1} F_k"),
        ("1/3", r"\int_0^1 x^2 \, dx"),
        (r"\sqrt{\pi}", r"\int_{-\infty}^{\infty} e^{-x^2} dx"),
    ],
    "sets of numbers": [
        (r"(-\infty,-5)", "k < -5"),
        ("(1,2)", "1<x<2"),
        ("x<1", "-x>-1"),
        (r"x \ne 0", r"(-\infty,0)\cup(0,\infty)"),
        (r"\mathbb{R}\setminus\{0\}", r"x \neq 0"),
        (r"[1,3]", r"[1,2]\cup[2,3]"),
        (r"\{x \mid x>3\}", r"(3,\infty)"),
        (r"\{x \in \mathbb{R} : |x|<2\}", "(-2,2)"),
        (r"x>1 \text{ and } x<3", "(1,3)"),
        (r"x<-1 \text{ or } x>1", "|x|>1"),
        (r"(-\sqrt{2},\sqrt{3}]", r"-\sqrt{2}<x\le\sqrt{3}"),
        ("]1,2[", "(1,2)"),
        (r"\mathbb{R}", r"(-\infty,\infty)"),
    ],
    "labels": [
        ("3, 4", "(a) 3, (b) 4"),
        ("1,3", "Minimum: 1, Maximum: 3"),
        ("2,4,3", "T(10)=2, T(11)=4, T(12)=3"),
        ("7,4", r"7 \text{ stuffed goats and } 4 \text{ toy helicopters}"),
        ("AB=4, CD=5", "4, 5"),
        ("p=5,q=2;p=7,q=2", "(5,2),(7,2)"),
        ("f(n)=n, g(n)=1", "(f(n), g(n)) = (n, 1)"),
        ("x=1/3", r"x = 5+5 = 1/3 \approx 0.33"),
        (r"f(x)=x+1", r"f(n)=n+1 \text{ for all } n"),
    ],
    "parameters": [
        (r"\frac{\pi}{6}+k\pi", r"\frac{\pi}{6}+n\pi"),
        (r"x=\pi k, \pi k+1", r"n\pi, n\pi+1"),
        ("x^2+C", "x^2+c"),
        (r"k\pi \text{ for integer } k", r"(n+1)\pi"),
        (r"2k+1, k \in \mathbb{Z}", r"2n+1, n \in \mathbb{Z}"),
        ("f(x)=cx", "f(x)=kx"),
        (r"\frac{k\pi}{2}, k \in \mathbb{Z}", r"n\pi, \frac{\pi}{2}+n\pi"),
        (r"\frac{\pi}{4}+2k\pi, k \in \mathbb{Z}", r"-\frac{7\pi}{4}+2n\pi"),
        (r"\pm\frac{\pi}{3}+2k\pi, k \in \mathbb{Z}", r"\frac{\pi}{3}+2k\pi, \frac{5\pi}{3}+2k\pi"),
        (r"x = k\pi - \frac{\pi}{4}", r"x = \frac{3\pi}{4} + n\pi, n \in \mathbb{Z}"),
    ],
    "units": [
        (r"0.5 \text{ m}", r"50 \text{ cm}"),
        (r"36 \text{ km/h}", r"10 \text{ m/s}"),
        (r"4 \text{ cm}^2", r"4 \text{ square centimeters}"),
        (r"\$0.50", r"50 \text{ cents}"),
        (r"\$5", r"5 \text{ dollars}"),
        (r"5 \text{ cm}", "5cm"),
        (r"\pi/2", r"90^\circ"),
        (r"6 \text{ feet } 7 \text{ inches}", r"79 \text{ inches}"),
        (r"6 \text{ feet } 7 \text{ inches}", r"6 \text{ feet and } 7 \text{ inches}"),
        (r"3 \text{ goats}", r"3 \text{ stuffed goats}"),
    ],
    "words": [
        (r"\emptyset", "no solution"),
        (r"\text{None}", "There are no real solutions."),
        ("January 6, 1926", "6 January 1926"),
        ("2021-03-05", "March 5th, 2021"),
        ("DNE", "does not exist"),
        ("True", "yes"),
        (r"\text{no}", "No"),
        ("the empty set", r"\text{no solution}"),
    ],
    "matrices, ratios, choices": [
        (r"\begin{pmatrix}2\\4\end{pmatrix}", r"2\begin{pmatrix}1\\2\end{pmatrix}"),
        (r"\begin{pmatrix}6&8\end{pmatrix}", r"\begin{pmatrix}1&2\end{pmatrix}+\begin{pmatrix}5&6\end{pmatrix}"),
        (
            r"\begin{bmatrix}7&10\\15&22\end{bmatrix}",
            r"\begin{bmatrix}1&2\\3&4\end{bmatrix}\begin{bmatrix}1&2\\3&4\end{bmatrix}",
        ),
        ("(1,2,3)", r"\begin{pmatrix}1\\2\\3\end{pmatrix}"),
        ("3:4", "6:8"),
        ("3/4", "3:4"),
        (r"x \equiv 1 \pmod{21}", r"x \equiv 1 \ (\text{mod } 21)"),
        ("B", r"\textbf{(B)}"),
        ("B", "B. 42"),
        ("(B) 42", "42"),
        (
            r"\begin{cases} x & \text{if } x>0 \\ -x & \text{otherwise} \end{cases}",
            r"\begin{cases} x, & 0<x \\ -x, & \text{else} \end{cases}",
        ),
    ],
}
DIFFERENT = {
    "numbers that are near each other": [
        (r"\sqrt{2}", r"\sqrt{2}+2^{-500}"),
        ("1", "1-e^{-400}"),
        ("1", r"\tanh(200)"),
        ("10^{50}", r"\sqrt{10^{100}+1}"),
        (r"\frac{\pi}{2}", r"\arctan(10^{90})"),
        ("100!", r"100!+\sqrt2"),
        ("x", "x+10^{-90}"),
        ("56!", "56!+1"),
        ("10^{100000}", "10^{100000}+1"),
        (r"\sin x", r"\sin(x+10^{-80})"),
        ("42820159434169583887968680015560517183", "42820159434169583887968680015560517184.0"),
        (r"\sqrt{2}\cdot10^{70}+1-\sqrt{2}\cdot10^{70}", "0"),
        (r"\log(0)", r"\log(0)+1"),
        ("0.5x+1", "0.5x+1.0000000001"),
    ],
    "sets of numbers": [
        (r"(-\infty,-5)", "k > -5"),
        ("x < -64", r"x \le -64"),
        ("x < -64", "x < -63"),
        (r"x>-1 \text{ and } x<53", r"x>-1 \text{ or } x<53"),
        (r"(-\infty,-20)\cup(-14,12)", r"(-\infty,-20)\cap(-14,12)"),
        (r"x \ne 0", r"(-\infty,\infty)"),
        ("[1,3]", r"[1,2)\cup(2,3]"),
        ("x<1", "y<1"),
    ],
    "labels and parameters": [
        ("Minimum: 1, Maximum: 3", "Maximum: 1, Minimum: 3"),
        ("a=5, b=32", "32, 5"),
        ("x=5", "y=5"),
        ("x=5", "2x=5"),
        ("2n+1", "2k+1"),
        ("(n, n+1)", "(k, k)"),
        (r"\pi n m", r"\pi k k"),
        (r"k\pi", r"2k\pi"),
        (r"n\pi", r"(n+1)\pi"),
        (r"t-30^\circ", r"t-30^\circ+1"),
        (r"k\pi, k \in \mathbb{R}", r"\frac{k\pi}{2}, k \in \mathbb{R}"),
        (r"\frac{k\pi}{2}, k \in \mathbb{Z}", r"n\pi, \frac{\pi}{3}+n\pi"),
        (r"\frac{\pi}{4}+k\pi, k \in \mathbb{Z}", r"\frac{\pi}{4}+2n\pi"),
        (r"\frac{\pi}{4}+2k\pi, k \in \mathbb{Z}", r"\frac{\pi}{4}+2^{-500}+2n\pi"),
        (r"\frac{\pi}{4}+2k\pi, k \in \mathbb{Z}", r"-\frac{\pi}{4}+2n\pi"),
        ("73AB", "73AC"),
        (r"k\pi, k \text{ is odd, } k > 3", r"k\pi, k \text{ is odd, } k > 5"),
    ],
    "units": [
        (r"5 \text{ m/s}", r"5 \text{ km/s}"),
        (r"5 \text{ m}", r"5 \text{ m}^2"),
        (r"\$18.93", "€18.93"),
        (r"5 \text{ apples}", r"5 \text{ oranges}"),
        ("629", "629 dozen"),
        (r"6 \text{ feet } 7 \text{ inches}", r"6 \text{ feet } 8 \text{ inches}"),
        (r"5 \text{ mW}", r"5 \text{ MW}"),
    ],
    "the rest": [
        ("101_2", "101_3"),
        ("12:30", "2:5"),
        ("12:00", "1:00"),
        ("3:4", "4:3"),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{vmatrix}1&2\\3&4\end{vmatrix}"),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{pmatrix}1&3\\2&4\end{pmatrix}"),
        ("B", "C. 42"),
        ("B. 42", "B. 43"),
        ("January 6, 1926", "6 June 1926"),
        ("yes", "no"),
        (r"\emptyset", "0"),
        (r"E \land T", r"E \lor T"),
        (r"\sum_{k=1}^{10} k", "54"),
        (r"\int_0^1 x^2 dx", "0.3334"),
        (r"\max(x, 100)", "100"),
        ("|x|", r"\sqrt{x}^2 \cdot 1 + 0 \cdot i - x + x + 1"),
    ],
}


def cases(table):
    return [pytest.param(*pair, id=f"{subject}: {pair[1]}"[:60]) for subject, pairs in table.items() for pair in pairs]


@pytest.mark.parametrize(("expected", "got"), cases(EQUAL))
def test_equal_formulas_pass(expected, got):
    assert verify("math", rf"\boxed{{{got}}}", {"expected": expected}).outcome == "pass"


@pytest.mark.parametrize(("expected", "got"), cases(DIFFERENT))
def test_different_formulas_fail(expected, got):
    assert verify("math", rf"\boxed{{{got}}}", {"expected": expected}).outcome == "fail"


def test_the_ladder_taken_can_be_told():
    _, steps = explain("math", r"\boxed{(x+1)^2}", {"expected": "x^2+2x+1"})
    assert steps == [r"the answer found is (x+1)^2", "compared exactly as rational functions"]


# Labels of math-verify 0.9.0's own tests that are not followed: the last two pairs carry both labels there, under
# different settings.
@pytest.mark.parametrize(
    ("expected", "answer", "outcome", "why"),
    [
        ("$9$", "Answer $ \n 9 \n $", "pass", "9 is the answer, whatever the line breaks"),
        ("$9$", "Answer \\( \n 9 \n \\)", "pass", "9 is the answer, whatever the line breaks"),
        (r"$1 - \frac{1}{\mathrm{e}}$", r"$1 + \frac{1}{\mathrm{e}}$", "fail", "1 - 1/e is not 1 + 1/e"),
        (r"$x \in [-2,7]$", r"$-2 \\le x \\le 7$", "pass", "an inequality says the same as its interval"),
        ("$f(x)$", "$f(y)$", "fail", "without an equation, x and y are different variables"),
    ],
)
def test_labels_we_hold_to_be_wrong(expected, answer, outcome, why):
    assert verify("math", answer, {"expected": expected}).outcome == outcome, why
