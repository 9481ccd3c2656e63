"""What failures and verdicts of a simulation say."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from flakefighters.ids import h128
from flakefighters.model import Failure, Label, Phase

__all__ = ["WORDS", "failure", "reason"]

_SAID: Final = (
    "order invoice basket customer payment refund stock shipment address discount coupon tax "
    "session token cache queue worker lock timeout retry client server response request body "
    "header cursor row table index page total amount currency rate limit price quantity label"
)
WORDS: Final = tuple(_SAID.split())
_ERRORS: Final = ("AssertionError", "TimeoutError", "KeyError", "ConnectionError", "ValueError")


def reason(label: Label, seen: Sequence[str], changes: Sequence[str]) -> str:
    """Why a verdict is as it is."""
    last = f"run {seen[0][-4:]}" if seen else "a run"
    if label is Label.GENUINE:
        return f"it ran charge() in {changes[0]}, which changed since it last passed in {last}"
    if label is Label.FLAKY:
        return f"it touched nothing that changed since it last passed in {last}"
    return f"it may have read what changed since it last passed in {last}"


def failure(test: str, kind: int, number: int) -> Failure:
    """What a test says that fails in one way; ``number`` stands in the text alone."""
    draw = random.Random(f"{test} {kind}")
    path, _, rest = test.partition("::")
    name = rest.split("[")[0]
    lines = [f"    def {name}(client, {draw.choice(WORDS)}):"]
    for _ in range(draw.randint(4, 14)):
        left, right, of = draw.choice(WORDS), draw.choice(WORDS), draw.choice(WORDS)
        lines.append(f"        {left} = client.{right}({of}, {draw.randrange(1000)})")
    lines.append(f"\n{path}:{draw.randrange(20, 600)}: ")
    for _ in range(draw.randint(1, 6)):
        module, of = draw.choice(WORDS), draw.choice(WORDS)
        lines.append(f"\nsrc/market/{module}/{of}.py:{draw.randrange(20, 900)}: in {of}_{module}")
        lines.append(f"        return self.{of}.{module}({draw.choice(WORDS)})")
    error = draw.choice(_ERRORS)
    lines.append(f"E       {error}: {draw.choice(WORDS)} {number} != {draw.randrange(1000)}")
    return Failure(
        phase=Phase.CALL,
        exception=f"builtins.{error}",
        text="\n".join(lines),
        signature=h128("signature", test, kind),
    )
