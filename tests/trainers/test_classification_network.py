import pytest
import torch

from core.recipes import ClassificationRecipe, preset
from trainers.backbones import TopLayers, build_image_encoder, top_layers
from trainers.backbones.bioclinical import BIOCLINICAL_NAME
from trainers.classification.columns import columns_of
from trainers.classification.losses import label_loss, weights_of
from trainers.classification.model import build_network, parameters_of
from trainers.classification.network import FilmAndContext

WIDTH, DIMENSION, FINDINGS = 16, 12, 3
TOLD = torch.tensor([[True, True, False, False], [False] * 4, [True] * 4])


def tiny(**changes: object) -> FilmAndContext:
    torch.manual_seed(0)
    parts = {"encoder": build_image_encoder("tiny", "random"), "text_dimension": DIMENSION, "top": None, **changes}
    return FilmAndContext(**parts, findings=FINDINGS, width=WIDTH, heads=2, dropout=0.0).eval()  # type: ignore[arg-type]


def parts_of(network: FilmAndContext) -> tuple[torch.Tensor, torch.Tensor]:
    patches = network.patches(network.encode(torch.randn(3, 1, 64, 64)))
    return patches, network.words(torch.randn(3, 4, DIMENSION), TOLD)


def test_there_is_one_logit_for_each_film_and_finding_whatever_is_missing() -> None:
    network = tiny()
    patches, words = parts_of(network)
    assert patches.shape == (3, 4, WIDTH) and words.shape == (3, 4, WIDTH)
    for given in ((patches, words, TOLD), (patches, None, None), (None, words, TOLD)):
        assert network(*given).shape == (3, FINDINGS)


def test_a_row_without_a_context_is_answered_as_a_film_alone() -> None:
    network = tiny()
    patches, words = parts_of(network)
    together, alone = network(patches, words, TOLD), network(patches, None, None)
    torch.testing.assert_close(together[1], alone[1])
    assert not torch.allclose(together[0], alone[0])


def test_what_fills_a_row_up_does_not_change_its_answer() -> None:
    network = tiny()
    patches, words = parts_of(network)
    noisy = torch.where(TOLD[:, :, None], words, torch.randn_like(words) * 9)
    for given in (patches, None):
        torch.testing.assert_close(network(given, words, TOLD)[0], network(given, noisy, TOLD)[0])
    short = network(patches[:1], words[:1, :2], TOLD[:1, :2])
    torch.testing.assert_close(network(patches, words, TOLD)[:1], short)


def test_film_and_context_each_change_the_answer() -> None:
    network = tiny()
    patches, words = parts_of(network)
    as_it_is = network(patches, words, TOLD)
    assert not torch.allclose(network(patches.flip(0), words, TOLD)[0], as_it_is[0])
    assert not torch.allclose(network(patches, words.flip(1), torch.ones_like(TOLD))[0], as_it_is[0])


def test_attention_on_words_is_a_share_of_the_tokens_that_are_there() -> None:
    network = tiny()
    patches, words = parts_of(network)
    fused = network.fuse(patches, words, TOLD, attention=True)
    assert fused.attention is not None and fused.attention.shape == (3, 4, 4)
    torch.testing.assert_close(fused.attention.sum(dim=-1), torch.ones(3, 4))
    assert (fused.attention[0][:, 2:] == 0).all()
    torch.testing.assert_close(fused.pooled, network.fuse(patches, words, TOLD).pooled, rtol=1e-4, atol=1e-5)


def test_a_network_of_one_modality_has_no_part_for_the_other() -> None:
    image, text = tiny(text_dimension=None), tiny(encoder=None)
    assert image.from_states is None and text.from_map is None
    assert image(image.patches(image.encode(torch.randn(2, 1, 64, 64))), None, None).shape == (2, FINDINGS)
    words = text.words(torch.randn(3, 4, DIMENSION), TOLD)
    torch.testing.assert_close(text(None, words, TOLD)[1], text(None, words[1:2] * 0, TOLD[1:2])[0])


def test_the_layers_of_the_text_encoder_that_learn_take_part() -> None:
    config = {"hidden_size": DIMENSION, "num_attention_heads": 2, "intermediate_size": 24, "vocab_size": 9}
    network = tiny(top=top_layers(config, 2))
    assert isinstance(network.text, TopLayers)
    network.words(torch.randn(3, 4, DIMENSION), TOLD)[0].sum().backward()
    assert all(parameter.grad is not None for parameter in network.text.parameters())


def test_the_clinical_network_has_about_210_million_parameters() -> None:
    recipe = preset("classification", "clinical")
    assert isinstance(recipe, ClassificationRecipe)
    bert = {"vocab_size": 28_996, "hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072}
    with torch.device("meta"):
        encoder = build_image_encoder(recipe.encoder, "random")
        network = build_network(recipe, 14, encoder, 768, top_layers(bert, recipe.text_layers))
        embeddings = torch.nn.ModuleList([torch.nn.Embedding(rows, 768) for rows in (28_996, 512, 2)])
    total = parameters_of([network, embeddings])
    assert 205e6 < total < 215e6, f"{total:,} with {BIOCLINICAL_NAME}"
    assert all(parameter.is_meta for parameter in network.parameters()), "nothing of it is allocated"


@pytest.mark.parametrize(
    ("changes", "columns"),
    [
        ({}, ("image", "text_only", "fused", "shuffled")),
        ({"modality": "image"}, ("image",)),
        ({"context": "none"}, ("image",)),
        ({"modality": "text"}, ("text_only", "shuffled")),
    ],
)
def test_a_model_is_judged_in_the_columns_that_it_can_answer_in(changes: dict[str, str], columns: tuple[str]) -> None:
    assert columns_of(ClassificationRecipe(**changes)) == columns  # type: ignore[arg-type]


def test_what_is_not_known_teaches_nothing() -> None:
    logits = torch.randn(4, FINDINGS, requires_grad=True)
    targets, asked = torch.rand(4, FINDINGS), torch.ones(4, FINDINGS, dtype=torch.bool)
    asked[1] = False
    label_loss(logits, targets, asked, torch.ones(FINDINGS)).backward()
    assert logits.grad is not None
    assert (logits.grad[1] == 0).all() and (logits.grad[0] != 0).all()
    assert float(label_loss(logits, targets, torch.zeros_like(asked), torch.ones(FINDINGS))) == 0


@pytest.mark.parametrize("weighting", ["none", "root", "balanced"])
def test_however_rare_findings_weigh_the_best_answer_is_their_true_share(weighting: str) -> None:
    share = 0.05
    weights = weights_of(torch.tensor([share]), weighting)
    logits = torch.zeros(1, 1, requires_grad=True)
    targets = torch.tensor([[1.0]] * 5 + [[0.0]] * 95)
    optimizer = torch.optim.LBFGS([logits], max_iter=100)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = label_loss(logits.expand(100, 1), targets, torch.ones(100, 1, dtype=torch.bool), weights)
        value.backward()
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    assert float(logits.detach().sigmoid()) == pytest.approx(share, rel=0.02)
    assert float(weights) == pytest.approx({"none": 1.0, "root": 19**0.5, "balanced": 19.0}[weighting])
