"""Kinds of disobedience: the ids of the instructions that are not followed, all of them, as `punctuation:no_comma`."""

from __future__ import annotations

import re

from gradus.engine.making.kinds.base import WRONG, Failed, Kind, kinds, own_reason
from gradus.engine.records import canonical_json

ID = re.compile(r"[a-z_0-9]+:[a-z_0-9]+(?= \()")


@kinds("instruction", version=1)
def instruction(failed: Failed) -> Kind:
    """Read the ids out of the reason; a fault may quote the answer, so only ids of the problem count."""
    reason = own_reason(failed.reason)
    known = canonical_json(failed.spec)
    ids = dict.fromkeys(found for found in ID.findall(reason) if f'"{found}"' in known)
    return Kind(tuple(ids) or (WRONG,), reason)
