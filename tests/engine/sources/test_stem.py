"""Every template's answer is worked out by hand here, and every question has one right option."""

import random
import re
from fractions import Fraction

import pytest

from gradus.engine.sources.base import generate_problems
from gradus.engine.sources.stem import FIELDS, FORMATS, TRIES, question
from gradus.engine.sources.stem_biology import CROSSES
from gradus.engine.sources.stem_chemistry import DECAYS, ISOTOPES, KNOWN, SHARES, YIELDS, molar_mass
from gradus.engine.sources.stem_form import differ, is_rounded, shown
from gradus.errors import ConfigError, DataError
from gradus.verifiers.base import check_spec, verify

TEMPLATES = {template.name: template for field in FIELDS.values() for template in field}


def of(records, first):
    """Return the record that begins with first."""
    return next(record for record in records if record[0] == first)


HAND = [
    ("speed", {"d": 120, "t": 8}, "15 m/s"),
    ("force", {"m": 12, "a": "2.5"}, "30 N"),
    ("density", {"m": 405, "v": 150}, "2.7 g/cm³"),
    ("ohm", {"i": "0.2", "r": 60}, "12 V"),
    ("wave", {"f": 50, "w": "6.8"}, "340 m/s"),
    ("kinetic energy", {"m": 10, "v": 4}, "80 J"),
    ("acceleration", {"u": 10, "v": 22, "t": 6}, "2 m/s²"),
    ("lifting", {"m": 50, "h": 12}, "6000 J"),
    ("resistance", {"p": 36, "v": 12}, "4 Ω"),
    ("kilometres an hour", {"k": 72, "t": 30}, "600 m"),
    ("heating", {"p": 2, "m": 1, "d": 50}, "105 s"),
    ("parallel resistors", {"a": 6, "b": 12}, "4 Ω"),
    ("cost of power", {"p": 2000, "h": 3, "n": 10, "c": 30}, "1800 cents"),
    ("height of a throw", {"m": 100, "v": 20}, "20 m"),
    ("mixing", {"a": 1, "b": 3, "t": 80, "u": 20}, "35 °C"),
    ("braking", {"v": 20, "r": "0.5", "a": 5}, "50 m"),
    ("neutrons", {"i": of(ISOTOPES, "gold")}, "118"),
    ("amount", {"m": 90, "w": 180}, "0.5 mol"),
    ("concentration", {"n": "0.1", "v": "0.5"}, "0.2 mol/dm³"),
    ("molar mass", {"c": of(KNOWN, "H2SO4")}, "98 g/mol"),
    ("mass of moles", {"c": of(KNOWN, "CaCO3"), "n": "0.25"}, "25 g"),
    ("dilution", {"v": 50, "c": 2, "w": 250}, "0.4 mol/dm³"),
    ("percentage", {"s": next(s for s in SHARES if s[:2] == ("CaCO3", "Ca"))}, "40%"),
    ("product", {"y": next(y for y in YIELDS if y.reaction.reactant == "Mg"), "m": 12}, "20 g"),
    ("gas volume", {"c": of(KNOWN, "CO2"), "m": 22}, "12 dm³"),
    ("titration", {"a": 10, "b": 20, "c": "0.5"}, "0.5 mol/dm³"),
    ("gas law", {"v": 6, "p": 100, "t": 27, "q": 200, "u": 127}, "4 dm³"),
    ("half-life", {"m": 80, "d": next(d for d in DECAYS if d == (5, 3, 15))}, "70 mg"),
    ("magnification", {"a": 50, "i": 100}, "2000 times"),
    ("complement", {"s": "ATGCA"}, "TACGT"),
    ("gametes", {"n": 46}, "23"),
    ("transcription", {"s": "TACGA"}, "AUGCU"),
    ("base pairs", {"p": 30}, "20%"),
    ("heart", {"b": 70, "v": 70}, "4.9 dm³"),
    ("one gene or two", {"c": CROSSES[0]}, "1/4"),
    ("food chain", {"p": 10, "e": 20000}, "200 kJ"),
    ("capture and recapture", {"m": 40, "c": 60, "r": 6}, "400 snails"),
    ("amino acids", {"n": 90}, "29"),
    ("carriers", {"q": 4}, "32%"),
    ("doubling", {"n": 100, "t": 30, "h": 3}, "6400 bacteria"),
    ("growth rate", {"b": 60, "d": 15, "i": 3, "n": 240}, "20%"),
]


@pytest.mark.parametrize(("name", "given", "answer"), HAND, ids=[row[0] for row in HAND])
def test_a_template_gives_what_a_hand_worked_out(name, given, answer):
    template = TEMPLATES[name]
    drawn = {k: Fraction(v) if name not in ("complement", "transcription") and not hasattr(v, "_fields") else v
             for k, v in given.items()}  # fmt: skip
    assert set(drawn) == set(template.given)
    right = template.answer(**drawn)
    assert shown(right, template.unit) == answer
    assert sum(not differ(right, slip) for slip in template.slips(**drawn)) <= 1, "usual mistakes that are none"


def test_every_template_has_been_worked_out_by_hand():
    assert {row[0] for row in HAND} == set(TEMPLATES)
    assert len(TEMPLATES) == sum(map(len, FIELDS.values())) >= 12


