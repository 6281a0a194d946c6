"""What a person looks for, in words: the one form in which every process has it, and the phrases in it."""

import re
import unicodedata

MOST_CHARACTERS = 1000
# Also the commas of Arabic, Ethiopic, Chinese and Japanese.
COMMAS = re.compile("[,\u060c\u1363\u3001\ufe10\ufe11\ufe50\ufe51\uff0c\uff64]")
# Controls that turn the direction of what follows would also turn the page's words around a prompt; those that join
# letters, and the marks that right-to-left text needs, stay.
INVISIBLE = re.compile("[\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
SEEN = "LNPS"  # letters, numbers, punctuation, symbols: a phrase has at least one of them


def checked_prompt(text: str) -> str:
    """The prompt in its one form: its phrases, separated by a comma and a space; "" where nothing is looked for.

    Raises:
        ValueError: it is too long, or no text; the message is a sentence for the person.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("The prompt is no UTF-8 text; write it again in plain letters.") from None
    prompt = ", ".join(phrases(text))
    if len(prompt) > MOST_CHARACTERS:
        raise ValueError(f"The prompt has {len(prompt):,} characters; shorten it to {MOST_CHARACTERS:,} at most.")
    return prompt


def phrases(text: str) -> list[str]:
    """What a person looks for, one phrase each, as typed but for blanks, and each once."""
    found = (_phrase(part) for part in COMMAS.split(unicodedata.normalize("NFC", text)))
    return list(dict.fromkeys(phrase for phrase in found if phrase))


def _phrase(text: str) -> str:
    """A phrase without superfluous blanks and control characters; "" where nothing of it can be seen."""
    words = " ".join(INVISIBLE.sub("", text).split())
    phrase = "".join(letter for letter in words if unicodedata.category(letter) != "Cc").strip()
    return phrase if any(unicodedata.category(letter)[0] in SEEN for letter in phrase) else ""
