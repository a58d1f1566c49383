"""Who suggests predicates for a draft."""
