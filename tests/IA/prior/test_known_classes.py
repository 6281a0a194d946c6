"""The classes that networks know, and the words in their names and definitions."""

from IA.prior.known_classes import known_classes, known_nouns, known_words, words_of


def test_the_thousand_classes_in_their_usual_order() -> None:
    """Each class has one name, and a description that begins with it and ends in its definition."""
    classes = known_classes()
    assert len(classes.names) == len(classes.descriptions) == 1000
    assert (classes.names[0], classes.names[287], classes.names[999]) == ("tench", "lynx", "toilet tissue")
    for name, description in zip(classes.names, classes.descriptions, strict=True):
        names, colon, definition = description.partition(":")
        assert "," not in name and names.startswith(name)
        assert colon and definition.strip()


def test_words_of_names_are_words_of_descriptions() -> None:
    """Names are a small part of all words, and all of them are in small letters."""
    assert {"lynx", "teapot", "cowboy"} <= known_nouns() < known_words()
    assert "slender-bodied" in known_words() - known_nouns()
    assert all(word == word.lower() for word in known_words())


def test_the_words_of_a_text() -> None:
    """Hyphens and apostrophes within a word belong to it; nothing else does."""
    assert words_of("A Lynx's sweat-shirt, (2nd) -- ätsch!") == ["a", "lynx's", "sweat-shirt", "2nd", "ätsch"]
    assert words_of("!? 🐈") == []
