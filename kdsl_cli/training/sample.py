"""The former place of `evidence.labelled.labelled`."""

from kdsl_cli.evidence.labelled import labelled

samples = labelled
