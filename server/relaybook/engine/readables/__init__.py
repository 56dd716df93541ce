"""What can be read by URI: a row of `table`, and a reader for each."""
