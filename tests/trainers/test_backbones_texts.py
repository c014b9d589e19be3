from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from torch import Tensor

from trainers.backbones import (
    EmptyText,
    HashedWords,
    MiniLm,
    OtherTextEncoder,
    TextFeatures,
    UnexpectedWeights,
    UnknownTextEncoder,
    build_text_encoder,
)
from trainers.backbones.minilm import check_minilm_vocabulary


@pytest.fixture(scope="module")
def minilm() -> MiniLm:
    return MiniLm()


def test_sentences_become_unit_vectors_that_know_their_meaning(minilm: MiniLm) -> None:
    heart, cardiac, tube = minilm.encode(["heart", "cardiac silhouette", "nasogastric tube"])
    assert heart.shape == (384,)
    assert torch.allclose(heart.norm(), torch.tensor(1.0), atol=1e-5)
    assert heart @ cardiac > heart @ tube


def test_a_text_is_read_the_same_alone_and_beside_longer_ones(minilm: MiniLm) -> None:
    alone = minilm.encode(["left lung"])
    beside = minilm.encode(
        ["the left lung is clear, the heart is of normal size, and there is no effusion", "left lung"]
    )
    torch.testing.assert_close(alone[0], beside[1], rtol=1e-4, atol=1e-5)


def test_an_empty_text_is_refused(minilm: MiniLm) -> None:
    for encoder in (minilm, HashedWords()):
        with pytest.raises(EmptyText, match="empty"):
            encoder.encode(["heart", "  "])


def test_a_tokenizer_with_another_vocabulary_is_refused() -> None:
    with pytest.raises(UnexpectedWeights, match="not the expected one"):
        check_minilm_vocabulary(Tokenizer(WordLevel({"[UNK]": 0, "heart": 1}, unk_token="[UNK]")))


@given(st.lists(st.sampled_from(["left", "right", "lung", "heart"]), min_size=1, max_size=4))
def test_hashed_words_depend_on_the_words_alone(words: list[str]) -> None:
    again = HashedWords().encode([" ".join(words)])
    assert torch.equal(again, HashedWords().encode([" ".join(words).upper()]))
    assert torch.allclose(again.norm(dim=-1), torch.ones(1), atol=1e-5)


def test_hashed_words_tell_different_words_apart() -> None:
    left, right = HashedWords().encode(["left", "right"])
    assert abs(float(left @ right)) < 0.6


def test_a_frozen_encoder_reads_each_text_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    class Counting(HashedWords):
        def encode(self, texts: Sequence[str]) -> Tensor:
            read.extend(texts)
            return super().encode(texts)

    features = TextFeatures("hash")
    monkeypatch.setattr("trainers.backbones.texts.build_text_encoder", lambda *_: Counting())
    first = features(["heart", "left lung", "heart"])
    second = features(["left lung", "heart"])
    assert read == ["heart", "left lung"]
    assert torch.equal(first[0], first[2])
    assert torch.equal(first[1], second[0])


def test_known_texts_need_no_encoder() -> None:
    features = TextFeatures("no such encoder", {"heart": torch.ones(3)})
    assert torch.equal(features(["heart"]), torch.ones(1, 3))
    with pytest.raises(UnknownTextEncoder):
        features(["lung"])


def test_a_text_encoder_that_is_not_built_here_is_refused_by_name() -> None:
    with pytest.raises(UnknownTextEncoder, match=r"elmo.*minilm.*clip.*hash"):
        build_text_encoder("elmo")


def test_an_encoder_that_does_not_read_as_the_one_trained_with_is_refused() -> None:
    of_another_width = TextFeatures("hash", {"heart": torch.ones(3)})
    with pytest.raises(OtherTextEncoder, match=r"64 numbers, and the model knows 3"):
        of_another_width(["lung"])
    of_other_weights = TextFeatures("hash", {"heart": HashedWords().encode(["lung"])[0]})
    with pytest.raises(OtherTextEncoder, match=r'reads "heart" as other numbers'):
        of_other_weights(["lung"])
    the_same = TextFeatures("hash", {"heart": HashedWords().encode(["heart"])[0]})
    assert torch.equal(the_same(["lung"]), HashedWords().encode(["lung"]))
