"""Embeddings on disk: each text is encoded once."""

import numpy as np
import pytest

from hate_speech_AI.engines.encoder import embeddings
from hate_speech_AI.engines.encoder.embeddings import EmbeddingCache
from hate_speech_AI.text import READING, fingerprint


class Counting:
    """Embeds a text as its length, in one window a word; counts the texts."""

    def __init__(self):
        self.texts = []

    def __call__(self, texts):
        self.texts += texts
        windows = [[float(len(word))] * 4 for text in texts for word in text.split()]
        starts = np.cumsum([0, *(len(text.split()) for text in texts)])[:-1]
        return np.array(windows, np.float32), starts


@pytest.fixture
def embed():
    return Counting()


def ask(folder, *questions, embed, encoder="a" * 64):
    """Return the answers to lists of texts by one opened cache: for each text the first number of each window."""
    answers = []
    with EmbeddingCache.open(folder, encoder, 4) as cache:
        for texts in questions:
            vectors, starts = cache.embed(texts, [fingerprint(text) for text in texts], embed)
            ends = [*starts[1:], len(vectors)][: len(starts)]
            answers.append([vectors[start:end, 0].tolist() for start, end in zip(starts, ends, strict=True)])
    return answers


def test_it_works(tmp_path, embed):
    answers = ask(tmp_path, ["one", "two three", "one"], ["two three", "four"], embed=embed)
    assert answers == [[[3], [3, 5], [3]], [[3, 5], [4]]]
    assert embed.texts == ["one", "two three", "four"]


def test_another_process_finds_them(tmp_path, embed):
    ask(tmp_path, ["one", "two three"], ["four"], embed=embed)
    assert ask(tmp_path, ["two three", "four", "one"], embed=embed) == [[[3, 5], [4], [3]]]
    assert len(embed.texts) == 3


def test_while_one_has_it_open_another_only_reads(tmp_path, embed, caplog):
    ask(tmp_path, ["one", "two three"], embed=embed)
    [path] = tmp_path.iterdir()
    before = path.read_bytes()
    with EmbeddingCache.open(tmp_path, "a" * 64, 4):
        assert ask(tmp_path, ["four", "two three", "seven by nine", "four"], ["four"], embed=embed) == [
            [[4], [3, 5], [5, 2, 4], [4]],
            [[4]],
        ]
        assert path.read_bytes() == before
    assert "does not keep" in caplog.text
    assert embed.texts == ["one", "two three", "four", "seven by nine", "four"]
    ask(tmp_path, ["four"], ["four"], embed=embed)
    assert embed.texts[5:] == ["four"]


def test_what_was_cut_off_is_made_again(tmp_path, embed):
    ask(tmp_path, ["one", "two three"], embed=embed)
    [path] = tmp_path.iterdir()
    whole = path.read_bytes()
    for kept in range(len(whole)):
        path.write_bytes(whole[:kept])
        assert ask(tmp_path, ["one", "two three"], embed=embed) == [[[3], [3, 5]]]
        assert path.read_bytes() == whole


def test_another_encoders_embeddings_go(tmp_path, embed):
    ask(tmp_path, ["one"], embed=embed)
    assert ask(tmp_path, ["one"], embed=embed, encoder="b" * 64) == [[[3]]]
    assert embed.texts == ["one", "one"]
    assert len(list(tmp_path.iterdir())) == 1


def test_embeddings_of_another_reading_form_go(tmp_path, embed, monkeypatch):
    ask(tmp_path, ["one"], embed=embed)
    monkeypatch.setattr(embeddings, "READING", READING + 1)
    assert ask(tmp_path, ["one"], embed=embed) == [[[3]]]
    assert embed.texts == ["one", "one"]
    assert len(list(tmp_path.iterdir())) == 1


def test_of_no_texts_there_are_no_embeddings(tmp_path, embed):
    assert ask(tmp_path, [], ["one"], [], embed=embed) == [[], [[3]], []]
