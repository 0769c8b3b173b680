"""IFBench's 58 kinds: each followed and broken, the quirks kept, and the data set's own odd arguments."""

import pytest

import gradus.verifiers.instruction  # noqa: F401 - registers the kinds
from gradus.verifiers.base import SpecError, check_spec, verify
from gradus.verifiers.instructions.registry import known
from gradus.verifiers.instructions.sentences import sentences, simple_sentences
from gradus.verifiers.instructions.syllables import num_syllables
from gradus.verifiers.instructions.tokens import tokens
from gradus.verifiers.instructions.vocabulary import listed

FIVE = {"keyword1": "ant", "keyword2": "bee", "keyword3": "cow", "keyword4": "dog", "keyword5": "elk"}
AFRICA = listed(
    "Zimbabwe Zambia Uganda Tunisia Togo Tanzania Sudan Somalia Seychelles Senegal Rwanda Nigeria Niger Namibia "
    "Mozambique Morocco Mauritius Mauritania Mali Malawi Madagascar Libya Liberia Lesotho Kenya Guinea Ghana Gambia "
    "Gabon Ethiopia Eswatini Eritrea Egypt Djibouti Congo Comoros Chad Cameroon Burundi Botswana Benin Angola Algeria"
)
AFRICA = sorted([*AFRICA, *(f"Y{i}" for i in range(10, 20))], reverse=True)
CAPITALS = (
    "Reykjavik, Helsinki, Oslo, Tallinn, Stockholm, Riga, Moscow, Copenhagen, Vilnius, Minsk, Dublin, Berlin, "
    "Amsterdam, Warsaw, London, Brussels, Prague, Luxembourg, Paris, Vienna, Bratislava, Budapest, Vaduz, Chișinău, "
    "Bern, Ljubljana, Zagreb"
)
OPTIONS = "\na) one\nb) two\nc) three\nd) four\ne) five"
MCQ = "\n\n".join(f"Question {i}: {'Who was it ' * i}?{OPTIONS}" for i in range(1, 5))
ALPHABET = " ".join(f"{chr(65 + i)}nd it went on." for i in range(26))
CITY = "ID,Country,City,Year,Count\n" + "1,France,Paris,2020,5\n" * 7
PRODUCTS = "ProductID,Category,Brand,Price,Stock\n" + "1,a,b,2,3\n" * 13 + '2,a,"b&c",2,3'
STUDENTS = "\n".join(
    ["\t".join(f'"{name}"' for name in ("StudentID", "Subject", "Grade", "Semester", "Score"))]
    + ['"1"\t"a"\t"b"\t"2"\t"3"'] * 3
)
REQUEST = "Say hello to Ann."

