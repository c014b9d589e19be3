"""The bottleneck: saliences, the soft top-k, and dropping that spares the work and keeps the order."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn

from core.recipes import BadRecipe, RetrievalRecipe
from core.recipes.retrieval import VARIANTS
from tests.trainers.test_retrieval_contract import TestRetrieval as _Contract
from tests.trainers.test_retrieval_contract import smoke
from trainers.backbones import UnknownEncoder, build_image_encoder, cut_at_stride_16
from trainers.retrieval.eyes import PatchEye, soft_top_k
from trainers.retrieval.local import SHARPNESS, Local, Told, by_study, local_loss
from trainers.retrieval.losses import consistency_loss

WIDTH, CHANNELS = 16, 6


class TestBottleneck(_Contract):
    """The last variant, which has all that the others have, keeps to the contract as the compact network does."""

    recipe = smoke(
        network="bottleneck", variant="E", patch_width=32, patch_layers=2, patch_heads=2, learning_rate=3e-3,
        minimum_steps=200,
    )  # fmt: skip
    more = ("salience.png",)


def eye_of(variant: str, keeps: float = 0.25, layers: int = 3) -> PatchEye:
    torch.manual_seed(0)
    return PatchEye(variant, CHANNELS, WIDTH, 2, 1, layers, keeps, 0.5).eval()


def found(count: int = 3) -> Tensor:
    torch.manual_seed(1)
    return torch.randn(count, CHANNELS, 4, 4)


@contextmanager
def tokens_seen_by(layers: nn.ModuleList) -> Iterator[list[int]]:
    """How many tokens pass through each layer."""
    seen: list[int] = []
    hooks = [layer.register_forward_hook(lambda _, given, __: seen.append(given[0].shape[1])) for layer in layers]
    yield seen
    for hook in hooks:
        hook.remove()


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_layers_behind_see_what_came_through_and_nothing_else(variant: str) -> None:
    eye = eye_of(variant)
    with tokens_seen_by(eye.before) as before, tokens_seen_by(eye.after) as after:
        glimpse = eye(found())
    assert before == [17], "sixteen patches, and one token for all of them"
    assert after == ([5, 5] if variant == "E" else [17, 17]), "a quarter of sixteen, and the one"
    assert glimpse.patches is not None and glimpse.patches.shape[1] == after[0] - 1


def test_dropping_takes_less_work_by_the_count_of_multiplications() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    work = {}
    for variant in ("D", "E"):
        with FlopCounterMode(display=False) as counter:
            eye_of(variant, layers=6)(found())
        work[variant] = counter.get_total_flops()
    assert work["E"] < 0.5 * work["D"]


def test_what_is_kept_stays_in_order_and_is_the_most_salient() -> None:
    eye = eye_of("E")
    glimpse = eye(found())
    assert glimpse.kept is not None and glimpse.salience is not None
    for kept, salience in zip(glimpse.kept, glimpse.salience, strict=True):
        assert kept.tolist() == sorted(kept.tolist()) and len(set(kept.tolist())) == 4
        assert set(kept.tolist()) == set(salience.topk(4).indices.tolist())


def test_what_is_dropped_has_no_say() -> None:
    eye = eye_of("E")
    first = eye(found())
    assert first.kept is not None and eye.salient is not None
    own = eye.salient.weight[0] / eye.salient.weight.norm()
    aside = torch.randn(WIDTH)
    aside = aside - (aside @ own) * own

    def otherwise(_: nn.Module, __: object, tokens: Tensor) -> Tensor:
        """The dropped patches moved aside, as salient as they were."""
        dropped = torch.ones(len(tokens), 16, dtype=torch.bool).scatter(1, first.kept, False)
        return torch.cat([tokens[:, :1], tokens[:, 1:] + 9 * dropped[:, :, None] * aside], dim=1)

    hook = eye.before[0].register_forward_hook(otherwise)
    second = eye(found())
    hook.remove()
    assert torch.equal(first.kept, second.kept)
    torch.testing.assert_close(first.pooled, second.pooled)


def test_each_step_lets_through_what_it_says() -> None:
    for variant in VARIANTS:
        glimpse = eye_of(variant)(found())
        assert glimpse.gates is not None and glimpse.kept is not None
        if variant in "AB":
            assert glimpse.salience is None and bool((glimpse.gates == 1).all())
        elif variant == "C":
            assert torch.equal(glimpse.gates, glimpse.salience)  # type: ignore[arg-type]
        else:
            assert (glimpse.gates > 0.5).sum(dim=1).tolist() == [4, 4, 4]


def test_an_open_gate_lets_everything_through() -> None:
    for variant in VARIANTS:
        eye = eye_of(variant)
        whole = eye(found(), gated=False)
        assert whole.kept.shape == (3, 16) and bool((whole.gates == 1).all())
        plain = eye_of("A")
        plain.load_state_dict({k: v for k, v in eye.state_dict().items() if not k.startswith("salient")})
        torch.testing.assert_close(whole.pooled, plain(found()).pooled)


def test_the_saliences_of_what_is_dropped_learn_too() -> None:
    for variant in ("C", "D", "E"):
        eye = eye_of(variant)
        glimpse = eye(found())
        (glimpse.pooled.pow(2).sum() + glimpse.salience.mean()).backward()
        assert eye.salient is not None and eye.salient.weight.grad is not None
        assert eye.salient.weight.grad.abs().sum() > 0


def test_the_soft_top_k_is_the_sigmoid_of_the_way_to_the_edge() -> None:
    scores = torch.tensor([[3.0, 1.0, 2.0, -1.0]])
    expected = [1 / (1 + math.exp(-(value - 1.5) / 0.5)) for value in (3.0, 1.0, 2.0, -1.0)]
    assert soft_top_k(scores, 2, 0.5)[0].tolist() == pytest.approx(expected)
    assert soft_top_k(scores, 2, 1e-3)[0].tolist() == pytest.approx([1, 0, 1, 0])
    assert soft_top_k(scores, 4, 0.5).tolist() == [[1, 1, 1, 1]]


def test_words_are_drawn_to_their_own_summaries_as_worked_out_slowly() -> None:
    torch.manual_seed(0)
    words, summaries = (nn.functional.normalize(torch.randn(2, 3, 4), dim=-1) for _ in range(2))
    said = torch.tensor([[True, True, True], [True, True, False]])
    total, count = 0.0, 0
    for row in range(2):
        own = [place for place in range(3) if said[row, place]]
        for place in own:
            for ones, others in ((words, summaries), (summaries, words)):
                logits = [SHARPNESS * float(ones[row, place] @ others[row, other]) for other in own]
                whole = math.log(sum(map(math.exp, logits)))
                total += (whole - SHARPNESS * float(ones[row, place] @ others[row, place])) / 2
            count += 1
    found_loss = local_loss(Told(words, summaries, torch.zeros(2, 3, 1)), said)
    assert found_loss.item() == pytest.approx(total / count, rel=1e-5)


def test_a_closed_patch_answers_no_word() -> None:
    torch.manual_seed(0)
    local = Local(5, 7, 8)
    told = local(torch.randn(2, 3, 5), torch.randn(2, 4, 7), torch.tensor([[1.0, 1, 0, 0], [0, 0, 0, 1]]))
    assert told.heed.shape == (2, 3, 4)
    torch.testing.assert_close(told.heed.sum(dim=-1), torch.ones(2, 3))
    assert told.heed[0, :, 2:].max() < 1e-3 and told.heed[1, :, 3].min() > 0.99


def test_a_studys_words_ask_the_patches_of_all_its_films() -> None:
    seen = torch.tensor([[True, True], [False, True]])
    patches = torch.arange(3.0)[:, None, None].expand(3, 2, 1)
    together, gates = by_study(patches, torch.ones(3, 2), seen)
    assert together[:, :, 0].tolist() == [[0, 0, 1, 1], [0, 0, 2, 2]]
    assert gates.tolist() == [[1, 1, 1, 1], [0, 0, 1, 1]]


def test_what_a_film_says_whole_and_through_the_bottleneck_is_held_together() -> None:
    one, other = torch.tensor([[1.0, 0], [1, 0]]), torch.tensor([[2.0, 0], [0, 3]])
    assert consistency_loss(one, other).item() == pytest.approx((0 + 1) / 2)


@pytest.mark.parametrize(("name", "side", "shape"), [("tiny", 64, (24, 4, 4)), ("efficientnet_lite0", 64, (112, 4, 4))])
def test_an_encoder_cut_at_stride_16_gives_the_map_that_the_whole_one_does(
    name: str, side: int, shape: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    whole = build_image_encoder(name, "random")
    torch.manual_seed(0)
    cut = build_image_encoder(name, "random")
    whole.eval(), cut.eval()  # type: ignore[attr-defined]
    assert cut_at_stride_16(cut) == shape[0]
    film = torch.randn(1, 1, side, side)
    torch.testing.assert_close(cut(film)[-1], whole(film)[3])
    assert cut(film)[-1].shape[1:] == shape
    assert sum(p.numel() for p in cut.parameters()) < sum(p.numel() for p in whole.parameters())
    assert cut.stages_up_to(5)


def test_an_encoder_that_cannot_be_cut_is_named() -> None:
    with pytest.raises(UnknownEncoder, match="ResNet"):
        cut_at_stride_16(build_image_encoder("resnet18", "random"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"variant": "C"}, "network=bottleneck"),
        ({"network": "bottleneck", "encoder": "resnet18", "weights": "random"}, "takes one of the encoders"),
        ({"network": "bottleneck", "patch_width": 50}, "multiple of 4"),
        ({"network": "bottleneck", "salient_after": 4}, "before the last"),
        ({"batch_size": 1}, "at least 2"),
        ({"views": "single"}, "single_weight=0"),
        ({"text_encoder": "hash", "text_layers": 1}, "text_layers=0"),
        ({"label_sources": ()}, "soft_targets=0"),
        ({"label_sources": ("model",)}, "label_sources takes"),
    ],
)
def test_a_recipe_that_contradicts_itself_is_refused_with_what_to_do(changes: dict[str, object], words: str) -> None:
    with pytest.raises(BadRecipe, match=words):
        RetrievalRecipe(**changes)  # type: ignore[arg-type]
