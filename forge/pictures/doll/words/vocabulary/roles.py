"""Words for roles and kinds of people, and what goes with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .pieces import Piece, pieces_of
from .sets import PLATES


@dataclass(frozen=True)
class Role:
    """What somebody of a role is and wears, unless words say otherwise. A colour in front of the word is that
    of the kinds in `coloured`. `features` are fields of Description; skin and hair are names of their tables.
    """

    words: tuple[str, ...]
    pieces: tuple[Piece, ...] = ()
    coloured: tuple[str, ...] = ()
    features: Mapping[str, str] | None = None


_FEMININE = {"figure": "feminine"}
_MASCULINE = {"figure": "masculine"}
_KNIGHT = "cuirass, platelegs, sabatons, gauntlets, sword, shield"

ROLES: Mapping[str, Role] = {
    "knight": Role(("knight", "knights", "cavalier"), pieces_of(_KNIGHT), PLATES),
    "paladin": Role(
        ("paladin", "crusader", "templar"),
        pieces_of("cuirass, platelegs, sabatons, gauntlets, cape=white, hammer, shield"),
        PLATES,
    ),
    "warrior": Role(
        ("warrior", "fighter", "swordsman", "mercenary", "gladiator", "warriors"),
        pieces_of("chainmail, trousers, boots, belt, sword"),
        ("chainmail",),
    ),
    "swordswoman": Role(
        ("swordswoman", "shieldmaiden", "valkyrie", "amazon"),
        pieces_of("chainmail, skirt, highboots, belt, sword, shield"),
        ("chainmail",),
        _FEMININE,
    ),
    "wizard": Role(
        ("wizard", "mage", "sorcerer", "magician", "wizards", "archmage"),
        pieces_of("robe=indigo, wizardhat=indigo, boots, belt, staff"),
        ("robe", "wizardhat"),
    ),
    "sorceress": Role(
        ("sorceress", "enchantress", "wizardess"),
        pieces_of("gown=plum, tiara, shoes, staff"),
        ("gown",),
        _FEMININE,
    ),
    "witch": Role(
        ("witch", "witches"),
        pieces_of("dress=black, wizardhat=black, boots=black, belt, wand"),
        ("dress", "wizardhat"),
        _FEMININE,
    ),
    "necromancer": Role(
        ("necromancer", "warlock", "cultist"),
        pieces_of("robe=black, hood=black, boots, staff"),
        ("robe", "hood"),
    ),
    "priest": Role(
        ("priest", "cleric", "bishop", "vicar"),
        pieces_of("robe=white, sash=gold, shoes, necklace, book"),
        ("robe",),
    ),
    "priestess": Role(
        ("priestess", "nun", "abbess"),
        pieces_of("robe=white, sash=gold, shoes, necklace"),
        ("robe",),
        _FEMININE,
    ),
    "druid": Role(("druid", "shaman"), pieces_of("robe=moss, hood=moss, sandals, staff"), ("robe", "hood")),
    "monk": Role(("monk", "friar"), pieces_of("robe=rust, sash=mustard, sandals"), ("robe",)),
    "pirate": Role(
        ("pirate", "buccaneer", "corsair", "pirates", "privateer"),
        pieces_of("shirt=white, trousers=charcoal, coat=burgundy, highboots, hat=black, sash=red, sword"),
        ("coat", "hat"),
    ),
    "princess": Role(
        ("princess", "princesses"), pieces_of("gown=rose, crown=gold, shoes, necklace"), ("gown",), _FEMININE
    ),
    "queen": Role(
        ("queen", "empress"),
        pieces_of("gown=purple, crown=gold, cape=crimson, shoes, necklace"),
        ("gown", "cape"),
        _FEMININE,
    ),
    "king": Role(
        ("king", "emperor"),
        pieces_of("tunic=royal blue, trousers, cape=crimson, crown=gold, boots, belt"),
        ("tunic", "cape"),
        _MASCULINE,
    ),
    "prince": Role(
        ("prince",),
        pieces_of("tunic=white, trousers=navy, cape=royal blue, crown=gold, highboots, belt, sword"),
        ("tunic", "cape"),
        _MASCULINE,
    ),
    "noble": Role(
        ("nobleman", "noble", "aristocrat", "duke", "baron"),
        pieces_of("shirt=white, coat=navy, trousers=cream, shoes, tie"),
        ("coat",),
    ),
    "ranger": Role(
        ("ranger", "archer", "hunter", "huntress", "rangers", "archers", "woodsman", "bowman"),
        pieces_of(
            "tunic=moss, trousers=chocolate, highboots, cloak=forest green, hood=forest green, belt, bow"
        ),
        ("tunic", "cloak", "hood"),
    ),
    "samurai": Role(("samurai", "ronin"), pieces_of("kimono=navy, sash=white, sandals, sword"), ("kimono",)),
    "ninja": Role(
        ("ninja", "shinobi", "kunoichi", "ninjas"),
        pieces_of("tunic=black, leggings=black, hood=black, boots=black, gloves=black, sash=red, dagger"),
        ("tunic", "leggings", "hood"),
    ),
    "soldier": Role(
        ("soldier", "trooper", "infantryman", "soldiers"),
        pieces_of("shirt=khaki, jacket=olive, trousers=olive, boots, belt, helmet=olive"),
        ("jacket", "trousers", "helmet"),
    ),
    "guard": Role(
        ("guard", "guardsman", "sentinel", "guards", "city guard"),
        pieces_of("cuirass, trousers, boots, gloves, helmet, spear, shield"),
        ("cuirass", "helmet"),
    ),
    "student": Role(
        ("student", "pupil", "students"), pieces_of("shirt=white, jacket=navy, tie, shoes=brown"), ("jacket",)
    ),
    "schoolgirl": Role(
        ("schoolgirl", "school girl"),
        pieces_of("shirt=white, jacket=navy, skirt=navy, tie, shoes=brown"),
        ("jacket", "skirt"),
        {"figure": "feminine", "age": "teen"},
    ),
    "schoolboy": Role(
        ("schoolboy", "school boy"),
        pieces_of("shirt=white, jacket=navy, trousers=grey, tie, shoes=brown"),
        ("jacket",),
        {"figure": "masculine", "age": "teen"},
    ),
    "farmer": Role(
        ("farmer", "peasant", "villager", "gardener", "shepherd"),
        pieces_of("shirt=cream, trousers=brown, boots, strawhat"),
        ("shirt",),
    ),
    "adventurer": Role(
        ("adventurer", "traveller", "explorer", "wanderer", "adventurers", "pilgrim"),
        pieces_of("tunic, trousers, boots, belt, cloak"),
        ("tunic", "cloak"),
    ),
    "thief": Role(
        ("thief", "rogue", "bandit", "assassin", "burglar", "outlaw"),
        pieces_of("tunic=charcoal, trousers=chocolate, boots, gloves, hood=black, cloak=black, belt, dagger"),
        ("tunic", "hood", "cloak"),
    ),
    "viking": Role(
        ("viking", "vikings", "norseman"),
        pieces_of("chainmail, trousers=brown, boots=brown/fur, cape=chocolate/fur, helmet, belt, axe"),
        ("chainmail",),
        {"beard": "full", "build": "athletic"},
    ),
    "barbarian": Role(
        ("barbarian", "berserker"),
        pieces_of("vest=brown/fur, trousers, boots=chocolate/fur, belt, axe"),
        ("vest",),
        {"build": "athletic"},
    ),
    "bard": Role(
        ("bard", "minstrel", "jester", "troubadour"),
        pieces_of("tunic, trousers, hat, highboots, belt"),
        ("tunic", "hat"),
    ),
    "blacksmith": Role(
        ("blacksmith", "smith"),
        pieces_of("shirt=cream, trousers=chocolate, boots, gloves, belt, hammer"),
        ("shirt",),
    ),
    "cook": Role(
        ("cook", "chef", "baker"),
        pieces_of("shirt=white, trousers=charcoal, shoes=black, hat=white, scarf=red"),
        ("shirt",),
    ),
    "doctor": Role(
        ("doctor", "physician", "medic", "surgeon"),
        pieces_of("shirt=sky blue, coat=white, trousers=charcoal, shoes"),
        ("coat",),
    ),
    "scientist": Role(
        ("scientist", "researcher", "professor", "engineer"),
        pieces_of("shirt=sky blue, coat=white, trousers=charcoal, shoes, glasses"),
        ("coat",),
    ),
    "scholar": Role(
        ("scholar", "librarian", "teacher"),
        pieces_of("shirt=white, cardigan=olive, trousers=brown, shoes, glasses, book"),
        ("cardigan",),
    ),
    "detective": Role(
        ("detective", "spy", "inspector"),
        pieces_of("shirt=white, tie=maroon, coat=tan, trousers=charcoal, shoes, hat=brown"),
        ("coat", "hat"),
    ),
    "cowboy": Role(
        ("cowboy", "cowboys", "rancher", "sheriff", "gunslinger"),
        pieces_of("shirt=sky blue, trousers=denim/denim, boots, hat=brown, scarf=red, belt"),
        ("shirt",),
    ),
    "cowgirl": Role(
        ("cowgirl",),
        pieces_of("shirt=sky blue, trousers=denim/denim, boots, hat=brown, scarf=red, belt"),
        ("shirt",),
        _FEMININE,
    ),
    "maid": Role(
        ("maid", "waitress"), pieces_of("dress=black, headband=white, shoes=black"), ("dress",), _FEMININE
    ),
    "nurse": Role(("nurse",), pieces_of("dress=white, cap=white, shoes=white"), ("dress",)),
    "businessman": Role(
        ("businessman", "business man", "office worker", "lawyer", "banker", "butler", "salaryman"),
        pieces_of("jacket=charcoal, trousers=charcoal, shirt=white, tie, shoes=black"),
        ("jacket", "trousers"),
    ),
    "superhero": Role(
        ("superhero", "superheroine", "superheroes"),
        pieces_of("tshirt=blue, leggings=blue, cape=red, highboots=red, gloves=red, belt=gold"),
        ("tshirt", "leggings"),
        {"build": "athletic"},
    ),
    "vampire": Role(
        ("vampire", "vampires"),
        pieces_of("shirt=white, jacket=burgundy, trousers=black, cape=black, shoes=black"),
        ("cape",),
        {"skin_colour": "pale"},
    ),
    "angel": Role(("angel", "angels"), pieces_of("robe=white, wings=white, sandals"), ("robe",)),
    "fairy": Role(
        ("fairy", "pixie", "fairies"),
        pieces_of("dress=mint, wings=white, sandals"),
        ("dress",),
        {"figure": "feminine", "ears": "pointed"},
    ),
    "elf": Role(("elf", "elves", "elven", "elvish", "half elf", "elfin"), features={"ears": "pointed"}),
    "dwarf": Role(("dwarf", "dwarves", "dwarven", "dwarvish"), features={"build": "stout", "beard": "full"}),
    "halfling": Role(("halfling", "hobbit"), features={"build": "stout"}),
    "orc": Role(
        ("orc", "orcs", "orcish"), features={"skin_colour": "sage", "ears": "pointed", "build": "athletic"}
    ),
    "goblin": Role(
        ("goblin", "goblins"), features={"skin_colour": "moss", "ears": "pointed", "build": "slim"}
    ),
}
