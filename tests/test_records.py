"""Dataclasses whose methods are made late: they are what `dataclasses` makes of the same class."""

import copy
import dataclasses
import inspect
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.records import dataclass

FORMS = [{}, {"frozen": True}, {"frozen": True, "eq": False}, {"frozen": True, "order": True}, {"eq": False}]


def both(form, **body):
    """The same class twice: as it is made here, and by `dataclasses`."""
    notes = {"x": "int", "y": "int", "z": "list[int]", "w": "int"}

    def made(how):
        fields = {"y": dataclasses.field(default=2, compare=False), "w": dataclasses.field(default=4, repr=False)}
        fields["z"] = dataclasses.field(default_factory=list, compare=False)
        return how(**form)(type("Made", (), {"__annotations__": notes, "__qualname__": "Made", **fields, **body}))

    return made(dataclass), made(dataclasses.dataclass)


def outcome(work):
    try:
        return work()
    except (TypeError, AttributeError) as error:
        return type(error)


@pytest.mark.parametrize("form", FORMS, ids=str)
@given(ones=st.lists(st.integers(0, 2), max_size=4), twos=st.lists(st.integers(0, 2), max_size=4), extra=st.booleans())
def test_instances_are_compared_shown_and_refuse_as_those_of_dataclasses(form, ones, twos, extra):
    told = []
    for kind in both(form):
        named = {"v": 1} if extra else {}
        if (one := outcome(lambda kind=kind, named=named: kind(*ones, **named))) is TypeError:
            told.append(one)
            continue
        if (two := outcome(lambda kind=kind: kind(*twos))) is TypeError:
            told.append(two)
            continue
        facts = [repr(one), one == two, one != two, outcome(lambda one=one, two=two: one < two), one == 1]
        facts.append(outcome(lambda one=one: hash(one)) if form.get("eq", True) else None)
        facts += [outcome(lambda one=one: setattr(one, "x", 5)), outcome(lambda one=one: delattr(one, "y"))]
        told.append([*facts, dataclasses.asdict(one) if not facts[-1] else None])
    assert told[0] == told[1]


def test_fields_are_replaced_and_made_anew_for_each_instance():
    kind, _ = both({"frozen": True})
    one, two = kind(1), kind(1)
    assert one.z is not two.z
    assert dataclasses.replace(one, x=3) == kind(3)
    assert [field.name for field in dataclasses.fields(kind)] == ["x", "y", "z", "w"]
    assert str(inspect.signature(kind)).startswith("(x: 'int', y: 'int' = 2, z")


@dataclass(frozen=True, order=True)
class Sent:
    """Goes to another process before any instance was made here."""

    x: int
    y: tuple[int, ...] = ()

    def __post_init__(self):
        if self.x < 0:
            raise ValueError(self.x)


@dataclass(frozen=True)
class Child(Sent):
    z: int = 1


def test_what_was_never_initialised_here_is_compared_all_the_same():
    bare = Sent.__new__(Sent)
    bare.__dict__.update(x=1, y=(2,))
    assert bare == Sent(1, (2,))
    assert hash(bare) == hash(Sent(1, (2,)))
    assert pickle.loads(pickle.dumps(bare)) == copy.deepcopy(bare) == bare
    assert sorted([Sent(2), Sent(1)]) == [Sent(1), Sent(2)]
    with pytest.raises(ValueError, match="-1"):
        Sent(-1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        bare.x = 2


def test_a_class_that_stands_on_another_has_its_fields_too():
    assert Child(1, (2,), 3) == Child(x=1, y=(2,), z=3) != Child(1, (2,))
    assert Child(1) != Sent(1)
    match Child(5):
        case Child(x, _, z):
            assert (x, z) == (5, 1)


def test_a_plain_class_on_a_frozen_one_may_have_attributes_of_its_own():
    class Plain(Child):
        pass

    one = Plain(1)
    one.title = "mine"
    assert one.title == "mine"
    del one.title
    for name in ("x", "z"):  # the parent's field, and the child's
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(one, name, 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Child(1).title = "mine"


def test_frozen_classes_inherit_from_frozen_ones_alone():
    @dataclasses.dataclass(frozen=True)
    class Theirs(Child):
        w: int = 2

    assert Theirs(1, w=3) == Theirs(1, (), 1, 3)
    for how in (dataclass, dataclasses.dataclass):
        with pytest.raises(TypeError, match="non-frozen"):

            @how
            class Other(Sent):
                pass


def test_methods_of_a_class_s_own_stay():
    kind, theirs = both({"frozen": True}, __eq__=lambda self, other: True, __repr__=lambda self: "I")
    for one in (kind, theirs):
        assert one(1) == 3
        assert repr(one(1)) == "I"
        assert hash(one(1)) == hash((1, 4))
