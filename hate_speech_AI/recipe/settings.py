"""The settings of a fine-tuning."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Settings:
    """The settings of a fine-tuning.

    Attributes
    ----------
    base : str
        The base model: "minilm" or "mpnet".
    parts, quantised_parts : int
        The number of quarters of a pass, and how many of the last ones compute as the int8 kernels do.
    paired : bool
        Whether each text is seen together with its copy, or only the copy is seen.
    tokens : int
        Longer texts are cut after so many tokens. It is also the window of the service.
    disguised, unrestored, swapped : float
        The share of copies with misspelt words; of those whose words are not restored; and of those with another identity.
    recombined : int
        The number of recombined texts. Only the teachers label them.
    consistency : float
        The weight of the loss for different logits of a text and its copy, if they are `paired`.
    without : str
        The sources that are not learned from, with blanks between them.
    guidance : float
        The share of the loss that is measured against the teachers' probabilities instead of the labels.
    contradicted : float
        The weight of a label that the teachers contradict at more than 0.9.
    likeness : float
        The weight of the loss for the distance of the last teacher's embeddings from a linear map of the encoder's.
    other_weight, target_weight : float
        The weight of each other label, and of each group that may be attacked, in the loss.
    smoothing : float
        How far the labels of made sentences are from 0 and 1.
    averaging : float
        The decay of the moving average of the weights, at each step.
    seed, picked : int
        The seed of everything random, and that by which texts of large sources are picked. The rounds of the small encoder pick
        the same ones, since the teachers have judged them.
    """

    base: str = "minilm"
    parts: int = 24
    quantised_parts: int = 6
    batch: int = 64
    paired: bool = True
    tokens: int = 64
    learning_rate: float = 2e-4
    layer_decay: float = 0.95
    warm_up: float = 0.06
    weight_decay: float = 0.01
    dropout: float = 0.1
    disguised: float = 0.3
    unrestored: float = 0.3
    swapped: float = 0.5
    recombined: int = 60_000
    consistency: float = 1.0
    without: str = ""
    guidance: float = 0.7
    contradicted: float = 0.2
    likeness: float = 0.5
    other_weight: float = 0.4
    target_weight: float = 0.1
    smoothing: float = 0.05
    averaging: float = 0.997
    seed: int = 0
    picked: int = 0


_TEACHER = Settings(
    base="mpnet",
    parts=3,
    quantised_parts=0,
    batch=32,
    paired=False,
    learning_rate=5e-5,
    swapped=0.35,
    recombined=0,
    guidance=0.0,
    likeness=0.0,
    averaging=0.995,
)
# They differ in the texts that they see, in how they read disguised words and in their sources. So they err in different places.
TEACHERS = (
    replace(_TEACHER, seed=1, picked=1),
    replace(_TEACHER, seed=2, picked=2, unrestored=1.0),
    replace(_TEACHER, seed=3, picked=3, unrestored=0.0, without="davidson gab implicit_hate"),
)
