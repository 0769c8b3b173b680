"""Runs beside a test, as text, where the program is not: stands in for it and keeps the list of calls.

A test is run several times. What the program gave for the first calls is known from the last round; from
the first unknown call on, a stand-in answers: every comparison with it holds and every attribute is
another stand-in, so that the test goes on and shows its later calls too. Those are guesses: a call whose
text turns out otherwise is asked for again. Only a run in which every answer was known decides.

An object of the program that is not data can be called, and its attributes and items asked for; it equals
nothing but another such object, and only if the program says so.
"""

# mypy: ignore-errors
import ast as _ast
import builtins as _builtins
import collections as _collections
import decimal as _decimal
import fractions as _fractions
import importlib as _importlib
import operator as _operator
import pickle as _pickle
import re as _re
import sys as _sys
import types as _types

MARK = "\0gradus"
MAX_CALLS = 10_000
MAX_GUESSES = 100_000


class Need(BaseException):
    """The test cannot go on without an answer."""


class CannotAskError(BaseException):
    """The test hands the program something that cannot leave the test's own process."""


class ProgramError(Exception):
    """An exception that Python does not have."""


class Talk:
    """The calls so far, and what is known of them."""

    def __init__(self, log, answers, kinds):
        self.log, self.answers, self.kinds = list(log), answers, kinds
        self.settled = [settled(text, answers) for text in log]
        self.count = 0
        self.ahead = False
        self.guessing = False
        self.guesses = 0
        self.sure = None

    def ask(self, text, given=()):
        number = self.count
        self.count += 1
        if not self.ahead and number < len(self.answers) and text in (self.log[number], self.settled[number]):
            return self.use(number, given)
        if not self.ahead:
            del self.log[number:]
            self.ahead = True
        if number >= MAX_CALLS:
            raise Need
        if self.guessing and self.sure is None:
            self.sure = number
        self.log.append(text)
        return Unknown(f"_gradus_results[{number}]")

    def use(self, number, given):
        kind, data, after = self.answers[number]
        for old, (changed, new) in zip(given, after, strict=True):
            if changed == "plain":
                refill(old, restore(new))
        if kind == "raised":
            raise self.error(*data)
        if kind == "items":
            return Items(*data)
        return restore(data) if kind == "plain" else Program(f"_gradus_results[{number}]", made=True)

    def error(self, names, text):
        for name in names:
            if name in self.kinds:
                return self.kinds[name](text)
            found = getattr(_builtins, name, None)
            if isinstance(found, type) and issubclass(found, Exception):
                try:
                    return found(text)
                except TypeError:
                    break
        return ProgramError(f"{names[0]}: {text}")

    def guess(self, value):
        self.guesses += 1
        if self.guesses > MAX_GUESSES:
            raise Need
        self.guessing = True
        return value


def settled(text, answers):
    """Return a call as the test makes it now that earlier results are known to be data that cannot change."""

    def known(match):
        kind, data, _ = answers[int(match[1])] if int(match[1]) < len(answers) else ("", None, None)
        fixed = kind == "plain" and type(data) not in (list, dict, set)
        return written(restore(data)) if fixed else match[0]

    return _re.sub(r"_gradus_results\[(\d+)\](?![.\[(])", known, text)


