"""Facts, predicates, conditions, rules, and matching that explains itself."""
