"""The groups that hateful texts attack, and what each source calls them."""

import ast
import json

from ...labels import TARGETS

# The values of hatexplain's five columns in one. Those that name no group are missing.
_HATEXPLAIN = {
    "African": "black people",
    "Arab": "arab people",
    "Asexual": "others",
    "Asian": "asian people",
    "Bisexual": "gay people",
    "Buddhism": "others",
    "Caucasian": "white people",
    "Christian": "christians",
    "Disability": "disabled people",
    "Economic": "others",
    "Heterosexual": "others",
    "Hindu": "others",
    "Hispanic": "hispanic people",
    "Homosexual": "gay people",
    "Indian": "asian people",
    "Indigenous": "indigenous people",
    "Islam": "muslims",
    "Jewish": "jews",
    "Men": "men",
    "Minority": "others",
    "Other": "others",
    "Refugee": "immigrants",
    "Women": "women",
}
_NO_GROUP = {"No_race", "Nonreligious", "No_gender", "No_orientation", "Not Avalaible"}

# The codes of hatemoji_build before the first dot. Women of a group have the group's code and "wom".
_HATEMOJI = {
    "abo": ("indigenous people",),
    "african": ("black people",),
    "arab": ("arab people",),
    "asi": ("asian people",),
    "asiman": ("asian people",),
    "asiwom": ("asian people", "women"),
    "asy": ("immigrants",),
    "bis": ("gay people",),
    "bla": ("black people",),
    "blaman": ("black people",),
    "blawom": ("black people", "women"),
    "dis": ("disabled people",),
    "ethmin": ("others",),
    "europe": ("others",),
    "for": ("immigrants",),
    "gay": ("gay people",),
    "gayman": ("gay people",),
    "gaywom": ("gay people",),
    "hind": ("others",),
    "hisp": ("hispanic people",),
    "immig": ("immigrants",),
    "ind": ("indigenous people",),
    "indig": ("indigenous people",),
    "indigwom": ("indigenous people", "women"),
    "indwom": ("indigenous people", "women"),
    "jew": ("jews",),
    "lgbtqa": ("gay people", "trans people"),
    "mex": ("hispanic people",),
    "mexwom": ("hispanic people", "women"),
    "mix": ("others",),
    "mus": ("muslims",),
    "muswom": ("muslims", "women"),
    "nat": ("others",),
    "none": (),
    "ref": ("immigrants",),
    "sikh": ("others",),
    "sikhwom": ("others", "women"),
    "trans": ("trans people",),
    "trav": ("others",),
    "wc": ("others",),
    "wom": ("women",),
}
TOXIGEN = {
    "asian": "asian people",
    "black": "black people",
    "chinese": "asian people",
    "jewish": "jews",
    "latino": "hispanic people",
    "lgbtq": "gay people",
    "mental_dis": "disabled people",
    "mexican": "hispanic people",
    "middle_east": "arab people",
    "muslim": "muslims",
    "native_american": "indigenous people",
    "physical_dis": "disabled people",
    "women": "women",
}
WIEGAND = {"Gays": "gay people", "Jews": "jews", "Muslims": "muslims", "Women": "women"}

_ALL = frozenset(TARGETS)
# The groups of sources that know only some. Whoever labelled the other sources could name any group.
_KNOWN = {
    "edos": frozenset({"women"}),
    "hatexplain": frozenset(_HATEXPLAIN.values()),
    "toxigen": frozenset(TOXIGEN.values()),
    "wiegand": frozenset(WIEGAND.values()),
}


def list_known_groups(source: str) -> frozenset[str]:
    """Return the groups that a source would name if a text attacked them."""
    return _KNOWN.get(source, _ALL)


def read_hatexplain(groups: str) -> frozenset[str] | None:
    """Return the groups in hatexplain's column `target_groups`, which holds JSON; `None` if it names none."""
    named = set(json.loads(groups).values()) - _NO_GROUP
    return frozenset(_HATEXPLAIN[name] for name in named) or None


def read_hatemoji(codes: str) -> frozenset[str] | None:
    """Return the groups in hatemoji_build's column `target`, a list of codes; `None` if it names none."""
    return frozenset(group for code in ast.literal_eval(codes) for group in _HATEMOJI[code.partition(".")[0]]) or None
