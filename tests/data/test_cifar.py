"""CIFAR-10 and CIFAR-100 from small files of their layouts that the tests write.

And every way to be without them. The servers here listen on 127.0.0.1; nothing goes further.
"""

import contextlib
import dataclasses
import http.server
import io
import itertools
import os
import socket
import threading
from pathlib import Path

import numpy as np
import pooch
import pytest

from bnlab.claims.__main__ import main
from bnlab.data import cifar, load
from bnlab.data.cifar import CIFAR10, CIFAR100, cifar10, cifar100
from bnlab.train import Run, train
from tests.data.cifar_files import FILES, FOLDER, packed, records, write

ARCHIVE = CIFAR10.archive.name
TRAIN, TEST = CIFAR10.train, CIFAR10.test
MEAN, STD = (np.array(c)[:, None, None] for c in (CIFAR10.mean, CIFAR10.std))


@pytest.fixture(autouse=True)
def nothing_kept():
    cifar._load.cache_clear()
    yield
    cifar._load.cache_clear()


@pytest.fixture
def raw():
    return {name: records(seed) for seed, name in enumerate(FILES)}


@pytest.fixture
def raw100():
    return {"train.bin": records(0, 250, CIFAR100), "test.bin": records(1, 120, CIFAR100)}


@pytest.fixture
def folder(tmp_path, monkeypatch, raw):
    """The unpacked folder, inside the one that BNLAB_DATA names."""
    monkeypatch.setenv("BNLAB_DATA", str(tmp_path))
    return write(tmp_path, raw)


@pytest.fixture
def folder100(tmp_path, monkeypatch, raw100):
    """The same of CIFAR-100."""
    monkeypatch.setenv("BNLAB_DATA", str(tmp_path))
    return write(tmp_path, raw100, CIFAR100)


