"""What lives long is set apart from the garbage collector, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc, weakref
from pavedroad.localcloud.api import garbage

class Ring:
    def __init__(self):
        self.itself = self

long_lived = garbage.LongLived()
early, young = Ring(), Ring()
long_lived.begin()
assert gc.get_freeze_count() > 1000
assert len(gc.get_objects(generation=2)) == 0, "a full collection would look at what is there already"
later, lost = Ring(), weakref.ref(Ring())
gc.collect()
assert lost() is None, "garbage is found still"
lost = weakref.ref(later)
del later
gc.collect()
assert lost() is not None, "it has outlived one collection, and is not looked at"
long_lived.look_at_all()
assert lost() is not None, "nor before it is time"
garbage._WHOLE_EVERY = -1.0
long_lived.look_at_all()
assert lost() is None
assert gc.get_freeze_count() > 1000
long_lived.end()
assert gc.get_freeze_count() == 0
"""


def test_only_what_is_new_is_looked_at_and_now_and_then_all() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
