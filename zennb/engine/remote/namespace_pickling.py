"""Owns the pickling of the notebook's functions and classes into another namespace, whose variables they then see.

A function refers to the namespace it was defined in. A step that runs outside the notebook must see its own inputs
instead, also inside the functions it calls. So functions and classes are pickled by value (cloudpickle), and the
notebook's namespace is replaced by the step's.
"""

from __future__ import annotations

import io
import pickle
import types
from typing import TYPE_CHECKING, Any

import cloudpickle

from zennb.compat.code_pickling import makers, reduced_function, with_annotations
from zennb.compat.instances import class_attributes, is_a, qualified_name
from zennb.digests.classes import member_attributes
from zennb.materializers.functions import cell_reduction, located, module_function_reduction
from zennb.packages.origin import module_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping
    from enum import Enum

__all__ = ["pack", "unpack"]

_NAMESPACE = 3  # place of what the class begins with among the arguments of `Makers.of_class`
_TRACKER = 4  # place of the class tracker's id among the arguments of `Makers.of_class`
_MEMBERS, _ENUM_TRACKER = (
    3,
    5,
)  # places of the members and of that id among the arguments of `Makers.of_enumeration`
_CODE = (type, types.FunctionType)


class _NamespacePickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle ships no types
    """Pickles functions and classes by value, the notebook's namespace and data by name."""

    def __init__(self, file: io.BytesIO, namespace: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        super().__init__(file, protocol=5)
        self._stand_in = stand_in = {"__name__": "__main__"}
        # cloudpickle keeps here which dictionary functions with the same globals share after loading. The notebook's
        # is replaced by a stand-in, which is written by name and becomes the namespace of the step.
        self.globals_ref[id(namespace)] = stand_in
        self._named = {id(stand_in): ("namespace", "")}
        self._named.update({id(value): ("data", name) for name, value in data.items() if _is_heavy(value)})
        self._kept = (stand_in, namespace, dict(data))  # keeps the ids above from being reused
        self.files: set[str] = set()
        self.names: set[str] = set()  # of the functions and classes met

    def persistent_id(self, obj: Any) -> tuple[str, str] | None:
        return self._named.get(id(obj))

    def reducer_override(self, obj: Any) -> Any:
        if is_a(obj, types.CellType):
            return cell_reduction(obj)
        reduce, made_by = super().reducer_override, makers()
        reduced = (
            reduced_function(reduce, obj)
            if is_a(obj, types.FunctionType)
            else with_annotations(obj, reduce(obj))
        )
        if isinstance(reduced, tuple) and is_a(obj, _CODE) and module_of(obj) == "__main__":
            self.names.add(_name(obj).partition(".")[0])
        if isinstance(reduced, tuple) and reduced[0] is made_by.function:
            return self._function(obj, reduced)
        if isinstance(reduced, tuple) and reduced[0] is made_by.of_class:
            # Without a tracker id the copy is an independent class, whose methods see the step's namespace.
            arguments = list(reduced[1])
            arguments[_TRACKER] = None
            arguments[_NAMESPACE] = {**arguments[_NAMESPACE], "__qualname__": _name(obj)}
            # cloudpickle adds slots after the class exists, where they have no effect.
            held, state = class_attributes(obj), reduced[2]
            if "__slots__" in held and not issubclass(obj, tuple):
                arguments[_NAMESPACE]["__slots__"] = held["__slots__"]
            if "__class__" in held:  # set later, it would be the metaclass
                arguments[_NAMESPACE]["__class__"] = held["__class__"]
                state = ({name: part for name, part in state[0].items() if name != "__class__"}, *state[1:])
            reduced = (reduced[0], tuple(arguments), state, *reduced[3:])
        if isinstance(reduced, tuple) and reduced[0] is made_by.of_enumeration:
            reduced = _enumeration(obj, reduced)
        return reduced

    def _function(self, function: types.FunctionType, reduced: tuple[Any, ...]) -> tuple[Any, ...]:
        """Keep shared closures shared, keep the file name, and read globals from the new namespace.

        Functions of a module stay in that module.
        """
        _, (_, names, *_), (state, slots), *others = reduced
        if names is not self._stand_in:
            return module_function_reduction(function) or reduced
        code = function.__code__
        self.files.add(code.co_filename)
        read = {name: value for name, value in slots["__globals__"].items() if id(value) not in self._named}
        # The closure goes with the arguments, as one of `function.__closure__`: cells that several functions share
        # stay shared. Data among the globals are left out, as the step loads its inputs itself.
        slots = {**slots, "__closure__": None, "__globals__": read}
        return _function, (code, code.co_filename, names, function.__closure__), (state, slots), *others


def _enumeration(cls: type[Enum], reduced: tuple[Any, ...]) -> tuple[Any, ...]:
    """Pickle an enumeration as an independent class, like other classes, with the attributes of its members."""
    make, arguments, (state, slots), *_ = reduced
    members = {name: member.value for name, member in cls.__members__.items()}
    own = {name: member_attributes(member) for name, member in cls.__members__.items()}
    state = {name: value for name, value in state.items() if name not in members}
    rest = (arguments[_MEMBERS + 1], None, *arguments[_ENUM_TRACKER + 1 :])
    return (
        make,
        (*arguments[:_MEMBERS], members, *rest),
        ((state, slots), own),
        None,
        None,
        _fill_enumeration,
    )


def _fill_enumeration(cls: type[Enum], state: tuple[Any, Mapping[str, Mapping[str, Any]]]) -> type[Enum]:
    attributes, own = state
    makers().fill_class(cls, attributes)
    for name, member in cls.__members__.items():
        vars(member).update(own[name])
    return cls


def _function(code: types.CodeType, filename: str, names: dict[str, Any], closure: Any) -> types.FunctionType:
    return types.FunctionType(located(code, filename), names, code.co_name, None, closure)


class _NamespaceUnpickler(pickle.Unpickler):
    def __init__(
        self, file: io.BytesIO, namespace: MutableMapping[str, Any], load_data: Callable[[str], None]
    ) -> None:
        super().__init__(file)
        self._namespace, self._load_data = namespace, load_data

    def persistent_load(self, pid: Any) -> Any:
        kind, name = pid
        if kind == "namespace":
            return self._namespace
        if name not in self._namespace:
            self._load_data(name)
        return self._namespace.get(name)


def pack(
    definitions: Mapping[str, Any], *, namespace: Mapping[str, Any], data: Mapping[str, Any]
) -> tuple[bytes, frozenset[str]]:
    """Return the named modules, functions and classes of `namespace` as bytes; `data` are referred to by name.

    Functions and classes are packed under their own name, too, whatever name they are used by, because results that
    hold one are stored by that name. Also return the file names of the cells that the functions were written in.

    Raises:
        Exception: whatever pickling one of them raises.
    """
    file = io.BytesIO()
    packer = _NamespacePickler(file, namespace, data)
    # Classes first: loading data may need them, and functions may ask for data while they are rebuilt. Each is a
    # pickle of its own, so that a definition is bound before the next one is read.
    for name, value in sorted(definitions.items(), key=lambda each: not is_a(each[1], type)):
        packer.dump((name, value))
    # What was packed may refer to further classes and functions, and these again to others.
    packed = set(definitions)
    while missing := sorted(packer.names & namespace.keys() - packed - data.keys()):
        packed.update(missing)
        for name in missing:
            if is_a(namespace[name], _CODE):
                packer.dump((name, namespace[name]))
    return file.getvalue(), frozenset(packer.files)


def unpack(
    packed: bytes, namespace: MutableMapping[str, Any], load_data: Callable[[str], None] = lambda _: None
) -> None:
    """Define in `namespace` what was packed, classes first.

    Args:
        packed: bytes made by `pack` in this run.
        namespace: where to.
        load_data: loads data of this name into it; called when a definition refers to data that is missing there: a
            default, a closure, an attribute of a class.
    """
    file = io.BytesIO(packed)
    unpacker = _NamespaceUnpickler(file, namespace, load_data)
    while file.tell() < len(packed):
        name, value = unpacker.load()
        namespace[name] = value


def _name(thing: Any) -> str:
    return qualified_name(thing) if is_a(thing, type) else str(thing.__qualname__)


def _is_heavy(value: object) -> bool:
    """Whether a value is pickled by name: code is copied, and equal scalars are shared by unrelated objects."""
    return not is_a(
        value,
        types.ModuleType | types.FunctionType | type | bool | int | float | complex | str | bytes | None,
    )
