"""From labelled evidence to a weighed rule base: proposers, objective, search, pruning."""
