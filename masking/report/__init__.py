"""What a run says about itself: the manifest. Counts, names and hashes; never a value of the data."""
