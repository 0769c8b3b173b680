"""`gradus upscale MODEL OUT --width K --depth N`."""

from __future__ import annotations

import argparse
from pathlib import Path

from gradus.api.commands.base import Result, command
from gradus.errors import ConfigError

AXES = ("hidden", "heads", "ffn")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a Hugging Face folder, a run's name, or `default`")
    parser.add_argument("out", type=Path, help="the folder to write; the same command again goes on, or does nothing")
    parser.add_argument("--width", default="1", metavar="K", help="times as wide; or apart, as hidden=2,heads=2,ffn=4")
    parser.add_argument("--depth", type=int, metavar="N", help="layers of the result (default: as many as there are)")
    parser.add_argument("--noise", type=float, default=0.1, help="what tells copies apart, over the weights (0.1)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="(default: float32)")
    parser.add_argument("--check", action="store_true", help="run both models on some tokens and compare their logits")


@command("upscale", 8, _arguments)
def upscale(args: argparse.Namespace) -> Result:
    """Make a wider or deeper model that computes the same function, to go on training."""
    width = read_width(args.width)
    from gradus.api.progress import progress
    from gradus.api.runs import model_folder
    from gradus.engine.models import model_id
    from gradus.engine.workspace import Workspace
    from gradus.trainer import upscale as upscaling

    how = upscaling.Upscaling(**width, depth=args.depth, noise=args.noise, seed=args.seed, dtype=args.dtype)
    folder = model_folder(Workspace(args.workspace), args.model)
    plan = upscaling.Plan(folder, how)
    with progress("weights", len(plan.weights)) as advance:
        made = upscaling.upscale(folder, args.out, plan, origin=model_id(folder), advance=advance)
    found = {
        "model": str(args.out),
        "made": made,
        "parameters": plan.num_parameters,
        "layers": plan.config["num_hidden_layers"],
        "hidden_size": plan.config["hidden_size"],
        "heads": plan.config["num_attention_heads"],
        "intermediate_size": plan.config["intermediate_size"],
        "weights": len(plan.weights),
        "files": len(plan.shards),
    }
    text = (
        f"{'wrote' if made else 'there already:'} {args.out}: {plan.num_parameters:,} parameters, "
        f"{found['layers']} layers, {found['hidden_size']} wide, {found['heads']} heads, {found['files']} files"
    )
    if args.check:
        from gradus.trainer.compare import largest_difference

        found["max_difference"] = largest_difference(folder, args.out)
        text += f"\nlogits differ by at most {found['max_difference']:.2g}"
    return Result(found, text)


def read_width(text: str) -> dict[str, int]:
    """Return the copies by axis of `2`, or of `hidden=2,ffn=4`."""
    words = [word.partition("=") for word in text.split(",")] if "=" in text else [(axis, "", text) for axis in AXES]
    if not all(axis in AXES and copies.isdecimal() for axis, _, copies in words):
        raise ConfigError(f"--width {text}: is a whole number, or some of {', '.join(AXES)}, as hidden=2,ffn=4")
    return {axis: int(copies) for axis, _, copies in words}
