"""The closed word lists that kinds of instruction refer to.

NAMES, CONJUNCTIONS and PRONOUNS are named by IFBench's instructions (Apache-2.0) themselves. STOP_WORDS are the words
of NLTK's English list without those that hold an apostrophe, which cannot match a word; it goes back to Porter's
Snowball list (BSD-3-Clause). EMOJI are the single code points that Unicode 17's emoji data names (Unicode License
v3). VERBS is our own: common verbs, whose forms `is_verb` makes, where IFBench asks NLTK's tagger about the word in
its context; a rarer verb is not recognised, and a noun that is also a verb ("Plan") counts as a verb.
"""

from __future__ import annotations

import re


def listed(words: str) -> tuple[str, ...]:
    """Return the words that spaces divide."""
    return tuple(words.split())


CONJUNCTIONS = frozenset(("and", "but", "for", "nor", "or", "so", "yet"))

NAMES = frozenset(
    listed(
        "Emma Liam Sophia Jackson Olivia Noah Ava Lucas Isabella Mason Mia Ethan Charlotte Alexander Amelia Benjamin "
        "Harper Leo Zoe Daniel Chloe Samuel Lily Matthew Grace Owen Abigail Gabriel Ella Jacob Scarlett Nathan "
        "Victoria Elijah Layla Nicholas Audrey David Hannah Christopher Penelope Thomas Nora Andrew Aria Joseph Claire "
        "Ryan Stella Jonathan"
    )
)

PRONOUNS = frozenset(
    listed(
        "i me we us you he him she her it they them my mine our ours your yours his hers its their theirs myself "
        "ourselves yourself yourselves himself herself itself themselves this that these those who whom whose which "
        "what whoever whomever whatever whichever anybody anyone anything everybody everyone everything nobody nothing "
        "somebody someone something each either neither both all some any none"
    )
)

STOP_WORDS = frozenset(
    listed(
        "i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers "
        "herself it its itself they them their theirs themselves what which who whom this that these those am is are "
        "was were be been being have has had having do does did doing a an the and but if or because as until while of "
        "at by for with about against between into through during before after above below to from up down in out on "
        "off over under again further then once here there when where why how all any both each few more most other "
        "some such no nor not only own same so than too very s t can will just don should now d ll m o re ve y ain "
        "aren couldn didn doesn hadn hasn haven isn ma mightn mustn needn shan shouldn wasn weren won wouldn"
    )
)

_VERBS = frozenset(
    listed(
        "accept access achieve act adapt add adjust admit adopt advise agree aim allow alter analyze answer appear "
        "apply approach argue arrange arrive ask assemble assess assign assist assume attach attempt attend avoid bake "
        "balance bear beat become begin believe bend bind blend boil book borrow break breathe bring brush build buy "
        "calculate call carry catch celebrate change charge check choose clean clear click climb close collect combine "
        "come commit compare compile complete compose compute concentrate conclude confirm connect consider construct "
        "consult contact contain continue contribute control convert cook cool copy correct count cover craft create "
        "cross cut dance deal decide declare decorate define deliver demonstrate depend derive describe design detail "
        "determine develop die discover discuss display distribute divide do dive download draft drag draw dream drink "
        "drive drop earn eat edit eliminate embark embrace employ enable encourage end engage enhance enjoy enroll "
        "ensure enter establish estimate evaluate examine exercise exist expand expect experience explain explore "
        "express extend extract face facilitate fall fasten feed feel fight figure file fill filter find finish fit "
        "fix fly focus fold follow forget forgive form format foster freeze fry gain gather generate get give go grab "
        "greet grind grow guess guide handle hang happen harness have hear heat help hide highlight hire hold hope "
        "hunt identify ignore imagine implement import improve include incorporate increase indicate influence inform "
        "inspect inspire install integrate introduce invest investigate invite involve join journey jump keep kill "
        "kneel know label laugh launch lay lead lean learn leave lend let leverage lift light limit link list listen "
        "live load locate look lose love maintain make manage map mark marinate match mean measure meet melt mention "
        "mix modify monitor move name navigate need negotiate note notice number obey observe obtain offer open "
        "operate optimize order organize overcome own pack paint participate pass pause pay perform persist pick place "
        "plan plant play point pour practice prepare present press prevent print prioritize proceed process produce "
        "promote protect prove provide publish pull purchase push put quit raise rate reach read realize receive "
        "recognize recommend record reduce refer reflect refuse regard register reject relate relax release rely "
        "remain remember remind remove repeat replace reply report represent request require research resolve respect "
        "respond rest restart return reveal review revise rewrite ride ring rinse rise roll run save say schedule "
        "search secure see seek select sell send separate serve set share shift shine shop show shut sign simplify "
        "sing sit skip sleep slice smile solve sort speak specify spend split spread stand start state stay steal "
        "stick stimulate stir stop store strengthen stretch strike strive structure struggle study submit substitute "
        "succeed suggest summarize supply support suppose swim switch take talk teach tell tend test thank think throw "
        "tie touch track train transform translate transport travel treat try turn type uncover understand undertake "
        "unite unleash unlock update upgrade upload use utilize validate value verify view visit visualize wait wake "
        "walk want warm warn wash watch wear weave weigh welcome whisper win wish wonder work worry wrap write yield "
        "zoom"
    )
)
_IRREGULAR = frozenset(
    listed(
        "am is are was were be been being has had does did done went gone came became began begun broke broken brought "
        "built bought caught chose chosen dealt drew drawn dreamt drank drunk drove driven ate eaten fell fallen fed "
        "felt fought found flew flown forgot forgotten forgave froze frozen got gotten gave given grew grown hung "
        "heard hid hidden held kept knew known laid led leapt learnt left lent lost made meant met paid ran said saw "
        "seen sold sent shone shot sang sung sat slept spoke spoken spent stood stole stolen stuck struck swam swum "
        "took taken taught told thought threw thrown understood woke woken wore worn won wrote written let's"
    )
)


