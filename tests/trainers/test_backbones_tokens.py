from collections.abc import Sequence

import pytest
import torch

from trainers.backbones import (
    EmptyText,
    HashedWords,
    MiniLm,
    OtherTextEncoder,
    Read,
    TextTokens,
    TokenEncoder,
    UnexpectedWeights,
    UnknownTextEncoder,
    build_token_encoder,
    padded,
    top_layers,
)
from trainers.backbones.tokens import PROBE, HashedTokens

TEXTS = ["Cough, fever; chest pain.", "dyspnea"]


@pytest.fixture(scope="module")
def minilm() -> TokenEncoder:
    return build_token_encoder("minilm", 0, 128)


def test_the_mean_of_the_tokens_is_what_the_sentence_encoder_gives(minilm: TokenEncoder) -> None:
    expected = MiniLm().encode(TEXTS)
    for read, whole in zip(minilm.read(TEXTS), expected, strict=True):
        mean = torch.nn.functional.normalize(read.states.mean(dim=0), dim=-1)
        torch.testing.assert_close(mean, whole, rtol=1e-4, atol=1e-5)


def test_words_are_those_of_the_text_and_their_pieces_belong_to_them(minilm: TokenEncoder) -> None:
    first, second = minilm.read(TEXTS)
    assert first.words == ("Cough", "fever", "chest", "pain")
    assert first.word_of == (-1, 0, -1, 1, -1, 2, 3, -1, -1)
    assert second.words == ("dyspnea",)
    assert len(second.word_of) > 3 and set(second.word_of[1:-1]) == {0}
    for read in (first, second):
        assert read.states.shape == (len(read.word_of), minilm.dimension)
        assert read.read_words is None


@pytest.mark.parametrize("name", ["minilm", "hash"])
def test_a_text_of_fifty_thousand_words_is_read_to_the_last_token_that_fits(name: str) -> None:
    (read,) = build_token_encoder(name, 0, 32).read(["cough " * 50_000])
    assert len(read.states) <= 32
    assert read.read_words == len(read.words) == (30 if name == "minilm" else 32)


@pytest.mark.parametrize("name", ["minilm", "hash"])
@pytest.mark.parametrize("text", ["Husten und Fieber seit drei Tagen", "боль в груди", "胸痛", "♥ pain"])
def test_any_language_is_read(name: str, text: str) -> None:
    (read,) = build_token_encoder(name, 0, 64).read([text])
    assert torch.isfinite(read.states).all()
    assert read.words


def test_layers_that_learn_go_on_where_the_frozen_ones_end(minilm: TokenEncoder) -> None:
    split = build_token_encoder("minilm", 2, 128)
    assert split.top is not None
    states, mask = padded(split.read(TEXTS), split.dimension)
    with torch.inference_mode():
        above = split.top(states, mask)
    for row, whole in enumerate(minilm.read(TEXTS)):
        torch.testing.assert_close(above[row][mask[row]], whole.states, rtol=1e-3, atol=1e-4)
    assert all(parameter.requires_grad for parameter in split.top.parameters())
    learned = sum(parameter.numel() for parameter in split.top.parameters())
    assert split.parameters + learned == minilm.parameters


def test_learned_layers_are_built_again_from_the_configuration() -> None:
    split = build_token_encoder("minilm", 2, 128)
    assert split.top is not None
    again = top_layers(split.config, 2)  # type: ignore[attr-defined]
    again.load_state_dict(split.top.state_dict())
    states, mask = padded(split.read(TEXTS), split.dimension)
    with torch.inference_mode():
        torch.testing.assert_close(again.eval()(states, mask), split.top(states, mask))


def test_more_layers_than_there_are_cannot_learn() -> None:
    with pytest.raises(UnexpectedWeights, match="6 layers, so 7"):
        build_token_encoder("minilm", 7, 128)


def test_each_text_is_read_once_and_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Counting(HashedTokens):
        def read(self, texts: Sequence[str]) -> list[Read]:
            asked.extend(texts)
            return super().read(texts)

    monkeypatch.setattr("trainers.backbones.tokens.build_token_encoder", lambda *_: Counting(64))
    text = TextTokens("hash", 0, 64)
    first = text(["chest pain", "cough", "chest pain"])
    second = text(["cough"])
    assert asked == ["chest pain", "cough"]
    assert first[0] is first[2] and second[0] is first[1]
    assert first[0].states.dtype is torch.float16


def test_a_text_without_a_word_is_refused() -> None:
    with pytest.raises(EmptyText):
        TextTokens("hash", 0, 64)(["cough", " ... "])


def test_padding_marks_what_is_there_and_nothing_where_nothing_was_read() -> None:
    one, two = TextTokens("hash", 0, 64)(["cough", "chest pain"])
    states, mask = padded([one, None, two], 64)
    assert states.shape == (3, 2, 64)
    assert mask.tolist() == [[True, False], [False, False], [True, True]]
    assert not states[1].any()
    assert padded([None], 7)[0].shape == (1, 1, 7)


def test_an_encoder_other_than_the_one_trained_with_is_refused() -> None:
    probe = TextTokens("hash", 0, 64).probe
    assert TextTokens("hash", 0, 64, probe=probe)(["cough"])
    words = HashedWords().encode(["another", "word"])
    with pytest.raises(OtherTextEncoder, match="as other numbers"):
        TextTokens("hash", 0, 64, probe=words)(["cough"])
    with pytest.raises(OtherTextEncoder, match="64 numbers, and the model knows 3"):
        TextTokens("hash", 0, 64, probe=torch.zeros(5, 3))(["cough"])
    assert PROBE


def test_an_encoder_that_is_not_built_here_is_refused_by_name() -> None:
    with pytest.raises(UnknownTextEncoder, match=r"elmo.*minilm.*bioclinical.*hash"):
        build_token_encoder("elmo", 0, 64)
