"""Every data set that has a name, and the kinds of files that are opened by path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from nasbench.training.data.files import find_set
from nasbench.training.data.images import ImageData
from nasbench.training.data.parts import ValidFrom, split_given, split_published, split_whole
from nasbench.training.data.pixels import count_classes

# Of the unpacked files, so that every packing of them is accepted: Debian's dataset-fashion-mnist
# 0.0~git20200523.55506a9-1, whose gzip differs from the authors'.
FASHION_MNIST_FILES = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
# MD5 of the packed files, all that is published (torchvision/datasets/mnist.py).
MNIST_FILES = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
_IDX_HINT = "Put the four files {files} there, packed with gzip or not."


@dataclass(frozen=True, slots=True)
class DataSet:
    """How a data set is loaded.

    Attributes:
        summary: What it is, in a line.
        load: Called with the seed of the split, the number of training images or None, and the path or None.
        takes_path: Whether ``NAME:PATH`` may say where its files are.
        needs_path: Whether it must.
    """

    summary: str
    load: Callable[[int, int | None, Path | None], ImageData]
    takes_path: bool = True
    needs_path: bool = False


def _digits(split_seed: int, train_images: int | None, _path: Path | None) -> ImageData:
    from nasbench.training.data.digits import load_digits

    return load_digits(split_seed=split_seed, train_images=train_images)


@dataclass(frozen=True, slots=True)
class _Idx:
    """Loads an IDX set of 28 x 28 images; the validation part is cut from the training part."""

    name: str
    places: tuple[str, ...]
    known: dict[str, str]
    hint: str = _IDX_HINT
    valid_images: int | None = None  # a sixth of the training part, 10,000 of 60,000
    test_images: int | None = None
    pool: int = 1

    def __call__(self, split_seed: int, train_images: int | None, path: Path | None) -> ImageData:
        from nasbench.training.data.idx import FILES, missing_idx_files, read_idx_set

        folder = find_set(
            self.name,
            self.places,
            missing_in=missing_idx_files,
            hint=self.hint.format(files=", ".join(FILES)),
            path=path,
        )
        train, test = read_idx_set(folder, known=self.known)
        return split_published(
            self.name,
            train,
            test,
            classes=count_classes(train, test, where=str(folder)),
            split_seed=split_seed,
            train_images=train_images,
            valid_images=len(train) // 6 if self.valid_images is None else self.valid_images,
            test_images=self.test_images,
            pool=self.pool,
        )


@dataclass(frozen=True, slots=True)
class _Cifar:
    """Loads CIFAR-10 or CIFAR-100."""

    name: str
    valid_from: ValidFrom
    called: str = ""  # where the parts are of other sizes
    valid_images: int | None = None

    def __call__(self, split_seed: int, train_images: int | None, path: Path | None) -> ImageData:
        from nasbench.training.data.cifar import CIFAR10, CIFAR100, missing_batches, read_cifar

        files = CIFAR10 if self.name == "cifar10" else CIFAR100
        place = find_set(
            self.name,
            (files.folder, files.archive, f"{self.name}/{files.folder}", f"{self.name}/{files.archive}"),
            missing_in=missing_batches(files),
            hint=f"Put {files.archive} there, or the folder {files.folder} that is in it.",
            path=path,
        )
        train, test = read_cifar(place, files)
        half = len(train if self.valid_from == "train" else test) // 2
        return split_published(
            self.called or self.name,
            train,
            test,
            classes=count_classes(train, test, where=str(place)),
            split_seed=split_seed,
            train_images=train_images,
            valid_images=half if self.valid_images is None else self.valid_images,
            valid_from=self.valid_from,
        )


def _npz(split_seed: int, train_images: int | None, path: Path | None) -> ImageData:
    from nasbench.training.data.npz import read_npz

    assert path is not None  # get_data asks for it
    parts = read_npz(path.expanduser())
    classes = count_classes(*parts.values(), where=str(path))
    # The file may be renamed or moved: its name says what the set is called, and decides no draw.
    if "whole" in parts:
        whole = parts["whole"]
        size = len(whole) // 2 if train_images is None else train_images
        data = split_whole("npz", whole, classes=classes, split_seed=split_seed, train_images=size)
    elif "valid" in parts:
        data = split_given(
            "npz",
            parts["train"],
            parts["valid"],
            parts["test"],
            classes=classes,
            split_seed=split_seed,
            train_images=train_images,
        )
    else:
        data = split_published(
            "npz",
            parts["train"],
            parts["test"],
            classes=classes,
            split_seed=split_seed,
            train_images=train_images,
            valid_images=len(parts["train"]) // 6,
        )
    return replace(data, name=f"npz:{path.stem}", splits={**data.splits, "file": path.name})


_FASHION = _Idx(
    "fashion-mnist",
    ("fashion-mnist", "FashionMNIST/raw"),
    FASHION_MNIST_FILES,
    hint="Install the Debian package with: apt-get install dataset-fashion-mnist. Or: put the four files "
    "{files} "
    "there, packed with gzip or not.",
)

DATASETS: dict[str, DataSet] = {
    "digits": DataSet("1,797 grey 8 x 8 digits, with scikit-learn", _digits, takes_path=False),
    "fashion-mnist": DataSet("70,000 grey 28 x 28 images of clothes (Xiao et al. 2017)", _FASHION),
    # Small enough to train on one core: an average of 2 x 2 pixels each, and 4,000 images to evaluate on.
    "fashion-mnist-14": DataSet(
        "fashion-mnist averaged to 14 x 14, 2,000 images each for validation and test",
        replace(_FASHION, name="fashion-mnist-14", valid_images=2000, test_images=2000, pool=2),
    ),
    "mnist": DataSet(
        "70,000 grey 28 x 28 digits (LeCun et al. 1998)", _Idx("mnist", ("mnist", "MNIST/raw"), MNIST_FILES)
    ),
    # Sizes as in NAS-Bench-201 (Dong and Yang 2020), whose own lists of images are not part of the archives.
    "cifar10": DataSet(
        "60,000 32 x 32 colour images (Krizhevsky 2009), training part halved", _Cifar("cifar10", "train")
    ),
    "cifar10-40k": DataSet(  # sizes as in NAS-Bench-101 (Ying et al. 2019)
        "cifar10 with 40,000 images to train on and 10,000 for validation",
        _Cifar("cifar10", "train", called="cifar10-40k", valid_images=10_000),
    ),
    "cifar100": DataSet(
        "60,000 32 x 32 colour images (Krizhevsky 2009), test part halved", _Cifar("cifar100", "test")
    ),
    "idx": DataSet("a folder of four IDX files in the manner of MNIST", _Idx("idx", (), {}), needs_path=True),
    "npz": DataSet("an .npz file of images and labels", _npz, needs_path=True),
}
