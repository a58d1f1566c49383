"""The page: one file that shows what an evaluation found, down to the evidence of each decision."""
