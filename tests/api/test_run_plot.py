import math

import pytest

from gradus.api.run_plot import run_figure, write_run
from gradus.errors import ConfigError, DataError


def sft(step):
    row = {"stage": "short" if step <= 60 else "long", "loss": 2.5 * math.exp(-step / 60) + 0.2 * (step % 3)}
    row |= {"grad_norm": 1.0 + (step % 5) / 5, "lr": 1e-5}
    row |= {"tokens": 16384, "tokens_per_s": 25500.0, "mfu": 0.47, "memory_gib": 61.0}
    return row | ({"guard": "skip", "loss": 9.0} if step == 40 else {})


@pytest.fixture
def rows():
    """Return 100 steps in two stages, one of them skipped, evaluated at first and every 20."""
    found = [{"step": 0, "eval_pass_rate": 0.1, "eval_problems": 40, "eval_loss": 2.9}]
    for step in range(1, 101):
        tried = {"eval_pass_rate": 0.1 + step / 250, "eval_problems": 40, "eval_loss": 2.9 - step / 100}
        found.append({"step": step} | sft(step) | ({} if step % 20 else tried))
    return found


def panels(figure):
    return {axes.get_title(): axes for axes in figure.axes if axes.axison}


def test_every_thing_that_was_measured_has_a_panel(rows):
    found = panels(run_figure(rows))
    assert list(found) == [
        "loss, nats a token",
        "pass rate of held-out problems",
        "learning rate",
        "norm of the gradient",
        "tokens a second",
        "share of the device's peak (MFU)",
        "memory, GiB",
    ]


def test_loss_panel_holds_the_steps_the_held_out_loss_the_stages_and_what_was_skipped(rows):
    axes = panels(run_figure(rows))["loss, nats a token"]
    points, smooth, skipped, heldout, boundary = axes.lines
    assert list(points.get_xdata()) == [step for step in range(1, 101) if step != 40]
    assert smooth.get_ydata()[39] == pytest.approx(sum(sft(step)["loss"] for step in (37, 38, 39, 41)) / 4)
    assert (list(skipped.get_xdata()), list(skipped.get_ydata())) == ([40], [9.0])
    assert list(heldout.get_xdata()) == [0, 20, 40, 60, 80, 100]
    assert list(boundary.get_xdata()) == [60.5, 60.5]
    assert [text.get_text() for text in axes.texts] == ["long"]


def test_the_pass_rate_is_drawn_with_its_interval(rows):
    (band,) = panels(run_figure(rows))["pass rate of held-out problems"].collections
    _, bottom = band.get_datalim(band.axes.transData).min
    _, top = band.get_datalim(band.axes.transData).max
    # Wilson's of 4 in 40, and of 20 in 40.
    assert (bottom, top) == pytest.approx((0.0396, 0.6480), abs=1e-3)


@pytest.mark.parametrize(("kind", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_the_name_says_the_format(kind, begins, rows, tmp_path):
    write_run(rows, tmp_path / f"run.{kind}", title="sft-1")
    assert (tmp_path / f"run.{kind}").read_bytes().startswith(begins)


def test_another_format_is_refused(rows, tmp_path):
    with pytest.raises(ConfigError, match=r"ends in \.png or \.svg"):
        write_run(rows, tmp_path / "run.pdf", title="sft-1")


def test_nothing_measured_is_nothing_to_draw(tmp_path):
    with pytest.raises(DataError, match="nothing was measured yet"):
        write_run([], tmp_path / "run.png", title="sft-1")


def test_a_learning_rate_is_not_smoothed_and_what_was_not_measured_is_not_named():
    rows = [{"step": step, "loss": 1.0, "lr": 1e-5 * step} for step in range(1, 21)]
    found = panels(run_figure(rows))
    _, line, *_ = found["learning rate"].lines
    assert list(line.get_ydata()) == [row["lr"] for row in rows]
    assert found["loss, nats a token"].get_legend() is None
