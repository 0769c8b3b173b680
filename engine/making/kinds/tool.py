"""Kinds of wrong tool calls.

`wrong tool`, `missing argument`, `unknown argument`, `wrong value`, `call too many`, `needless call`; `breaks the
schema` for answers judged by json_schema.
"""

from __future__ import annotations

import re

from gradus.engine.making.kinds.base import WRONG, Failed, Kind, kinds, own_reason

KINDS = {
    "needless call": re.compile(r"^called .*, expected no call$"),
    "call too many": re.compile(r"^made a call too many: "),
    "missing argument": re.compile(r"^(?:call \d+: )?\S+ lacks argument "),
    "unknown argument": re.compile(r"^(?:call \d+: )?\S+ takes no argument "),
    "wrong value": re.compile(r"^(?:call \d+: )?\S+: .* is .*, expected "),
    "wrong tool": re.compile(r"^expected a call of |^(?:call \d+: )?called .*, expected "),
    "breaks the schema": re.compile(r"^at \$.*: "),
}


@kinds("tool", version=1)
def tool(failed: Failed) -> Kind:
    """Read the reason."""
    reason = own_reason(failed.reason)
    name = next((name for name, pattern in KINDS.items() if pattern.search(reason)), WRONG)
    return Kind((name,), reason)
