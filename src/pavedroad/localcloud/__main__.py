"""The private cloud alone: `python -m pavedroad.localcloud --home DIR --port N`."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import get_args

from pavedroad.core.errors import PavedError, StateUnreadable
from pavedroad.core.networking import Mode
from pavedroad.core.places import Places
from pavedroad.localcloud import settings
from pavedroad.localcloud.children import NotReady
from pavedroad.localcloud.host.network.possible import NetworkImpossible
from pavedroad.localcloud.launcher import HomeInUse, PortInUse, launch
from pavedroad.localcloud.unreadable import EXIT_STATUS

DEFAULT_PORT = 4566
_EXIT_STATUS: dict[type[PavedError], int] = {
    PortInUse: 3,
    HomeInUse: 4,
    NotReady: 5,
    NetworkImpossible: 7,
    StateUnreadable: EXIT_STATUS,
}
_REFUSED = 6


def main() -> None:
    parser = argparse.ArgumentParser(prog="pavedroad.localcloud", description=__doc__)
    parser.add_argument(
        "--home",
        type=Path,
        default=Places.default().cloud,
        help="the folder of its state (default: %(default)s)",
    )
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="of the endpoint; 0 takes any (default: %(default)s)"
    )
    parser.add_argument(
        "--network",
        choices=get_args(Mode),
        default="shared",
        help="namespaces: each instance has a network of its own, where security groups hold; needs Linux "
        "and root, or user namespaces "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--open",
        action="store_true",
        help="take any credentials, from every user of this machine (web pages are refused still)",
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings.check()
        launch(options.home.absolute(), options.port, options.network, is_open=options.open)
    except PavedError as refusal:
        sys.stderr.write(f"{refusal.sentence} {refusal.next_step or ''}".rstrip() + "\n")
        sys.exit(_EXIT_STATUS.get(type(refusal), _REFUSED))


if __name__ == "__main__":
    main()
