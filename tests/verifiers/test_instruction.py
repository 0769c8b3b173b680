"""Verifier "instruction": each of IFEval's 25 kinds followed and broken, and specs that cannot be judged."""

import pytest

from gradus.verifiers.base import SpecError, check_spec, verify
from gradus.verifiers.instructions.language import detect
from gradus.verifiers.instructions.registry import known

CASES = [
    ("keywords:existence", {"keywords": ["Apple", "pear"]}, "apples and a pear", "apples only"),
    ("keywords:frequency", {"keyword": "war", "frequency": 2, "relation": "at least"}, "war, War", "war once"),
    ("keywords:frequency", {"keyword": "war", "frequency": 2, "relation": "less than"}, "war once", "war, War"),
    ("keywords:forbidden_words", {"forbidden_words": ["rock"]}, "rocky roads", "They Rock!"),
    ("keywords:letter_frequency", {"letter": "!", "let_frequency": 2, "let_relation": "at least"}, "a!b!", "a!"),
    ("language:response_language", {"language": "de"}, "Das ist nicht der Hund und die Katze.", "The dog and the cat."),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 2, "relation": "at least"},
        "One. Two!",
        "Dr. Who is in.",
    ),
    ("length_constraints:number_words", {"num_words": 3, "relation": "less than"}, "only two", "now we are more"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "one\n***\ntwo", "one\n\ntwo"),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "Elm"},
        "One.\n\n'elm, yes.",
        "Elm.\n\nOak.",
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[name] and [city]", "[name]"),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "Bye\np. p. s. more", "Bye\nP.S. more"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n- b", "* a\n- b\n* c"),
    ("detectable_format:constrained_response", {}, "Well: My answer is maybe.", "my answer is maybe"),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and *b*", "*a* and * *"),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "SECTION", "num_sections": 2},
        "SECTION 1\na\nSECTION 2\nb",
        "SECTION 1\na\nSection 2\nb",
    ),
    ("detectable_format:json_format", {}, '```json\n{"a": [1]}\n```', "{'a': 1}"),
    ("detectable_format:title", {}, "<<A day>>\ntext", "<< >>\ntext"),
    ("combination:two_responses", {}, "one\n******\ntwo", "one\n******\none"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say hello."}, "say hello. Hello!", "Hello! Say hello."),
    ("startend:end_checker", {"end_phrase": "Peace!"}, '"All is well. peace!"', "Peace! All is well."),
    ("startend:quotation", {}, ' "all of it" ', '"most" of it'),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 2, "capital_relation": "at least"},
        "NASA and COVID-19",
        "NASA and Esa",
    ),
    ("change_case:english_capital", {}, "ALL OF IT IS LOUD.", "ALL OF iT IS LOUD."),
    ("change_case:english_lowercase", {}, "all of it is calm.", "All of it is calm."),
    ("punctuation:no_comma", {}, "one; two", "one, two"),
]


def judge(name: str, kwargs: dict, answer: str, **spec):
    return verify("instruction", answer, {"instructions": [{"id": name, "kwargs": kwargs}], **spec})


@pytest.mark.parametrize(("name", "kwargs", "follows", "breaks"), CASES)
def test_a_kind_tells_followed_from_broken(name, kwargs, follows, breaks):
    assert judge(name, kwargs, follows).outcome == "pass"
    assert judge(name, kwargs, breaks).outcome == "fail"


def test_every_kind_of_ifeval_has_a_case():
    assert {name for name, *_ in CASES} <= set(known())
    assert len({name for name, *_ in CASES}) == 25


def test_the_score_is_the_share_followed_and_the_reason_names_the_rest():
    pair = [{"id": "punctuation:no_comma", "kwargs": {}}, {"id": "startend:quotation", "kwargs": {}}]
    verdict = verify("instruction", "no quotes", {"instructions": pair})
    assert (verdict.outcome, verdict.score) == ("fail", 0.5)
    assert "startend:quotation" in verdict.reason
    assert "no_comma" not in verdict.reason


