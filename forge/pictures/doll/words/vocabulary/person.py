"""Words for a person: figure, age, build, expression."""

from __future__ import annotations

from collections.abc import Mapping

from ...character.description import Age, Build, Expression

#: Nouns of persons: word -> (figure, age).
PERSONS: Mapping[str, tuple[str | None, Age | None]] = {
    **{
        word: ("feminine", None)
        for word in (
            "woman",
            "women",
            "girl",
            "girls",
            "lady",
            "ladies",
            "female",
            "1girl",
            "feminine",
            "she",
        )
    },
    **{word: ("feminine", None) for word in ("mother", "sister", "heroine", "gal", "womanly", "girly")},
    **{
        word: ("masculine", None)
        for word in ("man", "men", "boy", "boys", "guy", "guys", "male", "1boy", "masculine", "he", "dude")
    },
    **{word: ("masculine", None) for word in ("gentleman", "father", "brother", "fellow", "manly", "boyish")},
    **{word: ("feminine", "child") for word in ("little girl", "small girl", "young girl")},
    **{word: ("masculine", "child") for word in ("little boy", "small boy", "young boy")},
    **{word: ("feminine", "teen") for word in ("teenage girl", "teen girl")},
    **{word: ("masculine", "teen") for word in ("teenage boy", "teen boy")},
    **{word: ("feminine", "old") for word in ("grandmother", "grandma", "granny", "crone", "old lady")},
    **{word: ("masculine", "old") for word in ("grandfather", "grandpa", "grandad", "old gentleman")},
    **{word: (None, "child") for word in ("child", "children", "kid", "kids", "toddler")},
    **{word: (None, "teen") for word in ("teenager", "teenagers", "adolescent")},
    **{word: (None, "adult") for word in ("adult", "adults", "grown up", "grownup")},
    **{word: (None, "old") for word in ("elder", "pensioner", "senior citizen")},
    **{
        word: (None, None)
        for word in (
            "person",
            "human",
            "humanoid",
            "character",
            "hero",
            "figure",
            "someone",
            "people",
            "youth",
        )
    },
}
#: Adjectives of persons.
AGES: Mapping[Age, tuple[str, ...]] = {
    "child": ("childlike", "childish", "infantile"),
    "teen": ("teen", "teenage", "teenaged"),
    "adult": ("grown", "mature", "middle aged", "young adult"),
    "old": ("old", "elderly", "aged", "ancient", "senior", "wrinkled", "aging", "ageing", "very old"),
}
BUILDS: Mapping[Build, tuple[str, ...]] = {
    "slim": ("slim", "slender", "thin", "skinny", "petite", "lean", "lanky", "willowy", "slight"),
    "average": ("average build", "normal build", "medium build", "average"),
    "athletic": ("athletic", "muscular", "strong", "fit", "toned", "buff", "sporty", "well built", "brawny"),
    "stout": (
        *("stout", "fat", "chubby", "plump", "overweight", "heavy", "heavyset", "heavy set", "stocky"),
        *("burly", "obese", "round bodied"),
    ),
}
#: Each changes the face wherever it stands in a prompt.
EXPRESSIONS: Mapping[Expression, tuple[str, ...]] = {
    "neutral": (
        *("neutral", "neutral expression", "calm", "serious", "stoic", "expressionless", "blank expression"),
        *("serene", "composed", "emotionless", "deadpan", "poker face", "relaxed", "determined"),
    ),
    "happy": (
        *(
            "happy",
            "smiling",
            "smile",
            "smiles",
            "smiley",
            "laughing",
            "laugh",
            "grinning",
            "grin",
            "cheerful",
        ),
        *(
            "joyful",
            "joy",
            "delighted",
            "merry",
            "glad",
            "beaming",
            "happiness",
            "jolly",
            "smirk",
            "smirking",
        ),
        *("friendly", "excited"),
    ),
    "sad": (
        *("sad", "crying", "cry", "weeping", "tearful", "tears", "teary", "unhappy", "sorrowful", "sorrow"),
        *("melancholy", "melancholic", "depressed", "gloomy", "miserable", "sadness", "mournful", "sobbing"),
        *("pout", "pouting", "lonely"),
    ),
    "angry": (
        *("angry", "furious", "mad", "enraged", "raging", "rage", "anger", "scowling", "scowl", "frowning"),
        *("frown", "glaring", "glare", "irate", "annoyed", "fierce", "grumpy", "livid", "irritated"),
    ),
    "surprised": (
        *("surprised", "shocked", "astonished", "amazed", "startled", "surprise", "shock", "stunned"),
        *("gasping", "astounded", "wide eyed", "awestruck", "speechless"),
    ),
    "afraid": (
        *("afraid", "scared", "frightened", "terrified", "fearful", "fear", "panicked", "horrified"),
        *("terror", "nervous", "anxious", "worried", "panicking", "panic"),
    ),
    "disgusted": (
        *("disgusted", "disgust", "revolted", "grossed out", "repulsed", "nauseated", "sickened"),
        *("contemptuous", "disdainful", "sneering", "sneer", "grimacing"),
    ),
    "embarrassed": (
        *("embarrassed", "blushing", "blush", "shy", "flustered", "bashful", "ashamed", "embarrassment"),
        *("sheepish", "timid", "blushed"),
    ),
}
