"""Random conditions, facts and rule bases, small enough that phrases are often found."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from kdsl_cli.logic.conditions import All, Any, AtLeast, Condition, Not
from kdsl_cli.logic.facts import Facts, ImageFact, OcrLine, TurnFact
from kdsl_cli.logic.features import FEATURES, KINDS
from kdsl_cli.logic.predicates import (
    COUNTABLES,
    LIST_VERBS,
    REGIONS,
    TEXT_FIELDS,
    VERBS,
    AnswerPredicate,
    CountPredicate,
    ImagePredicate,
    OcrPredicate,
    TextPredicate,
)
from kdsl_cli.logic.rule import STATUSES, BaseRate, Evidence, Examples, Provenance, Rule, RuleBase

quick = settings(max_examples=25, deadline=None)
"""Few examples keep the suite quick; a deadline would fail on a busy machine."""

# Letters whose folding is interesting: full width, ligatures, combining marks, sharp s, Hangul jamo, blanks.
LETTERS = "ab退款ＡＢ㎏ﬁßée\u0301\u1112\u1161\u11abﾊﾞ\u0345ᾳİ \u3000"
PATTERNS = ("退.?款", "^a", "b$", r"\w+", "[ＡＢ]+", "（退|款）", "a|b", r"\s")
QUESTIONS = ("a?", "b?")

small_texts = st.text(LETTERS, max_size=6)
phrases = st.text(LETTERS, min_size=1, max_size=2).filter(lambda text: bool(text.strip()))
any_phrases = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    lambda text: bool(text.strip())
)


def verbs_and_values(words: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, tuple[str, ...]]]:
    lists = st.lists(words, min_size=1, max_size=3).map(tuple)

    def values(verb: str) -> st.SearchStrategy[tuple[str, tuple[str, ...]]]:
        if verb == "regex":
            chosen = st.sampled_from(PATTERNS).map(lambda pattern: (pattern,))
        else:
            chosen = lists if verb in LIST_VERBS else words.map(lambda word: (word,))
        return st.tuples(st.just(verb), chosen)

    return st.sampled_from(VERBS).flatmap(values)


def bounds(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[str, object]]:
    one = st.tuples(st.sampled_from(("gte", "lte")), numbers)
    two = st.tuples(numbers, numbers).map(lambda pair: ("between", tuple(sorted(pair))))
    return one | two


def predicates(
    words: st.SearchStrategy[str], numbers: st.SearchStrategy[float]
) -> st.SearchStrategy[Condition]:
    return st.one_of(
        st.builds(
            lambda field, phrase: TextPredicate(field, *phrase),
            st.sampled_from(TEXT_FIELDS),
            verbs_and_values(words),
        ),
        st.builds(
            lambda region, phrase: OcrPredicate(*phrase, region),
            st.sampled_from(REGIONS),
            verbs_and_values(words),
        ),
        st.sampled_from(KINDS).map(lambda kind: ImagePredicate("kind", "is", kind)),
        st.builds(
            lambda feature, bound: ImagePredicate(feature, *bound),
            st.sampled_from(sorted(FEATURES)),
            bounds(numbers),
        ),
        st.builds(
            lambda of, bound: CountPredicate(of, *bound),
            st.sampled_from(COUNTABLES),
            bounds(st.integers(0, 4)),
        ),
        st.builds(AnswerPredicate, st.sampled_from(QUESTIONS), st.booleans()),
    )


def conditions(
    words: st.SearchStrategy[str] = phrases,
    numbers: st.SearchStrategy[float] = st.integers(0, 3).map(float),  # noqa: B008
) -> st.SearchStrategy[Condition]:
    def grown(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        groups = st.lists(inner, min_size=1, max_size=3).map(tuple)
        at_least = groups.flatmap(lambda group: st.integers(1, len(group)).map(lambda n: AtLeast(n, group)))
        return st.one_of(groups.map(All), groups.map(Any), inner.map(Not), at_least)

    return st.recursive(predicates(words, numbers), grown, max_leaves=5)


centres = st.sampled_from((0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9))
boxes = st.tuples(centres, centres).map(lambda c: (c[0], c[1], c[0], c[1]))
features = st.dictionaries(st.sampled_from(sorted(FEATURES)), st.sampled_from((0.0, 1.0, 2.5, float("nan"))))
images = st.builds(
    lambda kind, found, error: ImageFact(0, None, {}, error) if error else ImageFact(0, kind, found),
    st.sampled_from((*KINDS, None)),
    features,
    st.sampled_from((None, None, "truncated file")),
)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    texts = draw(
        st.lists(st.tuples(st.sampled_from(("customer", "service", "system")), small_texts), max_size=4)
    )
    drawn = draw(st.lists(images, max_size=2))
    pictures = tuple(ImageFact(n, i.kind, i.features, i.error) for n, i in enumerate(drawn))
    readable = [picture.image for picture in pictures if picture.error is None]
    lines = draw(st.lists(st.tuples(small_texts, boxes), max_size=3)) if readable else []
    owner = draw(st.sampled_from(readable)) if readable else 0
    return Facts(
        draw(st.sampled_from("xyz")),
        tuple(TurnFact(seq, role, text) for seq, (role, text) in enumerate(texts)),
        tuple(OcrLine(owner, seq, text, 0.9, box) for seq, (text, box) in enumerate(lines)),
        pictures,
        draw(st.dictionaries(st.sampled_from(QUESTIONS), st.booleans())),
    )


finite = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 10**6)
shares = st.none() | st.floats(0, 1)
evidences = st.tuples(counts, counts, shares, shares, st.none() | st.integers(1, 9)).map(
    lambda e: Evidence(max(e[:2]), min(e[:2]), *e[2:])
)
provenances = st.builds(
    Provenance,
    st.none() | any_phrases,
    st.none() | counts,
    st.none() | counts,
    st.none() | finite,
    st.none() | any_phrases,
    st.none() | counts,
)
id_lists = st.lists(any_phrases, max_size=2).map(tuple)
rules = st.builds(
    Rule,
    id=any_phrases,
    intent=any_phrases,
    when=conditions(any_phrases, finite),
    status=st.sampled_from(STATUSES),
    weight=finite,
    why=st.just("") | any_phrases,
    evidence=st.none() | evidences,
    examples=st.none() | st.builds(Examples, id_lists, id_lists),
    provenance=st.none() | provenances,
    note=st.just("") | any_phrases,
)
base_rates = st.builds(BaseRate, any_phrases, finite, st.sampled_from(STATUSES))
rule_bases = st.builds(
    RuleBase,
    any_phrases,
    st.lists(rules, max_size=3, unique_by=lambda rule: rule.id).map(tuple),
    st.sampled_from(("", "One line.", "Two\n\n  lines # here")),
    st.lists(base_rates, max_size=3, unique_by=lambda rate: rate.intent).map(tuple),
)
