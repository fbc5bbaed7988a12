"""Which way is taken: by the table, by what is possible here, and by what compiling costs."""

import pytest
import torch

from bnlab.engines.compiled import stores
from bnlab.train import Run, make_trainer, train, ways
from bnlab.train.ways import COUNTS, Case, family, fastest, nearest, table

BOOK = Run(net="mlp", depth=6, width=64, norm="batch", batch_size=32)
OTHER = BOOK.replace(width=48)  # is not compiled beforehand
CONV = Run(net="plain", depth=2, width=8, norm="batch", batch_size=32)


def case(net="mlp", norm="batch", mflop=1.0, build=5.0, **us) -> Case:
    names = ("torch", "native", "wasmtime", *(f"stack_{count}" for count in COUNTS))
    seconds = {name: 1e-6 * us.get(name, 1e6) for name in names}
    return Case(net, norm, 1e6 * mflop, seconds, build)


@pytest.fixture
def use(monkeypatch):
    """Takes cases in place of the measured ones."""

    def cases(*found):
        monkeypatch.setattr(ways, "table", lambda: found)

    monkeypatch.setenv("BNLAB_MACHINE", "wasmtime")
    return cases


def test_the_table_has_every_way_of_every_kind_of_net():
    assert {one.net for one in table()} == {"mlp", "plain", "resnet"}
    assert {one.norm for one in table()} == {"batch", "layer", "batch_renorm"}
    names = {"torch", "native", "wasmtime", *(f"stack_{count}" for count in COUNTS)}
    for one in table():
        assert set(one.seconds) == names
        assert all(1e-6 < seconds < 1 for seconds in one.seconds.values())
        assert 0 < one.build < 300 and 1e5 < one.flop < 1e11


@pytest.mark.parametrize("norm", ["none", "batch", "layer", "batch_renorm"])
@pytest.mark.parametrize(
    "machine, size", [("wasmtime", 4), ("native", 4), ("native", 32), ("native", 128)]
)
def test_sixteen_mlps_are_compiled(monkeypatch, machine, size, norm):
    pytest.importorskip("ziglang", reason="the native machine needs a compiler")
    monkeypatch.setenv("BNLAB_MACHINE", machine)
    run = BOOK.replace(norm=norm, batch_size=size)
    assert [fastest(run, count, "cpu") for count in (1, 16)] == ["compiled"] * 2


def test_a_family_is_known_by_its_kernels():
    assert [family(BOOK.replace(norm=norm)) for norm in ("none", "batch")] == ["batch"] * 2
    group = BOOK.replace(norm="group", norm_options={"group_size": 8})
    assert family(group) == "layer"
    slow = group.replace(norm_options={"group_size": 8, "native": False})
    assert family(slow) == family(BOOK.replace(norm="batch_renorm")) == "batch_renorm"


def test_the_nearest_case_has_the_same_kind_of_net_and_normalizer_then_the_next_step(use):
    # A step of BOOK has 5 MFLOP, as it is counted here.
    cases = (case(mflop=1), case(mflop=9), case(norm="layer"), case("plain", mflop=5))
    use(*cases)
    assert nearest(BOOK) is cases[1]
    assert nearest(BOOK.replace(batch_size=8)) is cases[0]
    assert nearest(BOOK.replace(norm="layer")) is cases[2]
    assert nearest(BOOK.replace(norm="rms", norm_options={"native": False})) is cases[1]
    assert nearest(CONV.replace(norm="batch_renorm")) is cases[3]


def test_the_number_of_nets_counts(use):
    use(case(torch=9, wasmtime=8, stack_4=10, stack_16=6, stack_64=7))
    found = [fastest(BOOK, count, "cpu") for count in (1, 2, 7, 9, 16, 31, 64)]
    assert found == ["compiled"] * 3 + ["stack"] * 4
    use(case(torch=9, wasmtime=10, stack_4=11, stack_16=12, stack_64=8))
    assert [fastest(BOOK, count, "cpu") for count in (1, 16, 40)] == ["torch", "torch", "stack"]


def test_a_net_that_has_to_be_compiled_needs_steps_enough_for_that(use):
    use(case(torch=1000, wasmtime=500, build=2))
    assert fastest(BOOK.replace(steps=10), 1, "cpu") == "compiled"
    short, long = OTHER.replace(steps=3900), OTHER.replace(steps=4100)
    assert [fastest(run, 1, "cpu") for run in (short, long)] == ["torch", "compiled"]
    assert fastest(short, 2, "cpu") == "compiled"  # two nets share what is compiled


def test_the_machine_is_the_one_that_is_asked_for_and_can_be_had(use, monkeypatch):
    use(case(torch=5, wasmtime=6, native=4))
    assert fastest(BOOK, 1, "cpu") == "torch"
    monkeypatch.setenv("BNLAB_MACHINE", "native")
    assert fastest(BOOK, 1, "cpu") == "compiled"
    with monkeypatch.context() as patch:
        patch.setattr("bnlab.engines.compiled.native.compilers.compilers", dict)
        assert fastest(BOOK, 1, "cpu") == "torch"
    monkeypatch.setattr("bnlab.engines.compiled.native.library.is_tried", lambda: False)
    assert fastest(BOOK, 1, "cpu") == "torch"


def test_without_a_compiler_only_the_nets_of_the_book_are_compiled(use, monkeypatch):
    use(case(torch=1000, wasmtime=1, build=0))
    assert fastest(OTHER, 1, "cpu") == "compiled"
    monkeypatch.setattr(stores, "has_compiler", lambda: False)
    assert fastest(OTHER, 1, "cpu") == "torch" and fastest(BOOK, 1, "cpu") == "compiled"


def test_what_cannot_be_compiled_trains_otherwise(use, monkeypatch):
    use(case(torch=1000, wasmtime=1, build=0))
    for changes in (
        {"clip": 0.01},
        {"optimizer": "lawn_sgd"},
        {"optimizer_options": {"momentum": 0.9, "dampening": 0.5}},
        {"batch_size": 400},
    ):
        assert fastest(BOOK.replace(**changes), 1, "cpu") == "torch"

    def refused(*_):
        raise stores.NotSupportedError("sorting")

    monkeypatch.setattr(stores, "compiled_here", refused)
    assert fastest(OTHER, 1, "cpu") == "torch"


def test_on_a_gpu_many_nets_are_a_stack(monkeypatch):
    monkeypatch.setattr(ways, "make_device", lambda device: torch.device("cuda"))
    assert [fastest(BOOK, count) for count in (1, 2)] == ["torch", "stack"]
    assert fastest(BOOK.replace(clip=0.01), 2) == "torch"


@pytest.mark.parametrize("engine", ["torch", "compiled"])
def test_train_takes_the_fastest_engine_and_says_which(use, engine):
    use(case(**{"torch": 5, "wasmtime": 4 if engine == "compiled" else 6}))
    run = BOOK.replace(depth=1, steps=3, batch_size=4)
    history = train(run, "fastest", "cpu")
    assert history.engine == engine == make_trainer(run, "fastest", "cpu").engine
    assert history.loss.tobytes() == train(run, engine, "cpu").loss.tobytes()
