"""The only package that imports moto: its wire protocols and its backends, behind typed names.

moto is pinned exactly; whatever private thing of it is touched here has a contract test.
"""

from pavedroad.localcloud.moto_adapter import regions

regions.limit()