class Program:
    """A name of the program, or (made) an object that it gave, which is not data."""

    def __init__(self, ref, made=False):
        self.__dict__.update(_ref=ref, _made=made)

    def __call__(self, *args, **kwargs):
        given = [item for item in (*args, *kwargs.values()) if type(item) in (list, dict, set, bytearray)]
        parts = [written(item) for item in args] + [f"{name}={written(item)}" for name, item in kwargs.items()]
        return talk.ask(f"{self._ref}({', '.join(parts)})", given)

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return talk.ask(f"{written(self)}.{name}")

    def __setattr__(self, name, value):
        talk.ask(f"setattr({self._ref}, {name!r}, {written(value)})")

    def __getitem__(self, key):
        found = data_of(self)
        return talk.ask(f"{found._ref}[{written(key)}]") if isinstance(found, Program) else found[key]

    def __setitem__(self, key, value):
        talk.ask(f"{self._ref}.__setitem__({written(key)}, {written(value)})")

    def __iter__(self):
        found = data_of(self)
        if not isinstance(found, Program):
            return iter(found)
        items = talk.ask(f"list(__import__('itertools').islice({self._ref}, {MAX_CALLS}))")
        if isinstance(items, Unknown) or not isinstance(items, Program):
            return iter(items)
        return (talk.ask(f"{items._ref}[{index}]") for index in range(talk.ask(f"len({items._ref})")))

    def __len__(self):
        return talk.ask(f"len({self._ref})")

    def __bool__(self):
        found = data_of(self)
        return bool(talk.ask(f"bool({self._ref})") if isinstance(found, Program) else found)

    def __contains__(self, item):
        return any(item == each for each in self)

    def __instancecheck__(self, item):
        return bool(talk.ask(f"isinstance({item._ref}, {self._ref})")) if isinstance(item, Program) else False

    def __hash__(self):
        return hash(self._ref)

    def __str__(self):
        found = data_of(self)
        return str(talk.ask(f"str({self._ref})") if isinstance(found, Program) else found)

    def __repr__(self):
        found = data_of(self)
        return str(talk.ask(f"repr({self._ref})") if isinstance(found, Program) else repr(found))

    def __format__(self, spec):
        found = data_of(self)
        return object.__format__(self, spec) if isinstance(found, Program) else format(found, spec)


class Unknown(Program):
    """What a call will give: nobody knows yet."""

    def __getitem__(self, key):
        return Unknown(f"{self._ref}[{written(key)}]")

    def __iter__(self):
        return talk.guess(iter(()))

    def __len__(self):
        return talk.guess(0)

    def __bool__(self):
        return talk.guess(True)

    def __contains__(self, item):
        return talk.guess(True)

    __instancecheck__ = __contains__

    def __str__(self, *spec):
        return talk.guess("")

    __repr__ = __format__ = __str__

    def __int__(self):
        return talk.guess(0)

    __index__ = __int__

    def __float__(self):
        return talk.guess(0.0)


def data_of(item):
    """Return the data behind a name of the program; an object of the program as it is."""
    if isinstance(item, Program) and not item._made and not isinstance(item, Unknown):
        return talk.ask(item._ref)
    return item


def _binary(name):
    operate = getattr(_operator, name)

    def apply(self, other):
        left, right = data_of(self), data_of(other)
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return talk.guess(True if name in COMPARISONS else Unknown(""))
        if isinstance(left, Program) and isinstance(right, Program):
            return talk.ask(f"__import__('operator').{name}({left._ref}, {right._ref})")
        if isinstance(left, Program) or isinstance(right, Program):
            if name in ("eq", "ne"):
                return name == "ne"
            raise TypeError(f"{name} of an object of the program and plain data: the program would decide")
        return operate(left, right)

    return apply


def _reflected(name):
    forward = _binary(name)
    return lambda self, other: forward(other, self)


def _unary(name):
    operate = getattr(_builtins, name, None) or getattr(_operator, name)

    def apply(self, *more):
        found = data_of(self)
        if isinstance(found, Unknown):
            return talk.guess(Unknown(""))
        if isinstance(found, Program):
            raise TypeError(f"{name} of an object of the program")
        return operate(found, *more)

    return apply


COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
for _name in COMPARISONS:
    setattr(Program, f"__{_name}__", _binary(_name))
for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and_", "or_", "xor"):
    setattr(Program, f"__{_name.strip('_')}__", _binary(_name))
    setattr(Program, f"__r{_name.strip('_')}__", _reflected(_name))
for _name in ("neg", "pos", "invert", "abs", "round"):
    setattr(Program, f"__{_name}__", _unary(_name))


class Items:
    """The beginning of what an iterator of the program gave."""

    def __init__(self, items, complete):
        self.items, self.complete = iter([restore(item) for item in items]), complete

    def __iter__(self):
        return self

    def __next__(self):
        for item in self.items:
            return item
        if not self.complete:
            raise ProgramError("the program's iterator has more items than are kept")
        raise StopIteration


