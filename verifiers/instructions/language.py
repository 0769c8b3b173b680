"""Which language a text is in, by its letters and its commonest words.

Covers the languages IFEval asks for and their nearest neighbours. A script used by one language alone
decides by itself; Latin, Cyrillic, Arabic and Devanagari texts are told apart by short words, so a text
of fewer than about ten words may come out as None. Not a general detector: a language outside the table
is taken for its neighbour, or for None.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_SCRIPTS = (
    {"KANNADA": "kn", "GURMUKHI": "pa", "GUJARATI": "gu", "TELUGU": "te", "TAMIL": "ta", "THAI": "th"}
    | {"BENGALI": "bn", "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh", "MALAYALAM": "ml"}
    | {"GREEK": "el", "HEBREW": "he"}
)
# Short words, by script. A word that two languages share counts for both.
_WORDS = {
    "LATIN": {
        "en": "the of and to in is that it for you was with on are this be have as not by from we your i my will can "
        "an or if but our they he she his her their has would there what when who how more about just all",
        "de": "der die das und ist nicht ein eine zu den von mit sich auf für im dem des als auch es an ich sie wir "
        "werden sind haben wie oder aber bei nach aus einen einer zum zur dass wenn kann ihr ihre über",
        "fr": "le la les et est un une des du dans pour que qui pas sur avec ce il elle nous vous sont au aux ne plus "
        "par se je votre cette mais ou leur être été ont",
        "es": "el la los las y es un una de en que por con para no se su al del lo como más pero sus este esta muy "
        "sin sobre también hay ser son está nos yo",
        "it": "il lo la i gli le e è un una di in che per con non si del della dei delle al alla come più ma anche "
        "sono questo questa nel nella ha mi ti ci essere suo",
        "pt": "o a os as e é um uma de em que por com para não se do da dos das no na nos nas ao como mais mas seu sua "
        "ou você são está também foi muito isso ele ela",
        "nl": "de het een en van is in dat niet op te zijn met voor aan er om maar ook als bij door naar je we ik",
        "fi": "ja on ei se että hän oli en mutta kun niin ovat joka olla minä sinä ne myös tämä voi jos kuin sekä "
        "mikä vain ole olen tai sen minun hänen sitä tässä",
        "sv": "och att det som en är på för av med den till inte om har de ett jag vi men kan från så",
        "sw": "na ya wa kwa ni katika za la kuwa cha hii huo yake wake hiyo lakini pia kama sana watu yangu mimi "
        "wewe sisi hivyo ili au hakuna moja ambao ambayo kila baada",
        "vi": "và của là có cho không được trong một các với người này để những khi đã tôi bạn về như từ đó ra nhiều "
        "đến chúng rất sẽ cũng vào lại nhưng hơn",
        "tr": "ve bir bu için ile de da çok olarak daha olan ne gibi var ben sen biz ama değil",
        "pl": "i w na z się nie że do to jest jak o po ale za od przez dla co tak są oraz lub",
        "id": "yang dan di untuk dengan ini itu dari dalam tidak pada adalah ke akan saya anda kami juga atau",
    },
    "CYRILLIC": {
        "ru": "и в не на что он с как это по но они мы она для от был так же все его из у за вы только мне было или "
        "бы к меня ещё есть если я ты их",
        "bg": "и на да се не за от по са че със това ще като но или ми си той тя те ние вие съм беше бъде които който "
        "към при е в",
        "uk": "і в не на що він з як це та але вони ми вона для від був так же все його із у за ви є й або",
    },
    "ARABIC": {
        "ar": "في من على أن إلى هذا هذه التي الذي كان لا ما هو هي مع عن كل لم قد أو و ثم بين إن ذلك",
        "fa": "و در به از که این را با است برای آن یک خود تا بر هم می شما من ما ها بود شد کند باید نیست اگر",
        "ur": "کے میں کی ہے اور سے کا کو اس پر نے یہ ہیں کہ بھی ایک نہیں جو تو ہو آپ تھا گیا کر لیے ہم",
    },
    "DEVANAGARI": {
        "hi": "के में है की और से का को पर यह हैं ने कि एक नहीं भी हो इस तो जो लिए कर आप था हम मैं अपने या वह",
        "mr": "आणि आहे च्या मी हे ते या तो ही आहेत नाही एक व हा की असे मध्ये साठी तुम्ही आपण होते आम्ही करा झाले",
        "ne": "र छ को मा ले का हो यो पनि छन् गर्न भने लागि एक गर्ने थियो हामी म तपाईं छैन हुन्छ तर यस गरेको",
    },
}
_TABLE = {script: {name: set(words.split()) for name, words in by.items()} for script, by in _WORDS.items()}
_TOKEN = re.compile(r"[^\W\d_]+(?:[\u0900-\u0dff\u200c\u064b-\u065f]+[^\W\d_]*)*")


def detect(text: str) -> str | None:
    """Return the ISO 639-1 code of the text's language, or None when the words do not tell."""
    scripts = Counter(_script(letter) for letter in text[:20_000] if letter.isalpha())
    if not scripts:
        return None
    # Japanese is mostly written in Chinese characters, Chinese never in kana.
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > 0.1 * scripts.total():
        return "ja"
    script = scripts.most_common(1)[0][0]
    if script not in _TABLE:
        return _SCRIPTS.get(script)
    words = Counter(word.lower() for word in _TOKEN.findall(unicodedata.normalize("NFC", text)))
    scores = {name: sum(words[word] for word in short) for name, short in _TABLE[script].items()}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] else None


def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").split()[0]
