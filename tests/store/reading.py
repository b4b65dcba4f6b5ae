"""Which columns of which statement the code reads, followed through names, loops and calls."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "seatkeeper"
COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
HANDED_ON_MAX = 4  # A row goes through no more calls than that.

Function = ast.FunctionDef | ast.AsyncFunctionDef
Sources = frozenset[str]  # Names of the statements of which a row may be.
NOTHING: Sources = frozenset()


@dataclass(frozen=True)
class Reading:
    """One column that is read of a statement's row."""

    statement: str
    column: str
    place: str


@dataclass
class Reader:
    """One function: where its names are bound, what it reads, whom it calls with what."""

    module: str
    tree: Function
    nouns: Mapping[str, str]
    given: dict[str, Sources] = field(default_factory=dict)  # By parameter, from its callers.
    bound: dict[str, list[tuple[int, ast.AST]]] = field(default_factory=dict)
    outer: dict[ast.AST, ast.AST] = field(default_factory=dict)
    uses: list[tuple[ast.expr, str]] = field(default_factory=list)
    calls: list[tuple[str, list[ast.expr]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                self.outer[child] = node
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._bind(name, node.lineno, value)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    self._bind(name, node.lineno, value)
                case ast.NamedExpr(target=ast.Name(id=name), value=value):
                    self._bind(name, node.lineno, value)
                case ast.For(target=target, iter=value):
                    for each in ast.walk(target):
                        if isinstance(each, ast.Name):
                            told = value if each is target else ast.Constant(None)
                            self._bind(each.id, node.lineno, told)
                case ast.Subscript(value=value, slice=ast.Constant(value=str(column))):
                    self.uses.append((value, column))
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments):
                    self.calls.append((name, arguments))
                case _:
                    pass

    def _bind(self, name: str, line: int, value: ast.AST) -> None:
        self.bound.setdefault(name, []).append((line, value))

    def sources(self, value: ast.AST) -> Sources:
        """The statements of which a value is a row or a list of rows."""
        match value:
            case ast.Await(value=inner) | ast.Subscript(value=inner, slice=ast.Slice()):
                return self.sources(inner)
            case ast.Subscript(value=inner, slice=ast.Constant(value=int()) | ast.UnaryOp()):
                return self.sources(inner)
            case ast.Name():
                return self._sources_of_name(value)
            case ast.Call(
                func=ast.Attribute(attr="row" | "one" | "rows"),
                args=[ast.Attribute(value=ast.Name(id=noun), attr=statement), *_],
            ) if noun in self.nouns:
                return frozenset({f"{self.nouns[noun]}.{statement}"})
            case _:
                return NOTHING

    def _sources_of_name(self, name: ast.Name) -> Sources:
        inner: ast.AST = name
        while (outer := self.outer.get(inner)) is not None:
            if isinstance(outer, COMPREHENSIONS):
                for generator in outer.generators:
                    named = {n.id for n in ast.walk(generator.target) if isinstance(n, ast.Name)}
                    if name.id in named and inner is not generator:
                        plain = isinstance(generator.target, ast.Name)
                        return self.sources(generator.iter) if plain else NOTHING
            inner = outer
        before = [value for line, value in self.bound.get(name.id, []) if line < name.lineno]
        before += [
            v for line, v in self.bound.get(name.id, []) if line == name.lineno and not before
        ]
        if before:
            return NOTHING if name in ast.walk(before[-1]) else self.sources(before[-1])
        return self.given.get(name.id, NOTHING)


def readings(modules: Mapping[str, ast.Module] | None = None) -> set[Reading]:
    """All that can be followed; a row that goes through a list of values is lost sight of."""
    trees = _modules() if modules is None else modules
    readers = [
        Reader(name, node, _nouns(tree, trees))
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, Function)
    ]
    by_name: dict[str, list[Reader]] = {}
    for reader in readers:
        by_name.setdefault(reader.tree.name, []).append(reader)
    for _ in range(HANDED_ON_MAX):
        for reader in readers:
            _hand_on(reader, by_name)
    return {
        Reading(statement, column, f"{reader.module}:{value.lineno}")
        for reader in readers
        for value, column in reader.uses
        for statement in reader.sources(value)
    }


def _modules() -> Mapping[str, ast.Module]:
    return {
        ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts): ast.parse(
            path.read_text("utf-8")
        )
        for path in SOURCE.rglob("*.py")
    }


def _nouns(tree: ast.Module, trees: Mapping[str, ast.Module]) -> dict[str, str]:
    """The names under which a module knows `Statements`, with their nouns."""
    found: dict[str, str] = {}
    for node in tree.body:
        match node:
            case (
                ast.AnnAssign(
                    target=ast.Name(id=name),
                    value=ast.Call(func=ast.Name(id="Statements"), args=[ast.Constant(str(noun))]),
                )
                | ast.Assign(
                    targets=[ast.Name(id=name)],
                    value=ast.Call(func=ast.Name(id="Statements"), args=[ast.Constant(str(noun))]),
                )
            ):
                found[name] = noun
            case ast.ImportFrom(module=str(module), names=aliases) if module in trees:
                there = _known(module, trees)
                found |= {a.asname or a.name: there[a.name] for a in aliases if a.name in there}
            case _:
                pass
    return found


_KNOWN: dict[tuple[int, str], dict[str, str]] = {}


def _known(module: str, trees: Mapping[str, ast.Module]) -> dict[str, str]:
    key = (id(trees), module)
    if key not in _KNOWN:
        _KNOWN[key] = {}  # Modules that import each other find an end here.
        _KNOWN[key] = _nouns(trees[module], trees)
    return _KNOWN[key]


def _hand_on(reader: Reader, by_name: Mapping[str, list[Reader]]) -> None:
    for name, arguments in reader.calls:
        called = by_name.get(name, [])
        # One name for several functions does not say which is called.
        if len(called) == 1:
            _give(called[0], [reader.sources(argument) for argument in arguments])


def _give(called: Reader, given: list[Sources]) -> None:
    parameters = [a.arg for a in called.tree.args.posonlyargs + called.tree.args.args]
    own = parameters[1:] if parameters[:1] == ["self"] else parameters
    for name, sources in zip(own, given, strict=False):
        if sources:
            called.given[name] = called.given.get(name, NOTHING) | sources
