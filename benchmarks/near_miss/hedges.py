"""Answers that name the right one without giving it: several at once, denied, bounded, or to be computed with."""

from __future__ import annotations

import random
from collections.abc import Iterator

from near_miss.forms import Form, family

# {n} is right, {m} is not.
HEDGES = (
    *("{n} or {m}", "{m} or {n}", r"{n} \text{{ or }} {m}", "either {n} or {m}", "{n}, {m}", "{n}; {m}", "{n} / {m}"),
    *("{n} and {m}", "{n} = {m}", r"{n} \neq {m}", "{n} < {m}", "{n} to {m}", "{n}-{m}", "between {n} and {m}"),
    *("not {n}", r"\text{{not }} {n}", r"\neq {n}", "{m}, not {n}", "{m} (not {n})", "anything but {n}"),
    *("more than {n}", "at least {n}", "less than {n}", "> {n}", r"\ge {n}", "{n} or more", "up to {n}", "{n}+"),
    *("one more than {n}", "twice {n}", "half of {n}", "{n} squared", "{n} plus {m}", "{n} times {m}", "minus {n}"),
    *("negative {n}", "{n} million", r"{n} \text{{ thousand}}", "{n} dozen", "{n} hundred", "a multiple of {n}"),
    *(r"{n} \text{{ if }} x > 0, {m} \text{{ otherwise}}", "maybe {n}, maybe {m}", r"{n} \vee {m}", r"{n} \mid {m}"),
    *(r"\{{{n}, {m}\}}", "({n}, {m})", "[{n}, {m}]", "{n}_{m}", "{n}^{{{m}}}", "{n}{m}", "{n}!", r"\sqrt{{{n}}}"),
    *(
        r"{n} \boxed{{{m}}}",
        r"\boxed{{{n}}} \boxed{{{m}}}",
        "{n}, no, {m}",
        "perhaps {n}, perhaps {m}",
        "{n} {m}",
        "x > {n}",
    ),
)
PLAINLY = (
    *("{n}.", "${n}$", r"\text{{{n}}}", "+{n}", "x = {n}", "{n}.00", r"\mathbf{{{n}}}", r"\,{n}\,", "({n})"),
    *(r"\left({n}\right)", "= {n}", r"{{{n}}}", r"\displaystyle {n}", "n = {n}", r"{n}\ ", r"{n} \quad"),
)


@family
def hedged(draw: random.Random) -> Iterator[Form]:
    n, m = draw.sample(range(3, 2000), 2)
    yield str(n), "right"
    yield from ((plainly.format(n=n), "right") for plainly in draw.sample(PLAINLY, 6))
    yield from ((hedge.format(n=n, m=m), "wrong") for hedge in draw.sample(HEDGES, 12))
