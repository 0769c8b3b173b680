"""Questions about atoms, amounts, solutions, gases and reactions. Relative atomic masses are rounded as in school."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from gradus.engine.sources.stem_form import Template, decimals, span

MASS = {"H": "1", "C": "12", "N": "14", "O": "16", "Na": "23", "Mg": "24", "Al": "27", "S": "32", "Cl": "35.5"}
MASS |= {"K": "39", "Ca": "40", "Fe": "56", "Cu": "63.5", "Zn": "65"}
COMPOUNDS = (
    "H2O", "CO2", "CH4", "NH3", "NaCl", "MgO", "CaCO3", "H2SO4", "Fe2O3", "Al2O3", "KNO3", "C2H6O", "C6H12O6", "SO3",
    "NaOH", "CuO", "ZnCl2", "HNO3", "C3H8", "Na2CO3", "MgCl2", "N2O4",
)  # fmt: skip


class Isotope(NamedTuple):
    """An element with its atomic number, and one of its mass numbers."""

    name: str
    protons: int
    nucleons: int


ISOTOPES = tuple(
    Isotope(*row)
    for row in (
        ("carbon", 6, 14), ("oxygen", 8, 18), ("fluorine", 9, 19), ("sodium", 11, 23), ("aluminium", 13, 27),
        ("phosphorus", 15, 31), ("sulfur", 16, 34), ("chlorine", 17, 37), ("potassium", 19, 39), ("calcium", 20, 44),
        ("iron", 26, 56), ("cobalt", 27, 60), ("copper", 29, 65), ("zinc", 30, 66), ("bromine", 35, 81),
        ("silver", 47, 107), ("iodine", 53, 127), ("gold", 79, 197), ("lead", 82, 208), ("uranium", 92, 235),
    )
)  # fmt: skip


class Reaction(NamedTuple):
    """An equation; of one reactant and one product: formula and coefficient."""

    equation: str
    reactant: str
    used: int
    product: str
    made: int


REACTIONS = tuple(
    Reaction(*row)
    for row in (
        ("2 H2 + O2 → 2 H2O", "H2", 2, "H2O", 2), ("N2 + 3 H2 → 2 NH3", "N2", 1, "NH3", 2),
        ("2 Mg + O2 → 2 MgO", "Mg", 2, "MgO", 2), ("CH4 + 2 O2 → CO2 + 2 H2O", "CH4", 1, "H2O", 2),
        ("4 Al + 3 O2 → 2 Al2O3", "Al", 4, "Al2O3", 2), ("4 Fe + 3 O2 → 2 Fe2O3", "Fe", 4, "Fe2O3", 2),
        ("C3H8 + 5 O2 → 3 CO2 + 4 H2O", "C3H8", 1, "CO2", 3), ("2 Na + Cl2 → 2 NaCl", "Na", 2, "NaCl", 2),
        ("CaCO3 → CaO + CO2", "CaCO3", 1, "CaO", 1), ("2 SO2 + O2 → 2 SO3", "SO2", 2, "SO3", 2),
    )
)  # fmt: skip


def molar_mass(formula: str) -> Fraction:
    """Return the mass of a mole, in grams."""
    return sum((Fraction(MASS[name]) * int(num or 1) for name, num in _atoms(formula)), Fraction())


def masses(*formulas: str) -> str:
    """Say the relative atomic masses that are needed."""
    names = sorted({name for formula in formulas for name, _ in _atoms(formula)})
    return "Relative atomic masses: " + ", ".join(f"{name} = {MASS[name]}" for name in names) + "."


def _atoms(formula: str) -> list[tuple[str, str]]:
    return re.findall(r"([A-Z][a-z]?)(\d*)", formula)


class Compound(NamedTuple):
    """A formula, the mass of its mole, and what has to be told to work that out."""

    formula: str
    mass: Fraction
    told: str
    once: Fraction
    """What comes out if the indices are overlooked."""


KNOWN = tuple(
    Compound(f, molar_mass(f), masses(f), sum((Fraction(MASS[name]) for name, _ in _atoms(f)), Fraction()))
    for f in COMPOUNDS
)


class Yield(NamedTuple):
    """A reaction with the masses of a mole."""

    reaction: Reaction
    told: str
    reactant: Fraction
    product: Fraction

    @property
    def each(self) -> Fraction:
        """Return the grams of product a gram of the reactant gives."""
        return self.product * self.reaction.made / (self.reactant * self.reaction.used)


YIELDS = tuple(
    Yield(r, masses(r.reactant, r.product), molar_mass(r.reactant), molar_mass(r.product)) for r in REACTIONS
)


class Share(NamedTuple):
    """How much of a compound's mass one of its elements is, and how much it would be without the indices."""

    formula: str
    element: str
    told: str
    percent: Fraction
    unweighted: Fraction


SHARES = tuple(
    Share(
        c.formula,
        name,
        c.told,
        100 * Fraction(MASS[name]) * int(num or 1) / c.mass,
        100 * Fraction(MASS[name]) / c.once,
    )
    for c in KNOWN
    for name, num in _atoms(c.formula)
)


class Decay(NamedTuple):
    """A half-life in days, how many of them pass, and the days that these are."""

    half_life: int
    number: int
    days: int


DECAYS = tuple(Decay(days, n, days * n) for days in range(3, 13) for n in range(2, 6))