@pytest.mark.parametrize("cross", CROSSES, ids=lambda cross: f"{cross.parents} {cross.wanted}")
def test_a_crosss_share_is_that_of_its_square(cross):
    """Counted over all gametes of both parents."""
    first, second = ([parent[i : i + 2] for i in range(0, len(parent), 2)] for parent in cross.parents.split(" × "))
    shares = []
    for pair in zip(first, second, strict=True):
        children = [a + b for a in pair[0] for b in pair[1]]
        gene = pair[0][0].upper()
        recessive = Fraction(sum(gene not in child for child in children), 4)
        mixed = Fraction(sum(len(set(child)) == 2 for child in children), 4)
        form = "both" if "both" in cross.wanted else gene
        wanted = cross.wanted.split("and")[0 if gene == "A" else -1] if form == gene else cross.wanted
        shares.append(mixed if "heterozygous" in wanted else recessive if "recessive" in wanted else 1 - recessive)
    assert Fraction(cross.share) == shares[0] * (shares[1] if len(shares) > 1 else 1)
    assert all(Fraction(wrong) != Fraction(cross.share) for wrong in cross.wrong)


@pytest.mark.parametrize(("formula", "mass"), [("H2O", 18), ("C6H12O6", 180), ("NaCl", "58.5"), ("Al2O3", 102)])
def test_a_molar_mass_counts_every_atom(formula, mass):
    assert molar_mass(formula) == Fraction(mass)


def test_reactions_keep_every_atom_of_the_elements_named():
    """The equation's sides hold as much mass of what is asked about: coefficients are those of the equation."""
    for y in YIELDS:
        left, right = y.reaction.equation.split(" → ")
        said = {True: left.split(" + "), False: right.split(" + ")}
        for formula, number, side in [
            (y.reaction.reactant, y.reaction.used, True),
            (y.reaction.product, y.reaction.made, False),
        ]:
            assert (formula if number == 1 else f"{number} {formula}") in said[side]
        atoms = [{}, {}]
        for count, terms in zip(atoms, said.values(), strict=True):
            for term in terms:
                number, _, formula = term.rpartition(" ")
                for element, index in re.findall(r"([A-Z][a-z]?)(\d*)", formula):
                    count[element] = count.get(element, 0) + int(number or 1) * int(index or 1)
        assert atoms[0] == atoms[1], y.reaction.equation


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(1, 3), "0.333"), (Fraction(12345), "12300"), (Fraction(7), "7"), (Fraction(5, 2), "2.5"),
        (Fraction(1, 2000), "5 × 10^-4"), (Fraction(1_310_720), "1.31 × 10^6"), (Fraction(999999, 1000), "1000"),
    ],
)  # fmt: skip
def test_quantities_are_shown_to_three_digits(value, text):
    assert shown(value) == text
    assert is_rounded(value) == (value not in (7, Fraction(5, 2), Fraction(1, 2000)))


PROBLEMS = generate_problems("stem", 400, seed=3)


def test_exactly_the_right_option_passes():
    for problem in PROBLEMS:
        check_spec("choice", problem.spec)
        for label, text in problem.spec["choices"].items():
            right = "pass" if label == problem.spec["expected"] else "fail"
            for answer in (
                f"The answer is \\boxed{{{label}}}.",
                f"So it is ({label}) {text}.",
                f"The answer is {text}.",
            ):
                assert verify("choice", answer, problem.spec).outcome == right, (problem.prompt, answer)
            assert text in problem.prompt


def test_options_are_shuffled_and_of_every_format():
    places = [list(p.spec["choices"]).index(p.spec["expected"]) for p in PROBLEMS]
    assert all(60 < places.count(place) < 140 for place in range(4))
    assert {tag for p in PROBLEMS for tag in p.tags if tag.startswith("format:")} == {f"format:{f}" for f in FORMATS}
    assert len({p.source for p in PROBLEMS}) == len(TEMPLATES)
    assert [sum(f"level:{n}" in p.tags for p in PROBLEMS) for n in (1, 2, 3, 4)] == [100] * 4


@pytest.mark.parametrize("choices", [2, 3, 5, 6])
def test_as_many_options_as_asked_for(choices):
    problems = generate_problems("stem", 40, seed=0, options={"choices": choices, "formats": ["roman", "numbers"]})
    assert {len(p.spec["choices"]) for p in problems} == {choices}
    assert {min(p.spec["choices"]) for p in problems} == {"i", "1"}


def test_fields_and_templates_can_be_chosen():
    physics = generate_problems("stem", 20, seed=0, options={"fields": ["physics"]})
    assert {tag for p in physics for tag in p.tags if tag.startswith("field:")} == {"field:physics"}
    only = generate_problems("stem", 10, seed=0, options={"templates": ["speed", "braking"]})
    assert {p.source for p in only} == {"stem/speed", "stem/braking"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fields": ["alchemy"]}, "no list of known fields: 'alchemy'. Known: physics"),
        ({"fields": "physics"}, "no list of known fields: 'physics'"),
        ({"formats": ["papyrus"]}, "no list of known formats"),
        ({"choices": 7}, "choices must be 2 to 6, not 7"),
        ({"fields": []}, "nothing is left to draw from"),
        ({"templates": ["speed"], "fields": ["biology"]}, "nothing is left to draw from"),
        ({"colour": 1}, "has no option 'colour'. Options: fields, choices, formats, templates"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, said):
    with pytest.raises(ConfigError, match="generator 'stem'") as error:
        generate_problems("stem", 4, seed=0, options=options)
    assert said in str(error.value)


def test_more_than_there_is_cannot_be_had():
    with pytest.raises(DataError, match="ask for less"):
        generate_problems("stem", 90, seed=0, options={"templates": ["gametes"], "formats": ["letters"], "choices": 2})


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=list(TEMPLATES))
def test_most_draws_of_a_template_give_a_question(template):
    rng = random.Random(0)
    made = [question(rng, template, "any", form="letters", choices=4) for _ in range(TRIES)]
    assert sum(problem is not None for problem in made) > TRIES / 2
