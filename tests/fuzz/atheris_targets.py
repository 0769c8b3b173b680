"""Coverage-guided fuzzing of one target, by atheris (PyPI; Linux, needs nothing else).

    python tests/fuzz/atheris_targets.py parser|verdict|protocol [libFuzzer options, e.g. -max_total_time=60]

parser    raw text to the mathematics parser: only ParseError
verdict   expressions and answers drawn from the bytes: e + 1 never passes, e never fails, nothing crashes
protocol  bytes to the sandbox's frame and plain-data decoders: only what their callers expect
"""

import sys

import atheris
import formulas

with atheris.instrument_imports(include=["gradus.verifiers"]):
    import laws

    from gradus.verifiers.base import find

    find("math")  # imports it here, under instrumentation


def parser(data: bytes) -> None:
    laws.any_text_is_read_or_refused(data.decode("utf-8", "replace"))


def verdict(data: bytes) -> None:
    draw = formulas.ByteSource(data)
    expression = formulas.expression(draw, 3)
    laws.one_more_never_passes(expression)
    laws.itself_never_fails(expression)
    laws.any_pair_is_judged(formulas.mutated(draw, expression), expression)


def protocol(data: bytes) -> None:
    laws.any_bytes_are_a_frame_or_refused(data)
    laws.any_bytes_are_a_frame_or_refused(laws.framed(data))
    laws.any_json_is_plain_or_refused(data)


if __name__ == "__main__":
    targets = {target.__name__: target for target in (parser, verdict, protocol)}
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name not in targets:
        sys.exit(__doc__)
    atheris.Setup(sys.argv, targets[name])
    atheris.Fuzz()
