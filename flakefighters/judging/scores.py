"""How often later proof agreed with what each flakefighter had said of a failure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from flakefighters.model import JOINT, Confidence, Label, Verdict
from flakefighters.model.scores import Score, Scores

__all__ = ["scores"]


def scores(verdicts: Iterable[Verdict], order: Sequence[str] = ()) -> Scores:
    """Compare the verdicts on each failure with the newest joined one that is proved.

    Nobody is compared with a proof that is their own: the joined verdict that is the proof, and
    that of the flakefighter whose observation it repeats.  A failure that is proved flaky and may
    have been introduced by a change is no measure, since both labels are right there.
    ``order`` is that of the names; others follow, and the joined verdict comes last.
    """
    failures: dict[tuple[str, str, int, int], list[Verdict]] = {}
    for one in verdicts:
        failures.setdefault((one.run, one.nodeid, one.attempt, one.index), []).append(one)
    said: Counter[str] = Counter()
    pairs: dict[str, Counter[tuple[Label, Label]]] = {}
    proofs = 0
    for given in failures.values():
        given.sort(key=lambda one: one.at)
        first = {one.fighter: one for one in reversed(given)}
        said.update(first.keys())
        proof = _proof(given)
        if proof is None:
            continue
        proofs += 1
        for name, one in first.items():
            if one is not proof and name != proof.evidence.get("by") and one.at <= proof.at:
                pairs.setdefault(name, Counter())[one.label, proof.label] += 1
    ranks = {name: rank for rank, name in enumerate(order)}
    names = sorted(said, key=lambda name: (name == JOINT, ranks.get(name, len(ranks)), name))
    found = (Score(name, said[name], pairs.get(name, Counter())) for name in names)
    return Scores(len(failures), proofs, tuple(found))


def _proof(given: Sequence[Verdict]) -> Verdict | None:
    """What is known of a failure by observation, from its verdicts in order of time."""
    for one in reversed(given):
        if one.fighter == JOINT and one.confidence is Confidence.PROVED:
            return None if one.introduced or one.label is Label.UNDECIDED else one
    return None
