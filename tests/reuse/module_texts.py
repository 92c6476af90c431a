"""Owns the texts of local modules that the random notebook imports, and their variants."""

from __future__ import annotations

__all__ = ["LOADED_MODULES", "MODULE"]

MOD_D = """
LOCATION = 'en'
def use(where):
    global LOCATION
    LOCATION = where
def located():
    return LOCATION
def counted():
    n = 0
    while True:
        yield n
        n += 1
class Base:
    numbers = counted()
def kinds():
    import gc
    gc.collect()
    return sorted({cls.n for cls in Base.__subclasses__()})
def told(f):
    return f.__doc__
def take():
    '''Take the next.'''
    return next(Base.numbers)
"""

MOD_E = """
REGISTRY = {}
class Thing:
    def get(self):
        return sorted(REGISTRY.items())
"""

MOD_F = "import mod_e\nmod_e.REGISTRY['f'] = 1\n"

LOADED_MODULES = {"mod_e.py": (MOD_E,), "mod_f.py": (MOD_F, MOD_F.replace("1", "2"))}
"""A local module that another one registers itself with, when it is imported."""

MODULE = (MOD_D, MOD_D.replace("Take the next.", "Take one."), MOD_D.replace("'en'", "'es'"))
"""Variants of the local module `mod_d`."""