def is_verb(word: str) -> bool:
    """Whether the word is a form of a listed verb."""
    word = word.lower()
    if word in _VERBS or word in _IRREGULAR:
        return True
    for ending in ("ing", "ed", "es", "s"):
        stem = word.removesuffix(ending)
        if stem != word and _bases(stem) & _VERBS:
            return True
    return False


def _bases(stem: str) -> set[str]:
    """Return what a stem may come from: mak-e, stopp → stop, tri → try, walk."""
    return {
        stem,
        stem + "e",
        stem[:-1] + "y" if stem[-1:] == "i" else stem,
        stem[:-1] if stem[-2:-1] == stem[-1:] else stem,
    }


def _emoji() -> str:
    """Return a character class of the ranges."""
    ranges = (part.partition("-") for part in _EMOJI_RANGES.split())
    return "".join(f"{chr(int(low, 16))}-{chr(int(high or low, 16))}" for low, _, high in ranges)


_EMOJI_RANGES = """
a9 ae 203c 2049 2122 2139 2194-2199 21a9-21aa 231a-231b 2328 23cf 23e9-23f3 23f8-23fa 24c2 25aa-25ab 25b6 25c0
25fb-25fe 2600-2604 260e 2611 2614-2615 2618 261d 2620 2622-2623 2626 262a 262e-262f 2638-263a 2640 2642 2648-2653
265f-2660 2663 2665-2666 2668 267b 267e-267f 2692-2697 2699 269b-269c 26a0-26a1 26a7 26aa-26ab 26b0-26b1 26bd-26be
26c4-26c5 26c8 26ce-26cf 26d1 26d3-26d4 26e9-26ea 26f0-26f5 26f7-26fa 26fd 2702 2705 2708-270d 270f 2712 2714 2716
271d 2721 2728 2733-2734 2744 2747 274c 274e 2753-2755 2757 2763-2764 2795-2797 27a1 27b0 27bf 2934-2935 2b05-2b07
2b1b-2b1c 2b50 2b55 3030 303d 3297 3299 1f004 1f0cf 1f170-1f171 1f17e-1f17f 1f18e 1f191-1f19a 1f201-1f202 1f21a 1f22f
1f232-1f23a 1f250-1f251 1f300-1f321 1f324-1f393 1f396-1f397 1f399-1f39b 1f39e-1f3f0 1f3f3-1f3f5 1f3f7-1f4fd
1f4ff-1f53d 1f549-1f54e 1f550-1f567 1f56f-1f570 1f573-1f57a 1f587 1f58a-1f58d 1f590 1f595-1f596 1f5a4-1f5a5 1f5a8
1f5b1-1f5b2 1f5bc 1f5c2-1f5c4 1f5d1-1f5d3 1f5dc-1f5de 1f5e1 1f5e3 1f5e8 1f5ef 1f5f3 1f5fa-1f64f 1f680-1f6c5
1f6cb-1f6d2 1f6d5-1f6d9 1f6dc-1f6e5 1f6e9 1f6eb-1f6ec 1f6f0 1f6f3-1f6fc 1f7e0-1f7eb 1f7f0 1f90c-1f93a 1f93c-1f945
1f947-1f9ff 1fa70-1fa7c 1fa80-1fac6 1fac8 1facc-1fadd 1fadf-1faeb 1faef-1fafa
"""
EMOJI = re.compile(f"[{_emoji()}]")
