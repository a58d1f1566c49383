"""Data brought in, checked, parted, labelled again, and given to other programs."""
