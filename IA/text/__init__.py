"""Words, file names, arguments and cells of tables as people write them; the standard library alone, none of ours."""
