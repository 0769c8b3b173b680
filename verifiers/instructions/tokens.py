"""Words and punctuation marks of one sentence, as the Penn Treebank divides them and NLTK's word_tokenize does.

A full stop is a token of its own only at the end of the sentence; contractions are cut (ca|n't, it|'s). Rare
differences: doubled commas and colons, an apostrophe inside a run of quotation marks, and quotation marks keep
their own form, where NLTK writes `` and ''.
"""

from __future__ import annotations

import re

# A run holds a comma or colon only before a digit, and neither two dots, two hyphens nor two apostrophes.
_TOKEN = re.compile(
    r"(?:[^\s.,:'\-;@#$%&?!*()\[\]{}<>\"`«»“”‘’„\u2012-\u2015]++|\.(?!\.)|[,:](?=\d)|-(?!-)|'(?!'))++"
    r"|\.{2,}|--|''|``|\S"
)
_CLOSERS = frozenset("])}>\"'»”’")
_CLITIC = re.compile(r"(?:n't|'(?:s|m|d|ll|re|ve)?)$", re.IGNORECASE)
_WHOLE_CLITICS = frozenset(("'s", "'m", "'d", "'ll", "'re", "'ve", "'t", "'n", "n't"))
_JOINED = {
    "cannot": 3, "gimme": 3, "gonna": 3, "gotta": 3, "lemme": 3, "wanna": 3, "d'ye": 1, "more'n": 4,
    "'tis": 2, "'twas": 2,
}  # fmt: skip
"""Words that are two, and where they are cut."""


def tokens(sentence: str) -> list[str]:
    """Return the tokens in order."""
    found: list[str] = _TOKEN.findall(sentence)
    last = len(found) - 1
    while last >= 0 and found[last] in _CLOSERS:
        last -= 1
    if last >= 0 and len(found[last]) > 1 and found[last][-1] == "." and found[last][-2] != ".":
        found[last : last + 1] = [found[last][:-1], "."]
    if "'" not in sentence and _JOINED.keys().isdisjoint(sentence.lower().split()):
        return found
    cut: list[str] = []
    for token in found:
        if "'" in token or token.lower() in _JOINED:
            cut.extend(_parts(token))
        else:
            cut.append(token)
    return cut


def _parts(token: str) -> list[str]:
    """Cut contractions, and an apostrophe in front."""
    lower = token.lower()
    if at := _JOINED.get(lower):
        return [token[:at], token[at:]]
    if "'" not in token or len(token) == 1 or lower in _WHOLE_CLITICS:
        return [token]
    if token[0] == "'":
        return ["'", *_parts(token[1:])]
    clitic = _CLITIC.search(token)
    if clitic and clitic.start():
        return [token[: clitic.start()], token[clitic.start() :]]
    return [token]