def test_a_reason_says_what_was_found_and_what_was_expected():
    verdict = judge("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "one\n***\ntwo\n***\nthree")
    assert verdict.reason.endswith("not length_constraints:number_paragraphs (paragraphs: 3, expected 2)")


def test_loose_forgives_the_first_line():
    answer = "Sure, here it is:\nno comma here"
    assert judge("punctuation:no_comma", {}, answer).outcome == "fail"
    assert judge("punctuation:no_comma", {}, answer, mode="loose").outcome == "pass"


def test_an_empty_answer_is_unparseable_even_without_commas():
    assert judge("punctuation:no_comma", {}, " \n").outcome == "unparseable"


def test_null_arguments_count_as_absent():
    kwargs = {"keywords": ["a"], "num_words": None}
    check_spec("instruction", {"instructions": [{"id": "keywords:existence", "kwargs": kwargs}]})


def test_the_prompt_to_repeat_defaults_to_the_prompt():
    spec = {"instructions": [{"id": "combination:repeat_prompt", "kwargs": {}}], "prompt": "Say hello."}
    check_spec("instruction", spec)
    assert verify("instruction", "Say hello. Hello!", spec).outcome == "pass"


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("keywords:exists", {"keywords": ["a"]}),
        ("keywords:existence", {}),
        ("keywords:existence", {"keywords": "a"}),
        ("keywords:existence", {"keywords": []}),
        ("keywords:frequency", {"keyword": "a", "frequency": 2, "relation": "more than"}),
        ("length_constraints:number_paragraphs", {"num_paragraphs": "2"}),
        ("punctuation:no_comma", {"num": 2}),
    ],
)
def test_what_cannot_be_judged_is_refused(name, kwargs):
    with pytest.raises(SpecError, match=name):
        check_spec("instruction", {"instructions": [{"id": name, "kwargs": kwargs}]})


@pytest.mark.parametrize("spec", [{"instructions": []}, {"instructions": [{"id": "startend:quotation"}]}])
def test_a_spec_without_whole_instructions_is_refused(spec):
    with pytest.raises(SpecError):
        check_spec("instruction", spec)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The quick brown fox jumps over the lazy dog and runs away from it."),
        ("de", "Der schnelle Fuchs springt über den faulen Hund und läuft dann in den Wald."),
        ("pt", "A raposa salta sobre o cão e depois corre para a floresta, mas não volta."),
        ("it", "La volpe veloce salta sopra il cane e poi corre nel bosco con gli amici."),
        ("fi", "Nopea kettu hyppää koiran yli ja juoksee sitten metsään, mutta se ei tule takaisin."),
        ("sw", "Mbweha mwepesi anaruka juu ya mbwa na kisha anakimbia kwenda msituni na rafiki zake."),
        ("vi", "Con cáo nhanh nhảy qua con chó và sau đó chạy vào rừng với những người bạn của nó."),
        ("ru", "Быстрая лиса прыгает через собаку и потом бежит в лес, но она не вернётся."),
        ("bg", "Бързата лисица прескача кучето и след това бяга в гората, за да се срещне с тях."),
        ("ar", "الثعلب السريع يقفز فوق الكلب ثم يهرب إلى الغابة مع أصدقائه في الليل"),
        ("fa", "روباه سریع از روی سگ می پرد و سپس به جنگل می دود تا با دوستان خود باشد"),
        ("ur", "تیز لومڑی کتے کے اوپر سے چھلانگ لگاتی ہے اور پھر جنگل میں بھاگ جاتی ہے"),
        ("hi", "तेज़ लोमड़ी कुत्ते के ऊपर से कूदती है और फिर जंगल में भाग जाती है।"),
        ("mr", "वेगवान कोल्हा कुत्र्यावरून उडी मारतो आणि नंतर जंगलात पळून जातो, हे खरे आहे."),
        ("ne", "छिटो स्यालले कुकुरमाथि हाम फाल्छ र त्यसपछि जंगलमा भाग्छ, यो राम्रो छ।"),
        ("ta", "வேகமான நரி நாயின் மேல் குதிக்கிறது"),
        ("ko", "빠른 여우가 개를 뛰어넘는다"),
        ("ja", "速い狐は犬を飛び越えます"),
        ("zh", "敏捷的狐狸跳过了懒狗"),
        (None, "1 + 1 = 2"),
    ],
)
def test_a_sentence_tells_its_language(language, text):
    assert detect(text) == language


@pytest.mark.parametrize("text", ["a dog is a good friend", "she sings a song.", "i love music", "school is fun"])
def test_a_few_english_words_are_english_in_either_case(text):
    assert judge("change_case:english_lowercase", {}, text).outcome == "pass"
    assert judge("change_case:english_capital", {}, text.upper()).outcome == "pass"


@pytest.mark.parametrize("text", ["der hund ist ein guter freund und spielt gern im garten", "собака бежит домой"])
def test_other_languages_are_not_english_in_either_case(text):
    assert judge("change_case:english_lowercase", {}, text).outcome == "fail"
    assert judge("change_case:english_capital", {}, text.upper()).outcome == "fail"
