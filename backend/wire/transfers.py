"""What the routes say of labels that are imported, of images that are uploaded, and of what they refuse."""

from typing import Literal

from typing_extensions import TypedDict

from backend.wire.answers import Counts


class SomeImages(TypedDict):
    """How many images there are, and the paths of the first of them."""

    images: int
    examples: list[str]


class UsedRule(TypedDict):
    """How paths were found that are not the very name of an image.

    Attributes:
        rule: the name of the rule.
        paths: how many paths it found.
        says: the rest of a sentence that begins with their number.
    """

    rule: str
    paths: int
    says: str


class ImportPlan(TypedDict):
    """What a file of labels means for the run.

    Attributes:
        positive: how many images without an answer the file gives a positive one.
        negative: how many it gives a negative one.
        skipped: how many it skips.
        same: how many images have the label already.
        by_model: how many labels no person gave; they are left out.
        unlabelled: how many rows have no label.
        rules: how paths were found that are not the very name of an image.
        unread: words that mean no label here, and how many rows have them.
        conflicts: images that have another label.
        contradictions: images to which the file gives two labels.
        ambiguous: paths that fit several images.
        elsewhere: paths with the file name of one image, but of another folder.
        claimed: paths that fit an image only loosely, while another path fits it too.
        of_photos: whole photos where the images are tiles of them.
        unknown: paths that fit no image.
    """

    positive: int
    negative: int
    skipped: int
    same: int
    by_model: int
    unlabelled: int
    rules: list[UsedRule]
    unread: dict[str, int]
    conflicts: SomeImages
    contradictions: SomeImages
    ambiguous: SomeImages
    elsewhere: SomeImages
    claimed: SomeImages
    of_photos: SomeImages
    unknown: SomeImages


class ImportOutcome(ImportPlan):
    """What a file of labels did.

    Attributes:
        group: it names the import for the route that takes it back; null: it cannot be taken back as a whole.
        counts: the counts that include the import.
    """

    group: str | None
    counts: Counts


class LastImport(TypedDict):
    """The last import of which labels still stand, and how many do; `group` is null where there is none."""

    group: str | None
    images: int


class ImportTakenBack(Counts):
    """How many labels of an import were taken back."""

    images: int


class Refusal(TypedDict):
    """Why the server does not do what was asked, in one sentence."""

    detail: str


class ColumnQuestion(Refusal):
    """Which column of a table is wanted.

    Attributes:
        missing: the parameter that names the column.
        columns: the columns that there are.
    """

    missing: Literal["path_column", "label_column"]
    columns: list[str]


class FileList(TypedDict):
    """How many files there are, and the first hundred of them."""

    files: int
    first: list[str]


class FileReasons(TypedDict):
    """How many files there are, and of the first hundred of them why."""

    files: int
    first: dict[str, str]


class UploadOutcome(TypedDict):
    """What became of an upload.

    Attributes:
        added: the paths of the new images.
        duplicates: what was not taken, and the image with the same content.
        refused: what was not taken, and why.
        unreadable: what was added although it cannot be shown, and why.
    """

    added: FileList
    duplicates: FileReasons
    refused: FileReasons
    unreadable: FileReasons
