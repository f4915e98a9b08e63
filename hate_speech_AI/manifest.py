"""What the manifest of a version holds: JSON, under these names.

It grows in three steps. `CandidateManifest` is what a training measures. `JudgedManifest` adds the verdict of the gate.
`Manifest` adds what only the store knows, and is what stands on disk.
"""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict, TypeGuard


class Figures(TypedDict):
    """How good a model is on some texts: see `evaluation.metrics.measure`."""

    f1: float
    precision: float
    recall: float
    roc_auc: float | None
    n: int


class ErrorRates(TypedDict):
    """Shares of the harmless and of the hateful functional checks of one identity that are answered wrongly."""

    false_positive_rate: float
    false_negative_rate: float


class TargetErrors(TypedDict):
    """How many texts of one target are hateful, and missed; and how many are harmless, and flagged."""

    hateful: int
    missed: int
    harmless: int
    flagged: int


class CheckFigures(TypedDict):
    """Figures on the functional checks: see `evaluation.functional_checks.summarise_checks`."""

    groups: dict[str, float]
    identities: dict[str, ErrorRates]
    false_positive_gap: float


class Score(TypedDict):
    """The score of a version: F1 on the held-out rows, or on the shipped evaluation set.

    "of" says which of the two: "held_out" or "shipped". "slices" holds the figures on both. "held_out" and "trained_on" count
    rows of the primary label.
    """

    score: float
    precision: float
    recall: float
    roc_auc: float | None
    of: str
    slices: dict[str, Figures]
    held_out: int
    trained_on: int
    trained_at: str


class RowCounts(TypedDict):
    """The training rows: their digest, how many each source has, and how many the shipped engine had learned from before."""

    digest: str
    by_source: dict[str, int]
    learned_before: int


class SliceFigures(TypedDict):
    """The figures of candidate and rival on one slice."""

    candidate: Figures
    rival: NotRequired[Figures]


class OwnReviews(TypedDict):
    """What the reviews of a community say of a candidate out of fold: see `evaluation.own_reviews`.

    "reviews" are counted, and in "texts" near copies once. "candidate" and "anchor" are mean log losses, `None` without reviews.
    "interval" is the 95 % interval of the first less the second, `None` with too few texts. "may_forget" says whether the gate
    lets the candidate forget for what it gained, and "reason" why not.
    """

    reviews: int
    texts: int
    candidate: float | None
    anchor: float | None
    interval: tuple[float, float] | None
    may_forget: bool
    reason: str


class GateVerdict(TypedDict):
    """The verdict of the promotion gate.

    "rival" is the name of the active version, `None` if there was nothing to compare with. "anchor" is the rival that stays the
    same night after night; older versions do not have it. Each of "conditions" is a `gate.Condition` as a dict. "reasons" are the
    failed ones in words. "own_reviews" is absent if no review was judged out of fold, and in older versions.
    """

    passed: bool
    rival: str | None
    anchor: NotRequired[str | None]
    conditions: list[dict[str, Any]]
    reasons: list[str]
    slices: dict[str, SliceFigures]
    own_reviews: NotRequired[OwnReviews]


class Choices(TypedDict, total=False):
    """What the encoder's training chose: the prior strength, and its F1 out of fold (`None` with too few rows)."""

    tau: float
    out_of_fold_f1: float | None


class Trial(Choices):
    """One candidate of a training that had several, and what the gate said."""

    threshold: float
    held_out_f1: float
    passed: bool
    reasons: list[str]


class CandidateManifest(Choices):
    """What is known of a candidate once it is measured.

    "by_target" has the errors on the test split of the shipped evaluation set by the group that a text attacks or is about. The
    manifests of earlier releases lack it.
    """

    engine: str
    labels: list[str]
    threshold: float
    score: Score
    by_source: dict[str, Figures]
    by_target: dict[str, TargetErrors]
    checks: CheckFigures
    rows: RowCounts
    parameters: Mapping[str, Any]
    seed: int
    libraries: dict[str, str]


class LabelGroup(TypedDict):
    """How many labels came from one source with one key in one night."""

    source: str
    key: str
    night: str
    labels: int


class Trials(TypedDict, total=False):
    """The trials of a training that had several candidates."""

    tried: list[Trial]


class JudgedManifest(CandidateManifest, Trials):
    """What is known of a candidate once the gate has judged it.

    "parent" is the version that was active then. "set_aside" are the labels that the training left out, because with them the
    gate refused the version; the manifests of earlier releases lack it.
    """

    parent: str | None
    gate: GateVerdict
    set_aside: list[LabelGroup]


class Manifest(JudgedManifest):
    """The manifest of a version in the store.

    "reviews" names the file of each label's reviews, "files" the sha256 of each file.
    """

    format: int
    version: str
    reviews: dict[str, str]
    files: dict[str, str]


# What serving and comparing need of a manifest.
_TYPES: dict[str, type[Any]] = {
    "labels": list,
    "reviews": dict,
    "threshold": float,
    "parameters": dict,
    "files": dict,
    "score": dict,
    "checks": dict,
    "rows": dict,
    "gate": dict,
}
# The values of these are strings: names of labels, names of files and checksums.
_OF_STRINGS = ("labels", "reviews", "files")


def list_wrong_keys(manifest: Mapping[str, Any]) -> list[str]:
    """Return the keys that a manifest lacks, or holds with a value that cannot be right."""
    return [key for key in _TYPES if not _is_right(key, manifest.get(key))]


def _is_right(key: str, value: Any) -> bool:
    if not isinstance(value, _TYPES[key]):
        return False
    if key in _OF_STRINGS:
        return all(isinstance(one, str) for one in (value.values() if isinstance(value, dict) else value))
    return key != "threshold" or 0 < value < 1


def is_manifest(manifest: Mapping[str, Any]) -> TypeGuard[Manifest]:
    """Return whether a manifest of the newest format holds what `list_wrong_keys` asks for."""
    return not list_wrong_keys(manifest)