CHEMISTRY = (
    Template(
        name="neutrons",
        level=1,
        ask="An atom of {i.name} has the mass number {i.nucleons} and the atomic number {i.protons}. "
        "How many neutrons does it have?",
        given={"i": ISOTOPES},
        answer=lambda i: i.nucleons - i.protons,
        slips=lambda i: (i.protons, i.nucleons, i.nucleons + i.protons, 2 * i.protons, abs(i.nucleons - 2 * i.protons)),
    ),
    Template(
        name="amount",
        level=1,
        ask="How many moles are {m} g of a substance whose molar mass is {w} g/mol?",
        given={"m": span(9, 360, 9), "w": decimals("18", "40", "44", "58.5", "60", "100", "180")},
        answer=lambda m, w: m / w,
        slips=lambda m, w: (w / m, m * w, m - w, m / w * 10),
        unit="mol",
    ),
    Template(
        name="concentration",
        level=1,
        ask="{n} mol of salt are dissolved in water to give {v} dm³ of solution. What is its concentration?",
        given={
            "n": decimals("0.1", "0.25", "0.4", "0.6", "1.2", "1.5", "3"),
            "v": decimals("0.2", "0.5", "1.5", "2", "4"),
        },
        answer=lambda n, v: n / v,
        slips=lambda n, v: (n * v, v / n, n + v, n / v / 10),
        unit="mol/dm³",
    ),
    Template(
        name="molar mass",
        level=2,
        ask="What is the molar mass of {c.formula}? {c.told}",
        given={"c": KNOWN},
        answer=lambda c: c.mass,
        slips=lambda c: (c.once, 2 * c.mass, c.mass + 16, c.mass - c.once, c.mass + c.once),
        unit="g/mol",
    ),
    Template(
        name="mass of moles",
        level=2,
        ask="What is the mass of {n} mol of {c.formula}? {c.told}",
        given={"c": KNOWN, "n": decimals("0.2", "0.25", "0.5", "1.5", "2", "3", "4")},
        answer=lambda c, n: c.mass * n,
        slips=lambda c, n: (c.mass / n, c.once * n, n / c.mass, c.mass + n, c.mass * n * 10),
        unit="g",
    ),
    Template(
        name="dilution",
        level=2,
        ask="{v} cm³ of a solution of {c} mol/dm³ are made up to {w} cm³ with water. What is the new concentration?",
        given={"v": span(10, 60, 5), "c": decimals("0.5", "0.8", "1", "2", "3"), "w": span(100, 500, 50)},
        answer=lambda v, c, w: c * v / w,
        slips=lambda v, c, w: (c * w / v, c * v / (v + w), c / w, c * v * w / 1000, c - v / w),
        unit="mol/dm³",
    ),
    Template(
        name="percentage",
        level=3,
        ask="What percentage of the mass of {s.formula} is {s.element}? {s.told}",
        given={"s": SHARES},
        answer=lambda s: s.percent,
        slips=lambda s: (100 - s.percent, s.unweighted, s.percent / 2, s.percent * Fraction(13, 10), s.percent * 2 / 3),
        unit="%",
    ),
    Template(
        name="product",
        level=3,
        ask="{y.reaction.equation}: how many grams of {y.reaction.product} can be made from {m} g of "
        "{y.reaction.reactant}, with enough of everything else? {y.told}",
        given={"y": YIELDS, "m": span(4, 120, 4)},
        answer=lambda y, m: m * y.each,
        slips=lambda y, m: (m, m * y.product / y.reactant, m * y.reactant / y.product, m * y.each * 2, m * y.each / 2),
        unit="g",
    ),
    Template(
        name="gas volume",
        level=3,
        ask="A mole of any gas takes up 24 dm³ at room temperature. What is the volume of {m} g of {c.formula} gas? "
        "{c.told}",
        given={"c": tuple(c for c in KNOWN if c.formula in ("CO2", "CH4", "NH3", "C3H8")), "m": span(4, 96, 4)},
        answer=lambda c, m: 24 * m / c.mass,
        slips=lambda c, m: (24 * m, m / c.mass, c.mass / m * 24, m * c.mass / 24, 24 * m / c.once),
        unit="dm³",
    ),
    Template(
        name="titration",
        level=4,
        ask="{a} cm³ of sulfuric acid are neutralised by {b} cm³ of sodium hydroxide of {c} mol/dm³: "
        "H2SO4 + 2 NaOH → Na2SO4 + 2 H2O. What is the concentration of the acid?",
        given={"a": span(10, 30, 5), "b": span(12, 48, 4), "c": decimals("0.1", "0.2", "0.5", "0.8")},
        answer=lambda a, b, c: b * c / (2 * a),
        slips=lambda a, b, c: (b * c / a, 2 * b * c / a, a * c / (2 * b), a * c / b, b * c / 2),
        unit="mol/dm³",
    ),
    Template(
        name="gas law",
        level=4,
        ask="A gas takes up {v} dm³ at {p} kPa and {t} °C. What is its volume at {q} kPa and {u} °C? 0 °C is 273 K.",
        given={
            "v": span(2, 20),
            "p": span(80, 120, 10),
            "q": span(150, 300, 50),
            "t": span(17, 27, 5),
            "u": span(77, 227, 50),
        },
        answer=lambda v, p, t, q, u: v * p * (u + 273) / (q * (t + 273)),
        slips=lambda v, p, t, q, u: (
            v * p * u / (q * t),
            v * q * (u + 273) / (p * (t + 273)),
            v * p * (t + 273) / (q * (u + 273)),
            v * p / q,
        ),
        unit="dm³",
    ),
    Template(
        name="half-life",
        level=4,
        ask="A radioactive isotope has a half-life of {d.half_life} days. How much of {m} mg has decayed after "
        "{d.days} days?",
        given={"m": span(80, 960, 80), "d": DECAYS},
        answer=lambda m, d: m - m / 2**d.number,
        slips=lambda m, d: (m / 2**d.number, m / (2 * d.number), m - m / (2 * d.number), m / 2, m - m / d.days),
        unit="mg",
    ),
)