@pytest.fixture
def archive(tmp_path, monkeypatch, raw):
    """The archive, inside the folder that BNLAB_DATA names."""
    monkeypatch.setenv("BNLAB_DATA", str(tmp_path))
    path = tmp_path / ARCHIVE
    path.write_bytes(packed({name: made.tobytes() for name, made in raw.items()}))
    return path


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """No BNLAB_DATA, and an empty cache."""
    monkeypatch.delenv("BNLAB_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / "bnlab"


def change_archive(monkeypatch, **changes):
    """Let CIFAR-10 come from elsewhere."""
    archive = dataclasses.replace(cifar.CIFAR10.archive, **changes)
    monkeypatch.setattr(cifar, "CIFAR10", dataclasses.replace(cifar.CIFAR10, archive=archive))


@contextlib.contextmanager
def server(monkeypatch, content, length=None, status=200):
    """A server of ``content``, which it says has ``length`` bytes; the url points to it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", str(length or len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as served:
        change_archive(monkeypatch, url=f"http://127.0.0.1:{served.server_port}/{ARCHIVE}")
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        try:
            yield
        finally:
            served.shutdown()
            thread.join()


def arrays(data):
    return [getattr(data, f"{part}_{a}") for part in ("train", "val", "test") for a in "xy"]


def standardized(made):
    """Images of records, standardized in float64."""
    pixels = made[:, 1:].reshape(-1, 3, 32, 32).astype(np.float64)
    return (pixels / 255 - MEAN) / STD


def serials(x):
    """The serial numbers in the first pixels."""
    return np.rint((x[:, 0, 0, 0] * STD[0, 0, 0] + MEAN[0, 0, 0]) * 255).astype(int)


def test_parts_are_a_split_of_the_training_files(folder, raw):
    data = cifar10()
    train = np.concatenate([raw[name] for name in TRAIN])
    assert data.image_shape == (3, 32, 32)
    assert (len(data.train_y), len(data.val_y)) == (36, 4)
    seen = np.concatenate([serials(data.train_x), serials(data.val_x)])
    assert sorted(seen) == list(range(40))
    assert list(seen) != list(range(40))
    np.testing.assert_array_equal(np.concatenate([data.train_y, data.val_y]), train[seen, 0])
    for x, made in ((data.train_x, train[seen[:36]]), (data.val_x, train[seen[36:]])):
        assert x.dtype == np.float32
        np.testing.assert_allclose(x, standardized(made), atol=1e-6)


def test_official_test_images_stay_the_test_part(folder, raw):
    data = cifar10(3)
    np.testing.assert_allclose(data.test_x, standardized(raw[TEST]), atol=1e-6)
    np.testing.assert_array_equal(data.test_y, raw[TEST][:, 0])


def test_split_depends_on_its_seed_alone(folder):
    first, other = cifar10(0), cifar10(1)
    cifar._load.cache_clear()
    again = cifar10(0)
    assert all(map(np.array_equal, arrays(first), arrays(again)))
    assert not np.array_equal(first.val_x, other.val_x)
    assert np.array_equal(first.test_x, other.test_x)


def test_last_split_is_kept_until_the_folder_changes(folder, tmp_path, monkeypatch):
    assert cifar10() is cifar10(split_seed=0) is load("cifar10")
    monkeypatch.setenv("BNLAB_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(NotADirectoryError):
        cifar10()


def test_archive_gives_the_same_as_the_folder(archive, folder):
    from_folder = cifar10()
    for name in FILES:
        (folder / name).unlink()
    folder.rmdir()
    cifar._load.cache_clear()
    assert all(map(np.array_equal, arrays(from_folder), arrays(cifar10())))
    assert list(archive.parent.iterdir()) == [archive]  # nothing is unpacked to disk


@pytest.mark.parametrize("net", ["mlp", "plain", "resnet"])
def test_each_net_trains_on_it(folder, net):
    run = Run(data="cifar10", net=net, depth=3, width=4, norm="batch", batch_size=4, steps=2)
    history = train(run, device="cpu")
    assert np.isfinite(history.loss).all()
    assert 0 <= history.test_accuracy <= 1


def test_given_is_not_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BNLAB_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(NotADirectoryError, match=f"nowhere.* not a folder; set it.*{ARCHIVE}"):
        cifar10()


def test_given_folder_is_empty(tmp_path, monkeypatch):
    monkeypatch.setenv("BNLAB_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=f"neither {ARCHIVE} nor .*{FOLDER}; put one"):
        cifar10()


def test_given_folder_lacks_files(folder):
    (folder / TRAIN[2]).unlink()
    (folder / TEST).unlink()
    with pytest.raises(FileNotFoundError, match=r"data_batch_3.bin, test_batch.bin; replace it"):
        cifar10()


def test_given_archive_lacks_a_file(archive, raw):
    del raw[TRAIN[4]]
    archive.write_bytes(packed({name: made.tobytes() for name, made in raw.items()}))
    with pytest.raises(FileNotFoundError, match=r"does not have data_batch_5.bin; replace it"):
        cifar10()


@pytest.mark.parametrize("name", [TRAIN[1], TEST])
@pytest.mark.parametrize("size", [0, 1, 3 * CIFAR10.record - 1])
def test_truncated_file(folder, name, size):
    (folder / name).write_bytes((folder / name).read_bytes()[:size])
    with pytest.raises(ValueError, match=f"{name} in .*{FOLDER} is truncated.*; delete it and get"):
        cifar10()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.9999])
def test_truncated_archive(archive, share):
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises((ValueError, FileNotFoundError), match=f"{ARCHIVE} .*(delete|replace) it"):
        cifar10()


@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_damaged_archive(archive, place):
    damaged = bytearray(archive.read_bytes())
    damaged[int(place * (len(damaged) - 8))] ^= 0xFF  # the last: in gzip's checksum
    archive.write_bytes(damaged)
    with pytest.raises(ValueError, match=f"{ARCHIVE} is truncated or damaged .*; delete it and"):
        cifar10()


@pytest.mark.parametrize("name", [TRAIN[0], TEST])
def test_label_out_of_range(folder, raw, name):
    raw[name][5, 0] = 10
    (folder / name).write_bytes(raw[name].tobytes())
    with pytest.raises(ValueError, match=f"{name} in .*: image 5 has label 10.*; delete it and"):
        cifar10()


def test_no_network(cache, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, so that no one else listens there; not listening
        change_archive(monkeypatch, url=f"http://127.0.0.1:{closed.getsockname()[1]}/{ARCHIVE}")
        with pytest.raises(OSError, match=f"ConnectionError.*put {ARCHIVE} into .*BNLAB_DATA"):
            cifar10()


def test_a_measurement_without_images_ends_before_it_begins(cache, monkeypatch, tmp_path, capsys):
    """Without a network, with a wrong checksum, and with a folder that lacks the archive."""
    measure = ["measure", "--scale", "cifar10", "B1", "--output", str(tmp_path / "results")]
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        change_archive(monkeypatch, url=f"http://127.0.0.1:{closed.getsockname()[1]}/{ARCHIVE}")
        assert main(measure) == 1
    assert "CIFAR-10 could not be downloaded (ConnectionError" in capsys.readouterr().err
    with server(monkeypatch, bytes(1000)):
        assert main(measure) == 1
    assert "checksum differs, and it was not kept" in capsys.readouterr().err
    monkeypatch.setenv("BNLAB_DATA", str(tmp_path))
    assert main(measure) == 1
    assert f"has neither {ARCHIVE} nor the folder" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_server_without_the_archive(cache, monkeypatch):
    with (
        server(monkeypatch, b"not here", status=404),
        pytest.raises(OSError, match=f"HTTPError: 404.*put {ARCHIVE} into .*BNLAB_DATA"),
    ):
        cifar10()


def test_connection_lost_in_mid_download(cache, monkeypatch):
    with (
        server(monkeypatch, bytes(1000), length=2000),
        pytest.raises(OSError, match=r"could not be downloaded.*BNLAB_DATA"),
    ):
        cifar10()
    assert list(cache.iterdir()) == []


def test_a_broken_download_is_started_again(cache, monkeypatch, raw, tmp_path):
    content = packed({name: made.tobytes() for name, made in raw.items()})
    (tmp_path / "expected").write_bytes(content)
    change_archive(monkeypatch, md5=pooch.file_hash(tmp_path / "expected", "md5"))
    half = content[: len(content) // 2]
    with (
        server(monkeypatch, half, length=len(content)),
        pytest.raises(OSError, match=r"Try again"),
    ):
        cifar10()
    with server(monkeypatch, content):
        assert len(cifar10().train_y) == 36


def test_damaged_download_is_refused(cache, monkeypatch):
    with (
        server(monkeypatch, bytes(1000)),
        pytest.raises(ValueError, match=r"checksum differs, and it was not kept\. Try again"),
    ):
        cifar10()
    assert list(cache.iterdir()) == []


def test_interrupted_download_leaves_nothing(cache, monkeypatch):
    class Interrupted(pooch.HTTPDownloader):
        def __call__(self, url, output_file, pooch, **_):
            with open(output_file, "wb") as file:  # noqa: PTH123
                file.write(bytes(1000))
            raise KeyboardInterrupt

    monkeypatch.setattr(pooch, "HTTPDownloader", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        cifar10()
    assert list(cache.iterdir()) == []


def test_downloaded_once(cache, monkeypatch, raw, tmp_path):
    content = packed({name: made.tobytes() for name, made in raw.items()})
    (tmp_path / "expected").write_bytes(content)
    change_archive(monkeypatch, md5=pooch.file_hash(tmp_path / "expected", "md5"))
    monkeypatch.setenv("BNLAB_DATA", "")  # as good as unset
    with server(monkeypatch, content):
        first = cifar10()
    cifar._load.cache_clear()
    assert all(map(np.array_equal, arrays(first), arrays(cifar10())))  # the server is gone
    assert list(cache.iterdir()) == [cache / ARCHIVE]


# ---------------------------------------------------------------------------- half the size


def test_half_the_size_is_means_over_two_by_two_pixels(folder, raw):
    made = raw[TEST]
    made[0, 1:] = 0
    made[0, 1:3], made[0, 33:35] = (10, 20), (30, 43)  # the first two rows of the red plane
    (folder / TEST).write_bytes(made.tobytes())
    data = load("cifar10", image_size=16)
    assert data.image_shape == (3, 16, 16) and data.train_x.dtype == np.float32
    red = data.test_x[0, 0] * STD[0] + MEAN[0]
    assert red[0, 0] * 255 == pytest.approx((10 + 20 + 30 + 43) / 4, abs=1e-4)
    np.testing.assert_allclose(red.ravel()[1:], 0, atol=1e-6)
    means = standardized(made).reshape(-1, 3, 16, 2, 16, 2).mean((3, 5))
    np.testing.assert_allclose(data.test_x, means, atol=1e-6)


def test_both_sizes_have_the_same_split(folder):
    whole, half = cifar10(3), cifar10(3, image_size=16)
    for part in ("train", "val", "test"):
        x, small = getattr(whole, f"{part}_x"), getattr(half, f"{part}_x")
        means = x.reshape(len(x), 3, 16, 2, 16, 2).mean((3, 5))
        np.testing.assert_allclose(small, means, atol=1e-5)
        assert np.array_equal(getattr(whole, f"{part}_y"), getattr(half, f"{part}_y"))
    assert arrays(load("cifar10", 3, 32))[0].shape == whole.train_x.shape


def test_cifar100_can_be_halved_too(folder100):
    assert load("cifar100", image_size=16).image_shape == (3, 16, 16)


@pytest.mark.parametrize("net", ["mlp", "plain", "resnet"])
def test_each_net_trains_on_half_the_size(folder, net):
    run = Run(data="cifar10", net=net, depth=3, width=4, norm="batch", batch_size=4, steps=2)
    half = run.replace(image_size=16)
    assert half.key() != run.key()
    assert np.isfinite(train(half, device="cpu").loss).all()


@pytest.mark.parametrize("size", [7, 8, 0, -16, 64, 16.5, "16"])
def test_a_size_that_is_none_is_refused_by_run_and_load(size):
    """Before any file is looked for: here is none."""
    message = "not for data='cifar10': its images have 32 x 32 pixels. Use 32, or 16"
    for made in (Run, lambda data, image_size: load(data, image_size=image_size)):
        with pytest.raises(ValueError, match=f"image_size={size!r} is {message}"):
            made(data="cifar10", image_size=size)


@pytest.mark.parametrize("size", [8, 16, 32])
def test_digits_have_no_other_size(size):
    for made in (Run, lambda image_size: load("digits", image_size=image_size)):
        with pytest.raises(ValueError, match="not for data='digits': its images have 8 x 8 pixels"):
            made(image_size=size)


# ------------------------------------------------------------------------------ which pixels


def test_what_are_not_the_official_pixels_is_called_a_copy(folder):
    assert cifar10().source == "CIFAR-10 (a copy: not the official pixels)"
    assert cifar10(image_size=16).source == cifar10().source


@pytest.mark.parametrize(("off", "said"), [(0, "CIFAR-10"), (1e-8, "CIFAR-10"), (1e-7, "a copy")])
def test_the_means_of_the_pixels_tell_the_official_ones(folder, raw, monkeypatch, off, said):
    """To eight digits: here those of the files stand in for the published ones."""
    pixels = np.concatenate([raw[name][:, 1:] for name in TRAIN]).reshape(-1, 3, 1024)
    means = tuple((pixels.mean((0, 2)) / 255 + [0, 0, off]).tolist())
    monkeypatch.setattr(cifar, "CIFAR10", dataclasses.replace(CIFAR10, means=means))
    for size in cifar.SIZES:
        source = cifar10(image_size=size).source
        assert said in source and ("copy" in source) == (off > cifar.NEAR)


def test_the_published_means_agree_with_each_other():
    """Those of 0 to 255, as they stand in other projects, and the rounded ones."""
    means = np.array([125.30691805, 122.95039414, 113.86538318]) / 255
    np.testing.assert_allclose(CIFAR10.means, means, atol=1e-8)
    np.testing.assert_allclose(CIFAR10.means, CIFAR10.mean, atol=5e-5)


def test_the_jpeg_copy_has_nearly_the_official_statistics():
    """What JPEG changes is small. Every fifth image of the training files is looked at."""
    path = Path(__file__).parents[3] / "shared" / "data" / "cifar10_jpeg.npz"
    if not path.is_file():
        pytest.skip("beside the repository lies no shared/data/cifar10_jpeg.npz.")
    image = pytest.importorskip("PIL.Image", reason="Pillow decodes the copy")
    stored = np.load(path)
    prefix, body = stored["prefix"].tobytes(), stored["body"].tobytes()
    ends = np.cumsum(stored["lengths"].astype(np.int64) - len(prefix))[:50_000]
    cuts = [*itertools.pairwise([0, *ends.tolist()])][::5]
    files = (io.BytesIO(prefix + body[start:end]) for start, end in cuts)
    pixels = np.stack([np.asarray(image.open(file).convert("RGB")) for file in files])
    assert np.bincount(stored["labels"][:50_000]).tolist() == [5000] * 10
    assert np.bincount(stored["labels"][50_000:]).tolist() == [1000] * 10
    means, stds = pixels.mean((0, 1, 2)) / 255, pixels.std((0, 1, 2)) / 255
    off = np.abs(means - CIFAR10.means)
    assert cifar.NEAR < off.max() < 5e-3
    np.testing.assert_allclose(stds, CIFAR10.std, atol=5e-3)


# -------------------------------------------------------------------------------- CIFAR-100


def test_cifar100_learns_the_fine_labels(folder100, raw100):
    data = cifar100(3)
    assert data.name == "cifar100" and data.num_classes == 100
    assert [len(y) for y in arrays(data)[1::2]] == [225, 25, 120]
    mean, std = (np.array(c)[:, None, None] for c in (CIFAR100.mean, CIFAR100.std))
    first = (data.train_x[:, 0, 0, 0] * std[0, 0, 0] + mean[0, 0, 0]) * 255
    np.testing.assert_array_equal(data.train_y, np.rint(first).astype(int) * 7 % 100)
    pixels = raw100["test.bin"][:, 2:].reshape(-1, 3, 32, 32) / 255
    np.testing.assert_allclose(data.test_x, (pixels - mean) / std, atol=1e-6)
    np.testing.assert_array_equal(data.test_y, raw100["test.bin"][:, 1])


def test_cifar100_from_its_archive(tmp_path, monkeypatch, folder100, raw100):
    from_folder = arrays(cifar100())
    for file in folder100.iterdir():
        file.unlink()
    folder100.rmdir()
    content = packed({name: made.tobytes() for name, made in raw100.items()})
    (tmp_path / "cifar-100-binary.tar.gz").write_bytes(content)
    cifar._load.cache_clear()
    assert all(map(np.array_equal, from_folder, arrays(load("cifar100"))))


def test_both_in_one_folder(folder, folder100):
    assert load("cifar10").num_classes == 10 and load("cifar100").num_classes == 100
    assert load("cifar10").train_x.shape == (36, 3, 32, 32)


@pytest.mark.parametrize("place, label, last", [(0, 20, 19), (1, 100, 99)])
def test_coarse_and_fine_labels_out_of_range(folder100, raw100, place, label, last):
    raw100["train.bin"][4, place] = label
    (folder100 / "train.bin").write_bytes(raw100["train.bin"].tobytes())
    message = f"no file of CIFAR-100: image 4 has label {label}, labels are 0 to {last}; delete"
    with pytest.raises(ValueError, match=message):
        cifar100()


def test_cifar100_truncated(folder100, raw100):
    (folder100 / "test.bin").write_bytes(raw100["test.bin"].tobytes()[:3073])
    with pytest.raises(ValueError, match=r"test.bin in .* truncated: .* multiple of 3,074 "):
        cifar100()


def test_cifar100_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("BNLAB_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"neither cifar-100-binary\.tar\.gz nor"):
        cifar100()


def test_where_the_archives_are():
    """Names and checksums as published; a layout makes the name from its title."""
    published = {
        "cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530",
        "cifar-100-binary.tar.gz": "03b5dce01913d631647c71ecec9e9cb8",
    }
    archives = [layout.archive for layout in (CIFAR10, CIFAR100)]
    assert {one.name: one.md5 for one in archives} == published
    assert all(one.url == f"https://www.cs.toronto.edu/~kriz/{one.name}" for one in archives)


# ----------------------------------------------------------------------------- the whole set


def test_the_whole_set_where_it_is():
    """Only where BNLAB_DATA names the 60,000 images, original or a copy of them."""
    folder = Path(os.environ.get("BNLAB_DATA", "")) / FOLDER
    if not (folder / TEST).is_file() or (folder / TEST).stat().st_size != 10_000 * CIFAR10.record:
        pytest.skip(f"BNLAB_DATA names no folder with all of CIFAR-10 in {FOLDER}.")
    data = cifar10()
    assert [x.shape for x in arrays(data)[::2]] == [(n, 3, 32, 32) for n in (45_000, 5000, 10_000)]
    both = np.concatenate([data.train_y, data.val_y])
    assert np.bincount(both).tolist() == [5000] * 10
    assert np.bincount(data.test_y).tolist() == [1000] * 10
    # The constants are the mean and standard deviation of these very images.
    np.testing.assert_allclose(data.train_x.mean((0, 2, 3)), 0, atol=0.01)
    np.testing.assert_allclose(data.train_x.std((0, 2, 3)), 1, atol=0.01)
