"""The commands of `hotline`, a file for each."""