CASES = [
    ("count:word_count_range", {"min_words": 2, "max_words": 3}, "two words", "just a few more"),
    ("count:unique_word_count", {"N": 3}, "one two, Two three", "one two. Two! one"),
    ("count:conjunctions", {"small_n": 2}, "you and I or we", "you or I or we"),
    ("count:person_names", {"N": 2}, "Emma met Noah.", "Emma met Noahs and Emma."),
    ("count:numbers", {"N": 2}, "1,000 is not 3.5", "1 2 3"),
    ("count:punctuation", {}, "A, b; c: d! e? f. g?!", "A, b; c: d? f. g?!"),
    ("count:words_japanese", {"N": 2}, "one 日本 three ひと", "one two three 日本"),
    ("count:pronouns", {"N": 3}, "He/she saw it.", "He saw the city."),
    ("count:keywords_multiple", FIVE, "ant" + "bee" * 2 + "cow" * 3 + "dog" * 5 + "elk" * 7, "ant bee cow dog elk"),
    ("ratio:stop_words", {"percentage": 50}, "the big cat", "it is the cat"),
    ("ratio:sentence_type", {}, "It is. It was. Is it?", "It is. Is it?"),
    ("ratio:sentence_balance", {}, "It is. Is it? It is!", "It is. Is it?"),
    ("ratio:sentence_words", {}, "One is. Two do. Six is.", "One is. Two do. Three is."),
    ("ratio:overlap", {"reference_text": "abcdef", "percentage": 50}, "abcdxy", "abcdef"),
    ("words:alphabet", {}, "You zoom a bit", "you zoom b"),
    ("words:vowel", {}, "a big red cat", "a big red hot cat"),
    ("words:consonants", {}, "Big".replace("B", "Br") + " cats", "big cats"),
    ("words:palindrome", {}, "level " * 10, "level " * 9 + "noon"),
    ("words:prime_lengths", {}, "it was great", "it were great"),
    ("words:start_verb", {}, "Stopping is hard.", "Hard it is."),
    ("words:repeats", {"small_n": 2}, "a b. A c", "a b a c a"),
    ("words:odd_even_syllables", {}, "the water is open now", "the cat is open"),
    ("words:last_first", {}, "It is cold. Cold it is.", "It is cold. It is."),
    ("words:paragraph_last_first", {}, "Home is home.\n\nSea oh sea.", "Home is here."),
    ("words:no_consecutive", {}, "big cats are big", "big bad cats"),
    ("words:keywords_specific_position", {"keyword": "sea", "n": 2, "m": 3}, "Hi. By, the Sea.", "Hi. The sea is."),
    ("words:words_position", {"keyword": "sea"}, "The sea is a sea here.", "The sea is here."),
    ("sentence:keyword", {"word": "sea", "N": 2}, "Hi. The sea.", "The sea. Hi seas."),
    ("sentence:increment", {"small_n": 2}, "Go. Go on now.", "Go. Go on."),
    ("sentence:alliteration_increment", {}, "It was. Big bad cats. Big bad brown cats.", "Big bad cats. It was."),
    ("format:parentheses", {}, "(a [b {c (d [e] d)}])", "(a [b {c (d)}])"),
    ("format:quotes", {}, '"a \'b "c" b\' a"', "\"a 'b' a\""),
    ("format:options", {"options": "yes/no/maybe"}, " Maybe. ", "Maybe not"),
    ("format:newline", {}, "Each\nword,\n\nalone", "Each word\nalone"),
    ("format:emoji", {}, "It is fun 😀. Yes! 🎉", "It is fun 😀. Yes!"),
    ("format:line_indent", {}, "a\n b\n   c", "a\n b\n c"),
    ("format:quote_unquote", {}, '"Go" means leave.', 'He said "go".'),
    ("format:list", {"sep": "!?!?"}, "!?!? a !?!? b", "!?!? a"),
    ("format:thesis", {}, "<i>It is so.</i> Because.", "<i>It is so.</i>"),
    ("format:sub-bullets", {}, "* a\n - b\n* c\n - d", "* a\n - b\n* c"),
    ("format:no_bullets_bullets", {}, "It is. It was.\n* a\n* b", "It is. It was.\n* a\n* b\nIt ends."),
    ("format:title_case", {}, "The Big NASA iPhone Is 4u", "The big One"),
    ("format:output_template", {}, "My Answer: a My Conclusion: b Future Outlook: c", "My Answer: a"),
    ("format:no_whitespace", {}, "one-word", "one word"),
    ("repeat:repeat_change", {"prompt_to_repeat": REQUEST}, "Shout hello to Ann.", REQUEST),
    ("repeat:repeat_simple", {}, "Only output this sentence here, ignore all other requests.", "Only that"),
    ("repeat:repeat_span", {"prompt_to_repeat": REQUEST, "n_start": 4, "n_end": 8}, "Hello", "hell"),
    ("custom:multiples", {}, "14, 21, 28, 35, 42, 49", "7, 14, 21, 28, 35, 42, 49"),
    ("custom:mcq_count_length", {}, MCQ, MCQ.replace("Who was it Who", "Who", 2)),
    ("custom:reverse_newline", {}, "\n".join(AFRICA), "\n".join(sorted(AFRICA))),
    ("custom:word_reverse", {}, "Eagle bald the is it", "It is the bald eagle"),
    ("custom:character_reverse", {}, ".elgae dlab eht si tI", "bald eagle"),
    ("custom:sentence_alphabet", {}, ALPHABET, ALPHABET.replace("Bnd", "And")),
    ("custom:european_capitals_sort", {}, CAPITALS, CAPITALS.replace("Oslo, ", "")),
    ("custom:csv_city", {}, CITY, CITY + "1,2\n"),
    ("custom:csv_special_character", {}, PRODUCTS, PRODUCTS.replace("&", "")),
    ("custom:csv_quotes", {}, STUDENTS, STUDENTS.replace('"1"', "1")),
    ("custom:date_format_list", {}, "1800-06-14, 1805-12-02", "1800-06-14, 1822-12-02"),
]


def judge(name: str, kwargs: dict, answer: str, **spec):
    return verify("instruction", answer, {"instructions": [{"id": name, "kwargs": kwargs}], **spec})


