"""IFBench's instructions that are whole tasks (`custom:`): each has one prompt and takes no arguments.

Verdicts are the official ones. Where the official code would crash (an empty field in quotes, a field beyond the csv
module's limit), the instruction is not followed.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from itertools import pairwise

from gradus.verifiers.instructions.registry import Fault, exactly, instruction, unless
from gradus.verifiers.instructions.sentences import sentences
from gradus.verifiers.instructions.text import STRIPPED, Text
from gradus.verifiers.instructions.vocabulary import listed

_INTEGER = re.compile(r"\d+")
_QUESTION = re.compile(r"Question \d+[.|):;]?\s*")
_OPTION = re.compile(r"[A-Ea-e][.|)]\s*\w")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_SPECIAL = re.compile(r"[^\w\s]")
_NUM_DAYS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
_CAPITALS = listed(
    "Reykjavik Helsinki Oslo Tallinn Stockholm Riga Moscow Copenhagen Vilnius Minsk Dublin Berlin Amsterdam Warsaw "
    "London Brussels Prague Luxembourg Paris Vienna Bratislava Budapest Vaduz Chisinau Bern Ljubljana Zagreb"
)
"""From north to south."""
_PRODUCTS = ("ProductID", "Category", "Brand", "Price", "Stock")
_STUDENTS = ("StudentID", "Subject", "Grade", "Semester", "Score")


@instruction("custom:multiples")
def multiples(text: Text) -> Fault:
    """The multiples of 7 from 14 to 49, and no other number."""
    return unless(_INTEGER.findall(text.raw) == list(listed("14 21 28 35 42 49")), "the numbers are not 14, 21, … 49")


@instruction("custom:mcq_count_length")
def mcq_count_length(text: Text) -> Fault:
    """Four questions of five options each, every one longer than the one before."""
    if not text.raw.startswith("Question"):
        return "does not begin with Question"
    questions = [part.strip() for part in _QUESTION.split(text.raw) if part.strip()]
    if len(questions) != 4:
        return f"questions: {len(questions)}, expected 4"
    lengths = []
    for number, question in enumerate(questions, 1):
        lines = [line.strip() for line in question.split("\n")]
        options = [place for place, line in enumerate(lines) if _OPTION.match(line)]
        if len(options) != 5:
            return f"options of question {number}: {len(options)}, expected 5"
        lengths.append(len(" ".join(lines[: options[0]]).strip()))
    grows = all(one < two for one, two in pairwise(lengths))
    return unless(grows, f"lengths of the questions: {lengths}, expected each longer")


@instruction("custom:reverse_newline")
def reverse_newline(text: Text) -> Fault:
    """From Zimbabwe on, 52 lines or more, each before the last in the alphabet."""
    lines = [clean for line in text.lines if (clean := line.strip(STRIPPED))]
    start = next((place for place, line in enumerate(lines) if "Zimbabwe" in line), None)
    if start is None:
        return "no Zimbabwe"
    lines = [_ascii(line) for line in lines[start:]]
    if len(lines) < 52:
        return f"countries: {len(lines)}, expected at least 52"
    return unless(lines == sorted(lines, reverse=True), "not in reverse alphabetical order")


@instruction("custom:word_reverse")
def word_reverse(text: Text) -> Fault:
    """Read backwards by words, one sentence that names the bald eagle."""
    forwards = " ".join(text.plain.lower().split()[::-1])
    if "bald eagle" not in forwards:
        return "no 'eagle bald'"
    return unless(forwards in sentences(forwards), "not one sentence")


@instruction("custom:character_reverse")
def character_reverse(text: Text) -> Fault:
    """Names the bald eagle, spelled backwards."""
    return unless("elgae dlab" in text.lower, "no 'elgae dlab'")


@instruction("custom:sentence_alphabet")
def sentence_alphabet(text: Text) -> Fault:
    """26 sentences, whose first letters are the alphabet."""
    if wrong := exactly("sentences", len(text.sentences), 26):
        return wrong
    for place, sentence in enumerate(text.sentences):
        if sentence[0].lower() != chr(97 + place):
            return f"sentence {place + 1} begins with {sentence[:20]!r}, expected {chr(97 + place)}"
    return ""


@instruction("custom:european_capitals_sort")
def european_capitals_sort(text: Text) -> Fault:
    """The 27 capitals north of 45°, from north to south, between commas."""
    capitals = [part.strip() for part in _ascii(text.raw).split(",") if part.strip()]
    if wrong := exactly("capitals", len(capitals), len(_CAPITALS)):
        return wrong
    odd = next((one for one, wanted in zip(capitals, _CAPITALS, strict=True) if one != wanted), None)
    return unless(odd is None, f"{odd and odd[:40]!r} is out of place")


@instruction("custom:csv_city")
def csv_city(text: Text) -> Fault:
    """A header of five given columns and seven rows."""
    rows = _rows(text.raw, ",")
    if wrong := exactly("lines", len(rows), 8):
        return wrong
    if rows[0] != ["ID", "Country", "City", "Year", "Count"]:
        return "not the header asked for"
    return unless(all(len(row) == 5 for row in rows), "a row without 5 fields")


@instruction("custom:csv_special_character")
def csv_special_character(text: Text) -> Fault:
    """A header of five given columns and 14 rows, one of them with a special character in quotes."""
    if not _is_header(text.lines[0], ",", r"[ \t]*", _PRODUCTS):
        return "not the header asked for"
    rows = _rows(text.raw.replace('"', '"""'), ",")
    if wrong := exactly("lines", len(rows), 15):
        return wrong
    # As in the official code, rows after the one with the special character are not looked at.
    for row in rows[1:]:
        if len(row) != 5:
            return "a row without 5 fields"
        if any(map(_is_special, row)):
            return ""
    return "no special character in double quotes"


