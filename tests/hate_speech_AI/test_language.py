"""Which language a text is in. The sentences are our own; the public datasets are measured where they are there."""

import csv

import pytest

from hate_speech_AI.recipe.corpus import SOURCES
from hate_speech_AI.recipe.corpus.readers import read_source
from hate_speech_AI.text import language
from hate_speech_AI.text.language import SUPPORTED, UNDETERMINED, detect_language

OTHERS = {
    "ar": "الحافلة متأخرة مرة أخرى وأنا متعب جدا من ذلك",
    "cs": "Trajekt má zase zpoždění a už mě to opravdu unavuje",
    "da": "Færgen er forsinket igen, og jeg er så træt af det",
    "de": "Die Fähre ist schon wieder zu spät, und ich bin es so leid",
    "el": "Το πλοίο άργησε πάλι και έχω κουραστεί",
    "es": "El ferry llega tarde otra vez y estoy muy cansado de esperar",
    "fi": "Lautta on taas myöhässä ja olen siihen aivan kyllästynyt",
    "fr": "Le ferry est encore en retard et j'en ai vraiment assez",
    "he": "המעבורת מאחרת שוב ונמאס לי מזה",
    "hi": "नाव आज फिर देर से आई और मैं इससे बहुत थक गया हूँ",
    "hu": "A komp megint késik, és már nagyon unom ezt az egészet",
    "it": "Il traghetto è di nuovo in ritardo e sono davvero stanco",
    "ja": "フェリーはまた遅れています。もう疲れました",
    "ko": "배가 또 늦어서 정말 피곤해요",
    "nl": "De veerboot is weer te laat en ik ben het zo zat",
    "pl": "Prom znowu się spóźnia i mam już tego serdecznie dość",
    "pt": "A balsa está atrasada de novo e não aguento mais isso",
    "ru": "Паром снова опаздывает, и мне это очень надоело",
    "sv": "Färjan är försenad igen och jag är så trött på det",
    "ta": "படகு மீண்டும் தாமதமாகிறது",
    "tr": "Feribot yine geç kaldı ve bundan çok yoruldum",
    "uk": "Пором знову запізнюється, і мені це дуже набридло",
    "zh": "渡轮又晚点了，我真的很累",
    UNDETERMINED: "ᎣᏏᏲ ᏙᎯᏧ ᎠᎴ ᎣᏍᏓ ᎢᎦ",
}
ENGLISH = [
    "The ferry is late again and I am so tired of it",
    "lovely sunset #harbour #evening #nofilter 🌅",
    "Good morning",
    "Bonjour",
    "",
    "🙂🙂🙂",
    "12345 +49 30 1234567",
    "ha ha ha ha ha",
    "w o r n  o u t  b y  a l l  t h i s",
    "@ann @ben see https://example.org/der/die/das www.example.org/und/nicht/ist",
    "Тhе fеrrу is lаtе аgаin аnd I аm sо tirеd оf it",  # half of the letters are Cyrillic
    "Ｔｈｅ ferry is late, 𝕒𝕘𝕒𝕚𝕟 and again",
    "The word Fähre is German, naïve and café are French",
    "RT @ann: omg cant even lol smh",
    "Dandelions are a NUISANCE, da711448-96c8-da19-64b2-d2bc815a47c5",
    "ok 8b47b98e-de1a-4de2-b7af-der72fdas0c5 build_der_die_2",
]


@pytest.mark.parametrize(("expected", "text"), OTHERS.items())
def test_another_language_is_told(expected, text):
    assert detect_language(text) == expected


@pytest.mark.parametrize("text", [OTHERS["de"], OTHERS["ru"], OTHERS["zh"]])
@pytest.mark.parametrize(
    "posted", ["<p class='the and'><a href='/you'>{}</a></p>", "@the_and_you {} https://example.org/the/and/of", "{}" * 200]
)
def test_it_is_told_of_what_people_read(text, posted):
    assert detect_language(posted.replace("{}", f"{text} ")) == detect_language(text)


@pytest.mark.parametrize("text", ENGLISH)
def test_what_may_be_english_is_english(text):
    assert detect_language(text) == SUPPORTED


@pytest.mark.parametrize("text", ["你好", "привет", "שלום"])
def test_another_script_is_told_of_a_single_word(text):
    assert detect_language(text) != SUPPORTED


@pytest.mark.parametrize("text", [OTHERS["ar"], OTHERS["hi"], OTHERS["ja"], OTHERS["ru"], OTHERS["zh"]])
def test_an_english_word_or_two_do_not_make_a_text_english(text):
    assert detect_language(f"{text} good morning friends!") == detect_language(text)


def test_most_english_texts_need_no_model(monkeypatch):
    monkeypatch.setattr(language, "load_identifier", None)
    assert detect_language("The ferry is late again and I am so tired of it") == SUPPORTED
    assert detect_language("Good morning") == SUPPORTED
    assert detect_language("שלום") == "he"


def test_of_a_thousand_english_texts_at_most_ten_are_told_as_another(datasets_folder):
    rows = [row for source in SOURCES for row in read_source(source, datasets_folder)]
    texts = [row.text for row in rows[::20] if len(row.text.split()) >= 10]
    assert len(texts) > 8000
    assert sum(detect_language(text) != SUPPORTED for text in texts) <= 0.01 * len(texts)


@pytest.mark.parametrize(
    ("code", "share"),
    [
        ("ar", 0.98), ("da", 0.85), ("de", 0.98), ("fr", 0.95), ("ja", 0.98), ("ko", 0.98), ("pt", 0.95), ("ro", 0.95),
        ("ru", 0.95), ("zh", 0.98),
    ],
)  # fmt: skip
def test_other_languages_are_told_in_practice(datasets_folder, code, share):
    """Nearly all texts are told as not English. Nearby languages may be taken for each other."""
    texts = []
    for path in sorted((datasets_folder / "languages" / code).glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            texts += [row["text"] for row in csv.DictReader(file)]
    texts = texts[:: max(1, len(texts) // 300)]
    assert sum(detect_language(text) != SUPPORTED for text in texts) >= share * len(texts)
