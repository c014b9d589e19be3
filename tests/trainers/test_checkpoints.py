import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from trainers.checkpoints import NotWeights, PickledModel, convert, main, read_state


class Trap:
    """What a malicious pickle does: it runs a command while it is opened."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch sprung",)


def test_safetensors_and_plain_state_dictionaries_are_read(tmp_path: Path) -> None:
    state = {"layer.weight": torch.arange(4.0)}
    save_file(state, tmp_path / "a.safetensors")
    torch.save(state, tmp_path / "b.pth")
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "c.ckpt")
    for name in ("a.safetensors", "b.pth", "c.ckpt"):
        assert torch.equal(read_state(tmp_path / name)["layer.weight"], torch.arange(4.0))


def test_a_pickled_module_is_refused_with_the_command_that_converts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(torch.nn.Linear(2, 2), tmp_path / "module.pth")
    (tmp_path / "trap.pth").write_bytes(pickle.dumps({"weights": Trap()}))
    torch.save({"weights": Trap()}, tmp_path / "trap2.pth")
    for name in ("module.pth", "trap.pth", "trap2.pth"):
        with pytest.raises(PickledModel, match=r"state_dict\(\).*python -m trainers\.checkpoints convert"):
            read_state(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth"])
def test_a_file_cut_short_is_refused(tmp_path: Path, name: str) -> None:
    state = {"weight": torch.zeros(100)}
    if name.endswith("safetensors"):
        save_file(state, tmp_path / name)
    else:
        torch.save(state, tmp_path / name)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:200])
    with pytest.raises(NotWeights):
        read_state(tmp_path / name)


def test_a_file_of_other_things_is_refused(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "other.pth")
    with pytest.raises(NotWeights, match="no tensors by name"):
        read_state(tmp_path / "other.pth")


def test_the_converter_makes_safetensors_of_a_state_dictionary(tmp_path: Path) -> None:
    shared = torch.arange(6.0)
    torch.save({"a": shared[:3], "b": shared[3:]}, tmp_path / "in.pth")
    convert(tmp_path / "in.pth", tmp_path / "out.safetensors")
    assert torch.equal(load_file(tmp_path / "out.safetensors")["b"], torch.tensor([3.0, 4.0, 5.0]))


def test_the_converters_command_succeeds_or_says_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "module.pth")
    assert main(["convert", str(tmp_path / "module.pth"), str(tmp_path / "out.safetensors")]) == 1
    assert "pickled module" in capsys.readouterr().err
    torch.save({"a": torch.zeros(1)}, tmp_path / "plain.pth")
    assert main(["convert", str(tmp_path / "plain.pth"), str(tmp_path / "out.safetensors")]) == 0
