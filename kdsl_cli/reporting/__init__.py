"""Tables and pages made from what the stages wrote."""
