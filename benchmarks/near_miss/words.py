"""Near-misses of answers in words: choices, dates, times of day, one-word answers."""

from __future__ import annotations

import random
from collections.abc import Iterator

from near_miss.forms import Form, family

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
OPPOSITES = (
    *(("even", "odd"), ("yes", "no"), ("true", "false"), ("increasing", "decreasing"), ("convex", "concave")),
    *(("rational", "irrational"), ("prime", "composite"), ("parallel", "perpendicular"), ("ellipse", "hyperbola")),
    *(("Alice", "Bob"), ("red", "blue"), ("Monday", "Tuesday"), ("north", "south"), ("converges", "diverges")),
    *(("no solution", "one solution"), ("always", "never"), ("right triangle", "acute triangle")),
)


@family
def choice(draw: random.Random) -> Iterator[Form]:
    right, *wrong = draw.sample("ABCDEFGHIJ", 5)
    text = str(draw.randint(2, 999))
    yield right, right
    yield from (
        (f"({right})", right),
        (rf"\text{{{right}}}", right),
        (rf"\textbf{{({right})}}", right),
        (f"{right}.", right),
    )
    yield from ((rf"\text{{({right})}} {text}", right), (f"{right}. {text}", right), (rf"\mathrm{{{right}}}", right))
    for letter in wrong:
        yield from (
            (letter, letter),
            (f"({letter})", letter),
            (rf"\text{{{letter}}}", letter),
            (f"{letter}. {text}", letter),
        )
    yield from ((f"{right}, {wrong[0]}", "both"), (rf"{right} \text{{ or }} {wrong[0]}", "both"))


@family
def choices(draw: random.Random) -> Iterator[Form]:
    right = tuple(sorted(draw.sample("ABCDE", draw.randint(2, 3))))
    rest = [c for c in "ABCDE" if c not in right]
    yield ", ".join(right), right
    yield from ((",".join(right), right), (rf"\text{{{', '.join(right)}}}", right), (" and ".join(right), right))
    for other in (right[:-1], (*right, rest[0]), (*right[:-1], rest[-1])):
        yield ", ".join(other), other


@family
def date(draw: random.Random) -> Iterator[Form]:
    month, day, year = draw.randrange(12), draw.randint(1, 28), draw.randint(1900, 2100)

    def write(month: int, day: int, year: int) -> Form:
        return f"{MONTHS[month]} {day}, {year}", (month, day, year)

    yield write(month, day, year)
    value = write(month, day, year)[1]
    yield from ((f"{day} {MONTHS[month]} {year}", value), (rf"\text{{{write(month, day, year)[0]}}}", value))
    others = [(month, day + 1, year), ((month + 1) % 12, day, year), (month, day, year + 1), (month, day, year - 100)]
    if day <= 12 and day != month + 1:
        others.append((day - 1, month + 1, year))
    for other in others:
        yield from (write(*other), (f"{other[1]} {MONTHS[other[0]]} {other[2]}", other))


@family
def day_of_year(draw: random.Random) -> Iterator[Form]:
    month, day = draw.randrange(12), draw.randint(1, 28)
    yield rf"\text{{{MONTHS[month]} {day}}}", (month, day)
    yield from ((f"{MONTHS[month]} {day}", (month, day)), (f"{day} {MONTHS[month]}", (month, day)))
    for m, d in ((month, day + 1), ((month + 1) % 12, day), (month, 29 - day)):
        yield from ((f"{MONTHS[m]} {d}", (m, d)), (rf"\text{{{MONTHS[m]} {d}}}", (m, d)))
    yield from ((str(day), "day"), (MONTHS[month], "month"))


@family
def time_of_day(draw: random.Random) -> Iterator[Form]:
    hour, minute = draw.randint(1, 12), draw.randint(10, 58)
    yield f"{hour}:{minute}", (hour, minute)
    yield from ((rf"\text{{{hour}:{minute}}}", (hour, minute)), (f"${hour}:{minute}$", (hour, minute)))
    others = ((hour % 12 + 1, minute), (hour, minute + 1), (hour + 10, minute), (minute, hour + 60))
    yield from ((f"{h}:{m}", (h, m)) for h, m in others)


@family
def time_with_half(draw: random.Random) -> Iterator[Form]:
    hour, minute, half = draw.randint(1, 12), draw.randint(10, 58), draw.choice(("AM", "PM"))
    other = {"AM": "PM", "PM": "AM"}[half]
    yield rf"{hour}:{minute} \text{{ {half}}}", (hour, minute, half)
    yield from (
        (f"{hour}:{minute} {half}", (hour, minute, half)),
        (rf"\text{{{hour}:{minute} {half}}}", (hour, minute, half)),
    )
    for h, m, side in ((hour, minute, other), (hour % 12 + 1, minute, half), (hour, minute + 1, half)):
        yield from ((f"{h}:{m} {side}", (h, m, side)), (rf"{h}:{m} \text{{ {side}}}", (h, m, side)))


@family
def word(draw: random.Random) -> Iterator[Form]:
    right, wrong = draw.sample(draw.choice(OPPOSITES), 2)
    yield rf"\text{{{right}}}", right
    yield from (
        (right, right),
        (right.capitalize(), right),
        (rf"\textbf{{{right}}}", right),
        (rf"\mathrm{{{right}}}", right),
    )
    yield from ((wrong, wrong), (rf"\text{{{wrong}}}", wrong), (f"not {right}", "not"), (f"{right} or {wrong}", "both"))
    yield rf"\text{{{right} and {wrong}}}", "both"
