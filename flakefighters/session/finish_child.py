"""Finish a session in a clean child process: orders on stdin, results on stdout.

Started where the tests left a frozen clock, a fake file system or the like behind.
"""

from __future__ import annotations

import json
import os
import sys

from flakefighters.session.finish import finish
from flakefighters.session.finish_orders import Order, outcome_to_json
from flakefighters.session.spool import read_back
from flakefighters.state.checkout import Checkout

__all__ = ["main"]


def main() -> None:
    """Do what the parent ordered."""
    order = Order.read(json.load(sys.stdin.buffer))
    os.chdir(order.anchor.path)
    run = read_back(order.journal).run
    done = finish(run, Checkout.read(order.anchor), order.plan)
    json.dump(outcome_to_json(done), sys.stdout)


if __name__ == "__main__":
    main()
