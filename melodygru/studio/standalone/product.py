"""The product of two matrices as a WebAssembly module: NumPy's own for that machine takes ten times as long.

The module is written instruction by instruction, since no compiler is there when a page is made. It exports

    product(a, b, c, rows, inner, columns)

which works in the memory that it imports: `a` (rows, inner), `b` (inner, columns) and `c` (rows, columns) are addresses
of float32 matrices, row by row without gaps; `columns` is a multiple of `BLOCK`. Each number of `c` is summed in the
order of `inner`, as NumPy's is. Encodings: WebAssembly Core Specification 2.0, chapter 5.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

BLOCK = 8
"""Columns that are worked out at a time, and of how many a matrix must have a multiple."""
_ROWS = 4
"""Rows that are worked out at a time: with `BLOCK` columns their sums stay in registers."""

_I32, _V128, _FUNCTION, _NOTHING = 0x7F, 0x7B, 0x60, 0x40
_PARAMETERS = ("a", "b", "c", "rows", "inner", "columns")
_ADDRESSES = ("a_stride", "c_stride", "column", "row", "from_b", "end", "at")
_FROM_A, _TO_C = ([f"{name}{row}" for row in range(_ROWS)] for name in ("from_a", "to_c"))
_SUMS = [f"sum{row}{half}" for row in range(_ROWS) for half in "01"]
_NUMBERS = [*_ADDRESSES, *_FROM_A, *_TO_C]
_VECTORS = [*_SUMS, "left", "right"]
_PLACE = {name: place for place, name in enumerate([*_PARAMETERS, *_NUMBERS, *_VECTORS])}

_ADD, _SUBTRACT, _MULTIPLY, _SHIFT, _LESS, _SELECT = b"\x6a", b"\x6b", b"\x6c", b"\x74", b"\x49", b"\x1b"
_END, _LOOP, _AGAIN_IF = b"\x0b", bytes([0x03, _NOTHING]), b"\x0d\x00"
_VECTOR_TIMES, _VECTOR_PLUS, _ZEROS = b"\xfd\xe6\x01", b"\xfd\xe4\x01", b"\xfd\x0c" + bytes(16)
_LOAD, _LOAD_SPREAD, _STORE = b"\xfd\x00\x04", b"\xfd\x09\x02", b"\xfd\x0b\x04"


@cache
def module() -> bytes:
    """The module."""
    kinds = _part(1, [_vector([bytes([_FUNCTION, len(_PARAMETERS), *[_I32] * len(_PARAMETERS), 0])])])
    imports = _part(2, [_vector([_text("page") + _text("memory") + b"\x02\x00\x00"])])
    functions = _part(3, [_vector([b"\x00"])])
    exports = _part(7, [_vector([_text("product") + b"\x00\x00"])])
    local = _vector([_number(len(_NUMBERS)) + bytes([_I32]), _number(len(_VECTORS)) + bytes([_V128])])
    body = local + _product() + _END
    code = _part(10, [_vector([_number(len(body)) + body])])
    return b"\0asm\1\0\0\0" + kinds + imports + functions + exports + code


def _product() -> bytes:
    """Blocks of columns, in each groups of rows, in each the sums along `inner`."""
    one_step = [
        *_set("left", _get("from_b") + _LOAD + _number(0)),
        *_set("right", _get("from_b") + _LOAD + _number(16)),
    ]
    for row, at in enumerate(_FROM_A):
        for half, factor in zip("01", ("left", "right"), strict=True):
            spread = _get(at) + _LOAD_SPREAD + _number(0)
            product = spread + _get(factor) + _VECTOR_TIMES
            one_step += _set(f"sum{row}{half}", _get(f"sum{row}{half}") + product + _VECTOR_PLUS)
        one_step += _grown(at, _constant(4))
    one_step += _grown("from_b", _get("c_stride"))
    group: list[bytes] = []
    for row, (at, to) in enumerate(zip(_FROM_A, _TO_C, strict=True)):
        # Beyond the last row the last one is worked out again, which changes nothing.
        last = _get("rows") + _constant(1) + _SUBTRACT
        this = _get("row") + _constant(row) + _ADD
        group += _set("at", this + last + this + last + _LESS + _SELECT)
        group += _set(at, _get("a") + _get("at") + _get("a_stride") + _MULTIPLY + _ADD)
        group += _set(to, _get("c") + _get("at") + _get("c_stride") + _MULTIPLY + _ADD + _get("column") + _ADD)
    for total in _SUMS:
        group += _set(total, _ZEROS)
    group += _set("from_b", _get("b") + _get("column") + _ADD)
    group += _set("end", _get(_FROM_A[0]) + _get("a_stride") + _ADD)
    group += _loop(one_step, _FROM_A[0], "end")
    for row, to in enumerate(_TO_C):
        for half in "01":
            group.append(_get(to) + _get(f"sum{row}{half}") + _STORE + _number(16 * int(half)))
    group += _grown("row", _constant(_ROWS))
    block = [*_set("row", _constant(0)), *_loop(group, "row", "rows"), *_grown("column", _constant(4 * BLOCK))]
    strides = [*_set("a_stride", _in_bytes("inner")), *_set("c_stride", _in_bytes("columns"))]
    return b"".join([*strides, *_set("column", _constant(0)), *_loop(block, "column", "c_stride")])


def _get(name: str) -> bytes:
    return b"\x20" + _number(_PLACE[name])


def _set(name: str, value: bytes) -> list[bytes]:
    return [value + b"\x21" + _number(_PLACE[name])]


def _grown(name: str, by: bytes) -> list[bytes]:
    return _set(name, _get(name) + by + _ADD)


def _in_bytes(name: str) -> bytes:
    return _get(name) + _constant(2) + _SHIFT


def _loop(steps: Iterable[bytes], counter: str, end: str) -> list[bytes]:
    """Once, and again for as long as the counter is below the end."""
    return [_LOOP, *steps, _get(counter) + _get(end) + _LESS + _AGAIN_IF, _END]


def _constant(value: int) -> bytes:
    """A constant, which below 64 is its own signed LEB128."""
    assert 0 <= value < 64
    return b"\x41" + bytes([value])


def _number(value: int) -> bytes:
    """Unsigned LEB128."""
    digits = []
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


def _vector(items: list[bytes]) -> bytes:
    return _number(len(items)) + b"".join(items)


def _text(text: str) -> bytes:
    return _number(len(text)) + text.encode()


def _part(kind: int, contents: list[bytes]) -> bytes:
    content = b"".join(contents)
    return bytes([kind]) + _number(len(content)) + content
