"""The shape of every JSON answer, declared once: checkers, OpenAPI and the page's types read it; nothing is made here."""