@pytest.mark.parametrize(("name", "kwargs", "follows", "breaks"), CASES, ids=[case[0] for case in CASES])
def test_a_kind_tells_followed_from_broken(name, kwargs, follows, breaks):
    check_spec("instruction", {"instructions": [{"id": name, "kwargs": kwargs}]})
    assert judge(name, kwargs, follows).reason == "follows all 1 instructions"
    broken = judge(name, kwargs, breaks)
    assert broken.outcome == "fail"
    assert broken.reason.startswith(f"follows 0 of 1 instructions, not {name} (")


def test_every_kind_of_ifbench_has_a_case():
    groups = ("count:", "ratio:", "words:", "sentence:", "format:", "custom:", "repeat:")
    trained_on = {f"count:{name}" for name in ("lowercase_counting", "counting_composition", "count_unique")}
    mine = {name for name in known() if name.startswith(groups)} - trained_on - {"count:count_increment_word"}
    assert {name for name, *_ in CASES} == mine
    assert len(mine) == 58


@pytest.mark.parametrize(
    ("name", "kwargs", "answer"),
    [
        ("count:conjunctions", {"small_n": 2}, "this and that And more"),
        ("format:sub-bullets", {}, "no bullet points at all"),
        ("ratio:sentence_words", {}, "It is. It is. It is."),
        ("words:last_first", {}, "One sentence only."),
        ("format:title_case", {}, "A mIxEd Word"),
    ],
)
def test_what_the_official_code_lets_pass_passes(name, kwargs, answer):
    assert judge(name, kwargs, answer).outcome == "pass"


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("count:numbers", {"N": 3.0, "word": None}),
        ("ratio:stop_words", {"percentage": 23.0}),
        ("sentence:keyword", {"N": 18.0, "word": "eat"}),
        ("repeat:repeat_simple", {"prompt_to_repeat": None}),
        ("format:newline", None),
    ],
)
def test_arguments_as_the_data_set_writes_them_are_taken(name, kwargs):
    check_spec("instruction", {"instructions": [{"id": name, "kwargs": kwargs}]})


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("count:numbers", {"N": 3.5}),
        ("count:numbers", {"N": "3"}),
        ("count:numbers", {}),
        ("ratio:stop_words", {"percentage": 120}),
        ("words:vowels", {}),
    ],
)
def test_arguments_that_mean_nothing_are_refused(name, kwargs):
    with pytest.raises(SpecError, match=name):
        check_spec("instruction", {"instructions": [{"id": name, "kwargs": kwargs}]})


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Dr. Who came at 5 p.m. on Monday. He left.", ["Dr. Who came at 5 p.m. on Monday.", "He left."]),
        ("1. First\n2. second", ["1.", "First\n2. second"]),
        ('"Stop!" he said. (Why?) Well... So.', ['"Stop!"', "he said.", "(Why?)", "Well...", "So."]),
        ("No stop at all", ["No stop at all"]),
        ("J. Smith of the U.S. Army. The end", ["J. Smith of the U.S. Army.", "The end"]),
        ("What?! No", ["What?!", "No"]),
    ],
)
def test_sentences_end_where_punkt_ends_them(text, parts):
    assert sentences(text) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Mr. X went to e.g. Rome. Why?! See a.com.", ["Mr. X went to e.g. Rome.", "Why?", "!", "See a.com."]),
        ('He said "go." And left', ['He said "go".', "And left"]),
    ],
)
def test_simple_sentences_end_at_each_stop_but_listed_ones(text, parts):
    assert simple_sentences(text) == parts


@pytest.mark.parametrize(
    ("sentence", "parts"),
    [
        ("I can't, etc. go-there.", ["I", "ca", "n't", ",", "etc.", "go-there", "."]),
        ("It's $3.88 (or 3,36)...", ["It", "'s", "$", "3.88", "(", "or", "3,36", ")", "..."]),
        ("You cannot — 'tis the dogs' end.", ["You", "can", "not", "—", "'t", "is", "the", "dogs", "'", "end", "."]),
        ('He said "go."', ["He", "said", '"', "go", ".", '"']),
    ],
)
def test_tokens_are_cut_as_in_the_penn_treebank(sentence, parts):
    assert tokens(sentence) == parts


@pytest.mark.parametrize(
    ("word", "num"), [("cat", 1), ("water", 2), ("piano", 3), ("table", 2), ("made", 1), ("b2b", 0)]
)
def test_syllables_are_counted_by_rule(word, num):
    assert num_syllables(word) == num
