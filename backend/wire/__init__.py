"""The shape of every JSON answer of the API, declared once; it imports only what kinds of labels and sources there are."""
