"""Character n-grams: what a text is made of where words have no blanks between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from kdsl_cli.training.calibration import Floats

Sparse = Any
"""A `scipy.sparse.csr_matrix` of float64; scipy has no types."""

LENGTHS = (1, 3)
"""Shortest and longest n-gram. Four characters gave nothing more on some hundreds of samples."""


@dataclass(frozen=True, slots=True, eq=False)
class Ngrams:
    """The n-grams of a set of texts, each with its inverse document frequency.

    Attributes
    ----------
    terms
        In column order, sorted.
    idf
        (n_terms,) ``1 + ln((1 + n) / (1 + n_with_term))``: rare ones count more.
    """

    terms: tuple[str, ...]
    idf: Floats

    @classmethod
    def fit(cls, texts: Sequence[str], min_df: int = 1) -> Ngrams:
        """Return the n-grams that occur in at least `min_df` of `texts`; none if all texts are empty.

        Examples
        --------
        >>> Ngrams.fit(["ab", "b"], min_df=2).terms
        ('b',)
        """
        if not any(texts):
            return cls((), np.zeros(0))
        counter = CountVectorizer(analyzer="char", ngram_range=LENGTHS, lowercase=False)
        occurring = counter.fit_transform(texts)
        frequency = np.asarray((occurring > 0).sum(axis=0)).ravel()
        kept = np.flatnonzero(frequency >= min_df)
        terms = counter.get_feature_names_out()
        idf = 1 + np.log((1 + len(texts)) / (1 + frequency[kept]))
        return cls(tuple(str(terms[place]) for place in kept), idf)

    def matrix(self, texts: Sequence[str]) -> Sparse:
        """Return (n_texts, n_terms) weights: ``(1 + ln count) * idf``, each row of length 1 or all zero."""
        if not (self.terms and len(texts)):
            return scipy.sparse.csr_matrix((len(texts), len(self.terms)))
        vocabulary = {term: column for column, term in enumerate(self.terms)}
        counter = CountVectorizer(
            analyzer="char", ngram_range=LENGTHS, lowercase=False, vocabulary=vocabulary, dtype=np.float64
        )
        counts = counter.transform(texts)
        counts.data = 1 + np.log(counts.data)
        return normalize(counts.multiply(self.idf).tocsr())
