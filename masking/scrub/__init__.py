"""The scrubber of free text: every identifier replaced, clinical text left alone."""
