"""Questions about motion, forces, energy, electricity, heat and waves."""

from __future__ import annotations

from fractions import Fraction

from gradus.engine.sources.stem_form import Template, decimals, span

HEAT = "The specific heat capacity of water is 4200 J/(kg·°C)."
GRAVITY = "Take g = 10 N/kg."

PHYSICS = (
    Template(
        name="speed",
        level=1,
        ask="A cyclist rides {d} m in {t} s at a constant speed. What is the speed?",
        given={"d": span(60, 600, 12), "t": span(8, 60, 4)},
        answer=lambda d, t: d / t,
        slips=lambda d, t: (t / d, d * t, 2 * d / t, d / t * Fraction(18, 5), d - t),
        unit="m/s",
    ),
    Template(
        name="force",
        level=1,
        ask="A trolley of mass {m} kg accelerates at {a} m/s². What is the resultant force on it?",
        given={"m": span(2, 40), "a": decimals("0.5", "1.5", "2", "2.5", "3", "4", "6")},
        answer=lambda m, a: m * a,
        slips=lambda m, a: (m / a, a / m, m + a, m * a * 10, m * a / 2),
        unit="N",
    ),
    Template(
        name="density",
        level=1,
        ask="A block of {m} g takes up {v} cm³. What is its density?",
        given={"m": span(30, 900, 15), "v": span(10, 150, 5)},
        answer=lambda m, v: m / v,
        slips=lambda m, v: (v / m, m * v, m - v, m / v * 1000),
        unit="g/cm³",
    ),
    Template(
        name="ohm",
        level=1,
        ask="A current of {i} A flows through a resistor of {r} Ω. What is the voltage across it?",
        given={"i": decimals("0.2", "0.5", "1.5", "2", "3", "4"), "r": span(4, 120, 4)},
        answer=lambda i, r: i * r,
        slips=lambda i, r: (r / i, i / r, i + r, i * i * r),
        unit="V",
    ),
    Template(
        name="wave",
        level=1,
        ask="A wave has a frequency of {f} Hz and a wavelength of {w} m. How fast does it travel?",
        given={"f": span(5, 200, 5), "w": decimals("0.2", "0.4", "1.5", "2", "3", "6.8")},
        answer=lambda f, w: f * w,
        slips=lambda f, w: (f / w, w / f, f + w, 1 / (f * w)),
        unit="m/s",
    ),
    Template(
        name="kinetic energy",
        level=2,
        ask="What is the kinetic energy of a body of mass {m} kg that moves at {v} m/s?",
        given={"m": span(2, 60, 2), "v": span(3, 30)},
        answer=lambda m, v: m * v * v / 2,
        slips=lambda m, v: (m * v * v, m * v, m * v / 2, m * m * v / 2),
        unit="J",
    ),
    Template(
        name="acceleration",
        level=2,
        ask="A car speeds up evenly from {u} m/s to {v} m/s in {t} s. What is its acceleration?",
        given={"u": span(4, 12), "v": span(16, 40, 2), "t": span(3, 12)},
        answer=lambda u, v, t: (v - u) / t,
        slips=lambda u, v, t: (v / t, (u + v) / t, (u + v) / 2, t / (v - u), (v - u) * t),
        unit="m/s²",
    ),
    Template(
        name="lifting",
        level=2,
        ask=f"{{m}} kg are lifted by {{h}} m. How much gravitational potential energy is gained? {GRAVITY}",
        given={"m": span(3, 80), "h": decimals("0.5", "1.5", "2", "4", "6", "12", "25")},
        answer=lambda m, h: m * 10 * h,
        slips=lambda m, h: (m * h, m * 10 / h, m * 10 * h / 2, m * 10 + h),
        unit="J",
    ),
    Template(
        name="resistance",
        level=2,
        ask="A lamp takes {p} W at {v} V. What is its resistance?",
        given={"p": span(4, 60, 4), "v": decimals("6", "12", "24", "48")},
        answer=lambda p, v: v * v / p,
        slips=lambda p, v: (v / p, p / v, p / (v * v), v * p),
        unit="Ω",
    ),
    Template(
        name="kilometres an hour",
        level=3,
        ask="A train travels at {k} km/h. How far does it go in {t} s?",
        given={"k": span(36, 216, 18), "t": span(5, 90, 5)},
        answer=lambda k, t: k * Fraction(5, 18) * t,
        slips=lambda k, t: (k * t, k * Fraction(18, 5) * t, k / t, k * t / 60, k * 1000 / t),
        unit="m",
    ),
    Template(
        name="heating",
        level=3,
        ask=f"A kettle gives {{p}} kW to {{m}} kg of water. How long does it take to warm it by {{d}} °C? {HEAT}",
        given={"p": decimals("1", "1.5", "2", "3"), "m": decimals("0.5", "0.8", "1", "1.5", "2"), "d": span(10, 80, 5)},
        answer=lambda p, m, d: m * 4200 * d / (p * 1000),
        slips=lambda p, m, d: (
            m * 4200 * d / p,
            p * 1000 / (m * 4200 * d),
            4200 * d / (p * 1000 * m),
            m * 4200 * d / 60,
        ),
        unit="s",
    ),
    Template(
        name="parallel resistors",
        level=3,
        ask="Two resistors of {a} Ω and {b} Ω are in parallel. What is their total resistance?",
        given={"a": span(3, 30, 3), "b": span(4, 60, 4)},
        answer=lambda a, b: a * b / (a + b),
        slips=lambda a, b: (a + b, 1 / a + 1 / b, (a + b) / 2, a * b, abs(a - b)),
        unit="Ω",
    ),
    Template(
        name="cost of power",
        level=3,
        ask="A heater of {p} W runs {h} hours a day. What does it cost in {n} days at {c} cents per kWh?",
        given={"p": span(400, 2000, 200), "h": span(2, 8), "n": span(5, 30, 5), "c": span(12, 36, 4)},
        answer=lambda p, h, n, c: p * h * n * c / 1000,
        slips=lambda p, h, n, c: (p * h * n * c, p * h * c / 1000, p * n * c / 1000, p * h * n / 1000),
        unit="cents",
    ),
    Template(
        name="height of a throw",
        level=4,
        ask=f"A ball of {{m}} g is thrown straight up at {{v}} m/s. How high does it rise, without drag? {GRAVITY}",
        given={"m": span(50, 400, 50), "v": span(6, 30)},
        answer=lambda m, v: v * v / 20,  # noqa: ARG005
        slips=lambda m, v: (v * v / 10, v / 10, v * v / 2, m * v * v / 2000, v * 10),
        unit="m",
    ),
    Template(
        name="mixing",
        level=4,
        ask="{a} kg of water at {t} °C are poured into {b} kg at {u} °C. What is the temperature of the mixture, "
        "if no heat is lost?",
        given={"a": span(1, 6), "b": span(2, 9), "t": span(60, 95, 5), "u": span(10, 30, 4)},
        answer=lambda a, b, t, u: (a * t + b * u) / (a + b),
        slips=lambda a, b, t, u: ((t + u) / 2, (b * t + a * u) / (a + b), t - u, a * t / (a + b)),
        unit="°C",
    ),
    Template(
        name="braking",
        level=4,
        ask="A driver at {v} m/s reacts in {r} s, then brakes at {a} m/s². How far does the car go until it stops?",
        given={"v": span(10, 36, 2), "r": decimals("0.5", "0.8", "1", "1.2"), "a": span(4, 8)},
        answer=lambda v, r, a: v * r + v * v / (2 * a),
        slips=lambda v, r, a: (v * v / (2 * a), v * r, v * r + v * v / a, v * r + v / a),
        unit="m",
    ),
)
