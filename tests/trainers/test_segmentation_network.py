import pytest
import torch

from trainers.backbones import build_image_encoder
from trainers.segmentation.network import TextConditionedUnet, TextWidthMismatch


def tiny(decoder: tuple[int, ...] = (16, 12, 8, 8)) -> TextConditionedUnet:
    torch.manual_seed(0)
    return TextConditionedUnet(build_image_encoder("tiny", "random"), 64, decoder, text_width=16).eval()


@pytest.mark.parametrize("decoder", [(16, 12, 8, 8), (16, 12, 8, 8, 4)])
@pytest.mark.parametrize("size", [(64, 64), (96, 160)])
def test_there_is_one_logit_for_each_pixel_and_prompt(decoder: tuple[int, ...], size: tuple[int, int]) -> None:
    network = tiny(decoder)
    logits = network(torch.randn(2, 1, *size), torch.randn(5, 1, 64), torch.tensor([0, 0, 1, 1, 1]))
    assert logits.shape == (5, 1, *size)


def test_encoding_once_and_decoding_each_prompt_gives_what_whole_passes_give() -> None:
    network, films, text = tiny(), torch.randn(2, 1, 64, 64), torch.randn(4, 1, 64)
    image_of = torch.tensor([0, 0, 1, 1])
    with torch.inference_mode():
        together = network(films, text, image_of)
        for prompt, image in enumerate(image_of.tolist()):
            alone = network(films[image : image + 1], text[prompt : prompt + 1], torch.tensor([0]))
            torch.testing.assert_close(together[prompt], alone[0], rtol=1e-4, atol=1e-5)


def test_an_image_may_be_asked_nothing() -> None:
    network = tiny()
    logits = network(torch.randn(2, 1, 64, 64), torch.randn(1, 1, 64), torch.tensor([1]))
    assert logits.shape[0] == 1


def test_features_of_another_text_encoder_are_refused() -> None:
    with pytest.raises(TextWidthMismatch, match=r"64 numbers.*gives 384"):
        tiny()(torch.randn(1, 1, 64, 64), torch.randn(1, 1, 384), torch.tensor([0]))


def test_other_words_give_other_logits_even_before_training() -> None:
    network, film = tiny(), torch.randn(1, 1, 64, 64)
    with torch.inference_mode():
        logits = network(film, torch.eye(64)[:2, None], torch.tensor([0, 0]))
    assert not torch.allclose(logits[0], logits[1])