def written(item):
    """Return Python text that makes the item again beside the program."""
    if isinstance(item, Program):
        if not item._ref:
            raise Need
        return item._ref
    if type(item) in (list, dict, set, bytearray):
        return f"_gradus_m({deep(item)})"
    return deep(item)


def deep(item):
    """Return the text for an argument, or for a part of one."""
    kind = type(item)
    if isinstance(item, Program):
        return written(item)
    if item is None or kind in (bool, str, bytes, bytearray):
        return repr(item)
    if kind is int:
        return hex(item)
    if kind is float:
        return repr(item) if item - item == 0 else f"float('{item}')"
    if kind is complex:
        return f"complex({deep(item.real)}, {deep(item.imag)})"
    if kind in (list, tuple, set, frozenset):
        return f"{kind.__name__}([{', '.join(map(deep, item))}])"
    if kind is dict:
        return f"dict([{', '.join(f'({deep(k)}, {deep(v)})' for k, v in item.items())}])"
    if isinstance(item, type) and getattr(_builtins, item.__name__, None) is item:
        return item.__name__
    try:
        return f"__import__('pickle').loads({_pickle.dumps(item)!r})"
    except Exception as error:
        raise CannotAskError(f"the test gives the program a {kind.__name__}: {error}") from None


def refill(old, new):
    """Give an argument the content that it has after the call."""
    if isinstance(old, list | bytearray):
        old[:] = new
    else:
        old.clear()
        old.update(new)


def restore(data):
    """Return data with the marked tuples turned back."""
    if type(data) is tuple and data and data[0] == MARK:
        return MAKERS[data[1]](*map(restore, data[2:]))
    if type(data) in (list, tuple, set, frozenset):
        return type(data)(map(restore, data))
    return {restore(k): restore(v) for k, v in data.items()} if type(data) is dict else data


MAKERS = {
    "array": lambda items, kind, shape: _importlib.import_module("numpy").array(items, dtype=kind).reshape(shape),
    "scalar": lambda item, kind: _importlib.import_module("numpy").dtype(kind).type(item),
    "Fraction": _fractions.Fraction,
    "Decimal": _decimal.Decimal,
    "range": lambda bounds: range(*bounds),
    "deque": _collections.deque,
}


def hold(condition):
    """Return whether what a test asserts is so; while guessing, nothing stops the test."""
    before = talk.guessing
    try:
        held = condition()
        return held if not talk.ahead else True
    except Exception:
        if not talk.ahead:
            raise
        return True
    finally:
        talk.guessing = before


class _Asserts(_ast.NodeTransformer):
    """`assert a` becomes `assert _gradus_hold(lambda: a)`."""

    def visit_Assert(self, node):
        if not any(isinstance(part, _ast.NamedExpr | _ast.Await | _ast.Yield) for part in _ast.walk(node)):
            nothing = _ast.arguments([], [], None, [], [], None, [])
            node.test = _ast.Call(_ast.Name("_gradus_hold", _ast.Load()), [_ast.Lambda(nothing, node.test)], [])
        return node


def outcome(test, names, caught, modules, log, answers):
    """Run the test; return ("need", calls, how many are no guess), ("pass",), ("fail", why) or ("cannot", why)."""
    global talk
    kinds = {name: type(name, (Exception,), {}) for name in caught}
    talk = Talk(log, answers, kinds)
    module = _types.ModuleType("test")
    space = module.__dict__
    code = compile(_ast.fix_missing_locations(_Asserts().visit(_ast.parse(test))), "<test>", "exec")
    space.update({name: _importlib.import_module(name) for name in modules})
    space.update({name: Program(name) for name in names} | kinds | {"_gradus_hold": hold})
    _sys.modules["solution"] = Program("__import__('sys').modules['solution']")
    said = _run(code, space)
    if talk.ahead and said[0] != "cannot":
        return ("need", talk.log, len(talk.log) if talk.sure is None else talk.sure)
    return said


def _run(code, space):
    try:
        exec(code, space)
    except CannotAskError as error:
        return ("cannot", str(error))
    except BaseException as error:
        return ("fail", f"{type(error).__name__}: {_text(error)}"[:300])
    return ("pass",)


def _text(error):
    """Return what an error says; it may be about an object that cannot be written."""
    try:
        return str(error)
    except BaseException:
        return ""
