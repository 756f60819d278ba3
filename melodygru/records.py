"""Dataclasses whose methods are made when they are first used.

`dataclasses.dataclass` writes six methods of each class as source text and compiles them where the class is defined:
a third of the time that this package took to import, of which most classes need nothing in one run. Here only the
fields are gathered there. `__init__` is compiled at the first instance; the other methods are the same functions for
all classes, and compare what `operator.attrgetter` gets of the fields.

The classes are dataclasses to all who ask (`fields`, `replace`, `asdict`, `match`); what they leave out is what nobody
here needs: slots, keyword-only fields and `InitVar`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    import dataclasses
    import inspect
    from operator import attrgetter, ge, gt, le, lt

    def dataclass(cls=None, /, *, frozen=False, eq=True, order=False):
        """`dataclasses.dataclass`, see above."""

        def made(cls):
            if cls.__doc__ is None:
                cls.__doc__ = cls.__name__  # else its signature is made for it
            told = [base.__dataclass_params__ for base in cls.__mro__[1:] if dataclasses.is_dataclass(base)]
            below_frozen = frozen and any(base.frozen for base in told)
            dataclasses.dataclass(init=False, repr=False, eq=False, frozen=below_frozen)(cls)
            cls.__dataclass_params__.frozen = frozen  # for what inherits from it
            own = cls.__dict__
            methods = {"__init__": _first_init(cls, frozen), "__repr__": _repr}
            if frozen:
                methods |= {f"__{how}__": _refused(cls, how, what) for how, what in _CHANGES.items()}
            if eq:
                methods["__eq__"] = _compared(lambda one, other: one == other)
            if order:
                methods |= {f"__{how.__name__}__": _compared(how) for how in (lt, le, gt, ge)}
            says_hash = own.get("__hash__") is not None or ("__hash__" in own and "__eq__" not in own)
            if eq and not says_hash:
                methods["__hash__"] = _hash if frozen else None
            for name, method in methods.items():
                if name not in own or name == "__hash__":
                    setattr(cls, name, method)
            cls.__signature__ = _Signature()
            return cls

        return made if cls is None else made(cls)

    def _first_init(cls, frozen):
        """An `__init__` that has itself replaced by the true one when it is first called."""

        def __init__(self, /, *args, **kwargs):
            if cls.__dict__["__init__"] is __init__:
                cls.__init__ = _compiled_init(cls, frozen)
            cls.__init__(self, *args, **kwargs)

        return __init__

    def _compiled_init(cls, frozen):
        """What `dataclasses` would make: parameters are the fields in order, with their defaults."""
        names = {"_set": object.__setattr__, "_missing": dataclasses.MISSING}
        parameters, body = ["self"], []
        for one in dataclasses.fields(cls):
            value = one.name
            if one.default_factory is not dataclasses.MISSING:
                names[f"_make_{one.name}"] = one.default_factory
                value = f"_make_{one.name}()"
                if one.init:
                    parameters.append(f"{one.name}=_missing")
                    value = f"{value} if {one.name} is _missing else {one.name}"
            elif not one.init:
                continue  # its default, if it has one, is the class's
            elif one.default is not dataclasses.MISSING:
                names[f"_default_{one.name}"] = one.default
                parameters.append(f"{one.name}=_default_{one.name}")
            else:
                parameters.append(one.name)
            body.append(f" _set(self, {one.name!r}, {value})" if frozen else f" self.{one.name} = {value}")
        if hasattr(cls, "__post_init__"):
            body.append(" self.__post_init__()")
        source = f"def __init__({', '.join(parameters)}):\n" + "\n".join(body or [" pass"])
        exec(source, names)
        names["__init__"].__annotations__ = {one.name: one.type for one in dataclasses.fields(cls) if one.init}
        names["__init__"].__qualname__ = f"{cls.__qualname__}.__init__"
        return names["__init__"]

    def _values(cls):
        """What gets a tuple of what is compared in an instance; made once for each class."""
        found = cls.__dict__.get("_compared_values")
        if found is None:
            names = [one.name for one in dataclasses.fields(cls) if one.compare]
            get = attrgetter(*names) if names else None
            found = get if len(names) > 1 else (lambda one: (get(one),)) if names else lambda one: ()
            type.__setattr__(cls, "_compared_values", staticmethod(found))
            found = cls.__dict__["_compared_values"]
        return found.__func__

    def _compared(how):
        def method(self, other):
            if other.__class__ is not self.__class__:
                return NotImplemented
            values = _values(self.__class__)
            return how(values(self), values(other))

        return method

    def _hash(self):
        return hash(_values(self.__class__)(self))

    def _repr(self):
        said = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in dataclasses.fields(self) if one.repr)
        return f"{self.__class__.__qualname__}({said})"

    _CHANGES = {"setattr": "assign to", "delattr": "delete"}

    def _refused(cls, how, what):
        def method(self, name, *value):
            if self.__class__ is cls or name in cls.__dataclass_fields__:
                raise dataclasses.FrozenInstanceError(f"cannot {what} field {name!r}")
            getattr(super(cls, self), f"__{how}__")(name, *value)  # classes that stand on it may have more

        return method

    class _Signature:
        """A class's signature, made when it is asked for: that of the `__init__` that is compiled."""

        def __get__(self, instance, owner):
            whole = inspect.signature(_compiled_init(owner, False))
            return whole.replace(parameters=list(whole.parameters.values())[1:])