@instruction("custom:csv_quotes")
def csv_quotes(text: Text) -> Fault:
    """A header of five given columns and three rows, divided by tabs, each field in double quotes."""
    if not _is_header(text.lines[0], r"\t", " *", _STUDENTS):
        return "not the header asked for"
    rows = _rows(text.raw.replace('"', '"""'), "\t")
    if wrong := exactly("lines", len(rows), 4):
        return wrong
    if not all(len(row) == 5 for row in rows):
        return "a row without 5 fields"
    quoted = all(field.strip()[:1] == field.strip()[-1:] == '"' for row in rows for field in row)
    return unless(quoted, "a field without double quotes")


@instruction("custom:date_format_list")
def date_format_list(text: Text) -> Fault:
    """Dates of Napoleon's life as YYYY-MM-DD, between commas."""
    for part in text.raw.split(","):
        found = _DATE.fullmatch(part.strip())
        if not found:
            return f"{part.strip()[:40]!r} is not YYYY-MM-DD"
        year, month, day = map(int, found.groups())
        if not 1769 <= year <= 1821 or month > 12 or (month and day > _NUM_DAYS.get(month, 31)):
            return f"{part.strip()} is not a date of Napoleon's life"
    return ""


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """Read CSV; what cannot be read has no rows."""
    try:
        return list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error:
        return []


def _is_header(line: str, delimiter: str, space: str, names: tuple[str, ...]) -> bool:
    """Whether the line holds these names, quoted or not."""
    pattern = f"{delimiter}{space}".join(f'(?:{name}|"{name}")' for name in names)
    return re.fullmatch(pattern, line.strip()) is not None


def _is_special(field: str) -> bool:
    """Whether the field begins with a quotation mark, and a special character and another mark follow."""
    line = field.split("\n", 1)[0]
    end = line.rfind('"')
    return line[:1] == '"' and end > 0 and _SPECIAL.search(line, 1, end) is not None
