"""The shape of every JSON answer of the API, declared once; it imports only the kinds of labels and of sources."""
