"""`gradus curriculum build --dry-run` in words: tables of stages and entries, and what is missing with its command."""

from __future__ import annotations

from typing import Any

from gradus.api.commands.table import table


def plan_text(found: dict[str, Any]) -> str:
    """Return what `steps.plan` found, as text."""
    parts = [f"for {found['student']}: {found['kept']} of {found['in']} traces would be taken; nothing is written"]
    parts += [_stage_text(stage) for stage in found["stages"]]
    parts.append(_rl_text(found["rl"]))
    if found["dropped"]:
        parts.append("left out:\n" + "\n".join(f"  {num:>8} {reason}" for reason, num in found["dropped"].items()))
    if found["missing"]:
        lines = (f"  {need['num']:>8} {need['what']}\n           {need['command']}" for need in found["missing"])
        parts.append("missing:\n" + "\n".join(lines))
    else:
        parts.append("nothing is missing")
    return "\n\n".join(parts)


def _rl_text(section: dict[str, Any]) -> str:
    head = f"RL: {sum(section['active'].values())} problems active, {sum(section['reserve'].values())} in reserve"
    domains = sorted({*section["active"], *section["reserve"]})
    rows = [
        {"domain": name} | {what: section[what].get(name, 0) for what in ("active", "reserve", "quotas")}
        for name in domains
    ]
    out = (f"  {num:>8} left out: {reason}" for reason, num in section["left_out"].items())
    return "\n".join([head, *([table(rows)] if rows else []), *(f"  {text}" for text in section["lacking"]), *out])


def _stage_text(stage: dict[str, Any]) -> str:
    head = (
        f"stage {stage['name']}, {stage['context_length']} tokens, {stage['policy']}: {stage['num_tokens']} of "
        f"{stage['token_budget']} tokens, {stage['num_sequences']} sequences {stage['utilisation']:.1%} full"
    )
    rows = [
        {
            "entry": entry["entry"],
            "wanted": entry["wanted_tokens"],
            "available": entry["available_tokens"],
            "taken": entry["num_tokens"],
            "traces": f"{entry['num_traces']} of {entry['available_traces']}",
            "sequences": entry["num_sequences"],
            "full": f"{entry['utilisation']:.1%}",
            "short of": entry["shortage"],
        }
        for entry in stage["entries"]
    ]
    return "\n".join([head, table(rows), *(f"  {text}" for text in stage["lacking"])])
