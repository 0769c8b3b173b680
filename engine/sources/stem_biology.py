"""Questions about cells, genes, populations and energy in food chains."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import NamedTuple

from gradus.engine.sources.stem_form import Template, Value, decimals, span

STRANDS = tuple("".join(bases) for bases in product("ATGC", repeat=5) if len(set(bases)) >= 3)
DNA, RNA = str.maketrans("ATGC", "TACG"), str.maketrans("ATGC", "UACG")


class Cross(NamedTuple):
    """A cross of two plants, the share of offspring that is asked for, and shares that usual mistakes give."""

    parents: str
    wanted: str
    share: str
    wrong: tuple[str, ...]


CROSSES = tuple(
    Cross(*row)
    for row in (
        ("Aa × Aa", "show the recessive form", "1/4", ("3/4", "1/2", "1/3", "0", "1/8")),
        ("Aa × Aa", "show the dominant form", "3/4", ("1/4", "1/2", "2/3", "1", "1/8")),
        ("Aa × Aa", "are heterozygous", "1/2", ("1/4", "3/4", "2/3", "1", "1/8")),
        ("Aa × aa", "show the recessive form", "1/2", ("1/4", "3/4", "0", "1", "1/3")),
        ("AA × Aa", "are heterozygous", "1/2", ("1/4", "3/4", "0", "1", "1/3")),
        ("AA × aa", "show the dominant form", "1", ("0", "1/2", "3/4", "1/4", "2/3")),
        ("AaBb × AaBb", "show both dominant forms", "9/16", ("3/16", "1/16", "3/4", "1/2", "6/16")),
        ("AaBb × AaBb", "show both recessive forms", "1/16", ("3/16", "9/16", "1/4", "1/8", "2/16")),
        ("AaBb × aabb", "show both dominant forms", "1/4", ("9/16", "1/2", "3/4", "1/16", "3/16")),
        (
            "AaBb × AaBb",
            "show the dominant form of A and the recessive form of B",
            "3/16",
            ("9/16", "1/16", "1/4", "3/4"),
        ),
    )
)


def _strands(right: str, wrong: tuple[str, ...]) -> tuple[Value, ...]:
    return tuple(strand for strand in dict.fromkeys(wrong) if strand != right)


BIOLOGY = (
    Template(
        name="magnification",
        level=1,
        ask="A cell that is {a} µm long is {i} mm long in a drawing. What is the magnification?",
        given={"a": span(20, 100, 10), "i": span(30, 150, 10)},
        answer=lambda a, i: i * 1000 / a,
        slips=lambda a, i: (i / a, a / i, i * 100 / a, a * 1000 / i, i * a),
        unit="times",
    ),
    Template(
        name="complement",
        level=1,
        ask="One strand of DNA reads {s}. What does the other strand read, base by base?",
        given={"s": STRANDS},
        answer=lambda s: s.translate(DNA),
        slips=lambda s: _strands(
            s.translate(DNA),
            (s, s.translate(RNA), s[::-1], s.translate(DNA)[::-1], s.translate(str.maketrans("ATGC", "GCAT"))),
        ),
    ),
    Template(
        name="gametes",
        level=1,
        ask="A body cell of an animal has {n} chromosomes. How many has one of its egg cells?",
        given={"n": span(8, 80, 2)},
        answer=lambda n: n / 2,
        slips=lambda n: (n, 2 * n, n / 4, n - 2, n / 2 + 2),
    ),
    Template(
        name="transcription",
        level=2,
        ask="The template strand of a gene reads {s}. What does the messenger RNA read, base by base?",
        given={"s": STRANDS},
        answer=lambda s: s.translate(RNA),
        slips=lambda s: _strands(
            s.translate(RNA), (s, s.translate(DNA), s.replace("T", "U"), s.translate(RNA)[::-1], s[::-1])
        ),
    ),
    Template(
        name="base pairs",
        level=2,
        ask="In the DNA of a bacterium {p}% of the bases are adenine. What percentage is guanine?",
        given={"p": span(12, 38)},
        answer=lambda p: 50 - p,
        slips=lambda p: (p, 100 - p, 100 - 2 * p, (100 - p) / 3, p / 2),
        unit="%",
    ),
    Template(
        name="heart",
        level=2,
        ask="A heart beats {b} times a minute and pumps {v} cm³ a beat. How much blood does it pump in a minute?",
        given={"b": span(56, 120, 4), "v": span(50, 90, 5)},
        answer=lambda b, v: b * v / 1000,
        slips=lambda b, v: (b * v, b / v, b * v / 100, b * v * 60 / 1000, v / b),
        unit="dm³",
    ),
    Template(
        name="one gene or two",
        level=3,
        ask="Plants are crossed: {c.parents}; genes are inherited independently, capital letters are dominant. Which "
        "share of the offspring will {c.wanted}, on average?",
        given={"c": CROSSES},
        answer=lambda c: c.share,
        slips=lambda c: c.wrong,
    ),
    Template(
        name="food chain",
        level=3,
        ask="Each step of a food chain passes on {p}% of its energy. Plants take in {e} kJ. How much reaches the "
        "animals that eat the plant-eaters?",
        given={"p": decimals("5", "8", "10", "12", "15", "20"), "e": span(2000, 60000, 2000)},
        answer=lambda p, e: e * p * p / 10000,
        slips=lambda p, e: (e * p / 100, e * p**3 / 1000000, e * p / 200, e * (100 - p) / 100, e * 2 * p / 100),
        unit="kJ",
    ),
    Template(
        name="capture and recapture",
        level=3,
        ask="{m} snails are marked and set free. Of {c} caught later, {r} are marked. How many snails live there, by "
        "this estimate?",
        given={"m": span(20, 90, 10), "c": span(24, 96, 12), "r": span(3, 12, 3)},
        answer=lambda m, c, r: m * c / r,
        slips=lambda m, c, r: (m + c - r, m * r / c, c * r / m, m * c, m + c),
        unit="snails",
    ),
    Template(
        name="amino acids",
        level=3,
        ask="A messenger RNA has {n} bases between the start of its first codon and the end of its stop codon. How "
        "many amino acids does it code for?",
        given={"n": span(60, 900, 12)},
        answer=lambda n: n / 3 - 1,
        slips=lambda n: (n, n / 2, n * 3, n / 6, n - 3),
    ),
    Template(
        name="carriers",
        level=4,
        ask="In a large population {q}% of people have a recessive disorder. If the Hardy-Weinberg principle holds, "
        "what percentage are carriers of one allele?",
        given={"q": decimals("0.01", "0.04", "0.09", "0.16", "0.25", "0.36", "0.49", "0.64", "0.81", "1", "4", "9")},
        answer=lambda q: carriers(q),
        slips=lambda q: (q, carriers(q) / 2, 2 * q, 100 - q, carriers(q) * 2),
        unit="%",
    ),
    Template(
        name="doubling",
        level=4,
        ask="A colony of {n} bacteria doubles every {t} minutes. How many are there after {h} hours?",
        given={"n": span(20, 400, 20), "t": decimals("15", "20", "30", "60"), "h": span(1, 4)},
        answer=lambda n, t, h: n * 2 ** int(60 * h / t),
        slips=lambda n, t, h: (
            n * 2 * 60 * h / t,
            n * 2**h,
            n * (60 * h / t),
            n * 2 ** (int(60 * h / t) - 1),
            n * t * h,
        ),
        unit="bacteria",
    ),
    Template(
        name="growth rate",
        level=4,
        ask="In a year {b} deer are born and {d} die in a herd of {n}; {i} more join it. By which percentage does the "
        "herd grow?",
        given={"b": span(30, 90, 6), "d": span(6, 24, 3), "i": span(3, 15, 3), "n": span(120, 480, 40)},
        answer=lambda b, d, i, n: 100 * (b - d + i) / n,
        slips=lambda b, d, i, n: (
            100 * (b - d) / n,
            100 * (b + d + i) / n,
            100 * (b - d + i) / (n + b),
            b - d + i,
            100 * b / n,
        ),
        unit="%",
    ),
)


def carriers(percent: Fraction) -> Fraction:
    """Return 2pq in percent, where q² is a percentage with an exact root."""
    q = Fraction(percent / 100) ** Fraction(1, 2)
    exact = Fraction(round(q * 1000), 1000)
    return 200 * exact * (1 - exact)
