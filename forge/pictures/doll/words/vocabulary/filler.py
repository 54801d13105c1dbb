"""Words that say nothing about what the doll draws, and the small words of grammar."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DETERMINERS: frozenset[str] = _words("a an the his her their its my your our this that these those some each")
#: Words that begin something new: what stands before them is complete.
PREPOSITIONS: frozenset[str] = _words(
    "with over under holding carrying has have having wields wielding but on onto at by for from plus "
    "against behind near beside between into to as who which while under underneath beneath above through "
    "where featuring includes including sporting"
)
#: Words that lead back to the noun before them ("a robe of blue silk", "her eyes are green").
LINKS: frozenset[str] = _words("of is are was made in wearing wears wear dressed clad donning")
AND: frozenset[str] = frozenset({"and", "n"})
OR: frozenset[str] = frozenset({"or", "nor"})
NEGATORS: frozenset[str] = _words("no not without never non lacking minus none isnt arent doesnt dont hasnt")

#: Parts of the body, of which the doll takes no adjectives.
BODY: frozenset[str] = _words(
    "arm arms body chest face faces feet fingers foot hand hands head hip hips leg legs lips mouth nails "
    "neck nose shoulders waist"
)
FILLER: frozenset[str] = _words(
    # Pictures and their quality.
    "portrait picture image drawing drawn art artwork painting painted render rendered artistic style "
    "styled masterpiece quality best high highest highly low detailed intricate ultra hd uhd hdr "
    "4k 8k 2k res resolution absurdres highres hires sharp focus crisp professional award winning "
    "trending artstation pixiv deviantart concept design reference sheet turnaround model avatar "
    "illustrated fan fanart official original oc rpg game video fantasy medieval modern look looks type "
    "kind score up rating safe sfw general newest recent year worst normal aesthetic "
    # Poses, camera and view.
    "standing stand stands sitting sit sits walking walk running run jumping kneeling posing pose poses "
    "posed crouching leaning lying facing looking gaze viewer camera front back side rear profile view "
    "views angle quarter three 3 four left right full fullbody half upper lower shot closeup close "
    "wide headshot bust distance centered centred center centre middle symmetrical straightforward "
    "forward towards toward away turned crossed raised outstretched "
    "apart spread still action dynamic idle apose tpose stance position fighting "
    # People in general, and how nice they are.
    "solo alone single one two lone 1 2 1person very really quite slightly bit rather extremely so too "
    "more most much many little small big large huge tiny beautiful pretty handsome cute lovely gorgeous "
    "attractive elegant stylish cool nice good great fine perfect amazing stunning epic brave proud "
    "powerful mighty young youthful simple plain solid blank basic clear ordinary typical traditional "
    "classic fancy ornate shiny shining glossy polished new worn facial expression expressions "
    "features feature feeling emotion showing mood build built physique shape shaped sized size "
    "coloured colours colour hue height "
    # Grammar.
    "it i you we they them him be been being also then there here just only both all any every other "
    "another s t m re ll d ve tied pulled swept done set like such well than if up down out off around "
    "about across together same different matching pair piece pieces items item bearing bears holds hold "
    "carries carry please draw create generate make show add give want need should must will would can "
    "could break lora lyco embedding hypernet weight "
)
FILLER_PHRASES: tuple[str, ...] = (
    *("full body", "upper body", "cowboy shot", "looking at viewer", "close up", "best quality"),
    *("high quality", "three quarter", "three quarters", "front view", "back view", "side view"),
    *("bare arms", "bare legs", "bare shoulders", "open mouth", "t pose", "a pose", "medium shot"),
    *("head to toe", "straight on", "white balance"),
)
