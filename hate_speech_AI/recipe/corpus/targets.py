"""The groups that hateful texts attack, and what each source calls them."""

import ast
import json

WOMEN, MEN, MUSLIMS, JEWS, CHRISTIANS = "women", "men", "muslims", "jews", "christians"
BLACK, ASIAN, ARAB, HISPANIC = "black people", "asian people", "arab people", "hispanic people"
INDIGENOUS, WHITE, IMMIGRANTS = "indigenous people", "white people", "immigrants"
GAY, TRANS, DISABLED, OTHERS = "gay people", "trans people", "disabled people", "others"
TARGETS = (
    WOMEN, MEN, MUSLIMS, JEWS, CHRISTIANS, BLACK, ASIAN, ARAB, HISPANIC, INDIGENOUS, WHITE, IMMIGRANTS, GAY, TRANS, DISABLED,
    OTHERS,
)  # fmt: skip

# The values of hatexplain's five columns in one. Those that name no group are missing.
_HATEXPLAIN = {
    "African": BLACK,
    "Arab": ARAB,
    "Asexual": OTHERS,
    "Asian": ASIAN,
    "Bisexual": GAY,
    "Buddhism": OTHERS,
    "Caucasian": WHITE,
    "Christian": CHRISTIANS,
    "Disability": DISABLED,
    "Economic": OTHERS,
    "Heterosexual": OTHERS,
    "Hindu": OTHERS,
    "Hispanic": HISPANIC,
    "Homosexual": GAY,
    "Indian": ASIAN,
    "Indigenous": INDIGENOUS,
    "Islam": MUSLIMS,
    "Jewish": JEWS,
    "Men": MEN,
    "Minority": OTHERS,
    "Other": OTHERS,
    "Refugee": IMMIGRANTS,
    "Women": WOMEN,
}
_NO_GROUP = {"No_race", "Nonreligious", "No_gender", "No_orientation", "Not Avalaible"}

# The codes of hatemoji_build before the first dot. Women of a group have the group's code and "wom".
_HATEMOJI = {
    "abo": (INDIGENOUS,),
    "african": (BLACK,),
    "arab": (ARAB,),
    "asi": (ASIAN,),
    "asiman": (ASIAN,),
    "asiwom": (ASIAN, WOMEN),
    "asy": (IMMIGRANTS,),
    "bis": (GAY,),
    "bla": (BLACK,),
    "blaman": (BLACK,),
    "blawom": (BLACK, WOMEN),
    "dis": (DISABLED,),
    "ethmin": (OTHERS,),
    "europe": (OTHERS,),
    "for": (IMMIGRANTS,),
    "gay": (GAY,),
    "gayman": (GAY,),
    "gaywom": (GAY,),
    "hind": (OTHERS,),
    "hisp": (HISPANIC,),
    "immig": (IMMIGRANTS,),
    "ind": (INDIGENOUS,),
    "indig": (INDIGENOUS,),
    "indigwom": (INDIGENOUS, WOMEN),
    "indwom": (INDIGENOUS, WOMEN),
    "jew": (JEWS,),
    "lgbtqa": (GAY, TRANS),
    "mex": (HISPANIC,),
    "mexwom": (HISPANIC, WOMEN),
    "mix": (OTHERS,),
    "mus": (MUSLIMS,),
    "muswom": (MUSLIMS, WOMEN),
    "nat": (OTHERS,),
    "none": (),
    "ref": (IMMIGRANTS,),
    "sikh": (OTHERS,),
    "sikhwom": (OTHERS, WOMEN),
    "trans": (TRANS,),
    "trav": (OTHERS,),
    "wc": (OTHERS,),
    "wom": (WOMEN,),
}
TOXIGEN = {
    "asian": ASIAN,
    "black": BLACK,
    "chinese": ASIAN,
    "jewish": JEWS,
    "latino": HISPANIC,
    "lgbtq": GAY,
    "mental_dis": DISABLED,
    "mexican": HISPANIC,
    "middle_east": ARAB,
    "muslim": MUSLIMS,
    "native_american": INDIGENOUS,
    "physical_dis": DISABLED,
    "women": WOMEN,
}
WIEGAND = {"Gays": GAY, "Jews": JEWS, "Muslims": MUSLIMS, "Women": WOMEN}

# The groups of sources that know only some. Whoever labelled the other sources could name any group.
_KNOWN = {
    "edos": frozenset({WOMEN}),
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


_ALL = frozenset(TARGETS)
