"""The page over a while: AUTO, tabs that are hidden, and servers that are killed and come back."""
