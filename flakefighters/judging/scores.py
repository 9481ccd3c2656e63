"""How often later proof agreed with what each flakefighter had said of a failure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from flakefighters.judging.experience import Key
from flakefighters.model import JOINT, Label, Verdict
from flakefighters.model.scores import Score, Scores

__all__ = ["scores"]


def scores(
    verdicts: Iterable[Verdict], order: Sequence[str] = (), fixed: Collection[Key] = ()
) -> Scores:
    """Compare the verdicts on each failure with what is known of it.

    That is the newest joined verdict that is proved, else that it is genuine if it is among
    ``fixed``: those that a change ended.

    Nobody is compared with a proof that is their own: the joined verdict that is the proof, and
    that of the flakefighter whose observation it repeats.  Nor with failures that were judged
    before the first verdict of theirs.  A failure that is proved flaky and may have been
    introduced by a change is no measure, since both labels are right there.
    ``order`` is that of the names; others follow, and the joined verdict comes last.
    """
    failures: dict[Key, list[Verdict]] = {}
    for one in verdicts:
        failures.setdefault(one.key, []).append(one)
    firsts = {key: _first(given) for key, given in failures.items()}
    found: dict[str, Score] = {}
    since: dict[str, int] = {}
    for first in firsts.values():
        for name, one in first.items():
            found[name] = Score(name, 1 + (found[name].said if name in found else 0))
            since[name] = min(one.at, since.get(name, one.at))
    proofs = ended = 0
    for key, given in failures.items():
        proof = _proof(given)
        if proof is not None:
            label = proof.label
        elif key in fixed and not _is_proved(given):
            label, ended = Label.GENUINE, ended + 1
        else:
            continue
        proofs += 1
        for name, score in found.items():
            one_said = firsts[key].get(name)
            if _compares(name, one_said, proof, given[0].at >= since[name]):
                score.known[label] += 1
                if one_said is not None:
                    score.pairs[one_said.label, label] += 1
    ranks = {name: rank for rank, name in enumerate(order)}
    names = sorted(found, key=lambda name: (name == JOINT, ranks.get(name, len(ranks)), name))
    return Scores(len(failures), proofs, tuple(found[name] for name in names), ended)


def _compares(name: str, said: Verdict | None, proof: Verdict | None, was_there: bool) -> bool:
    """Whether what somebody said of a failure, or did not say, is compared with its proof."""
    if proof is not None and (said is proof or name == proof.evidence.get("by")):
        return False
    return was_there if said is None else proof is None or said.at <= proof.at


def _first(given: list[Verdict]) -> dict[str, Verdict]:
    """The first verdict of each, by name; puts them in order of time."""
    given.sort(key=lambda one: one.at)
    return {one.fighter: one for one in reversed(given)}


def _is_proved(given: Iterable[Verdict]) -> bool:
    return any(one.fighter == JOINT and one.proved for one in given)


def _proof(given: Sequence[Verdict]) -> Verdict | None:
    """What is known of a failure by observation, from its verdicts in order of time."""
    for one in reversed(given):
        if one.fighter == JOINT and one.proved:
            return None if one.introduced or one.label is Label.UNDECIDED else one
    return None
