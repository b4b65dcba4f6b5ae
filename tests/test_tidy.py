"""What the house style asks of shape and place, counted. Ratchets only tighten.

Every check is a function from a parsed file to complaints; the tests at the end feed each of them
one line that is wrong and one that is right, so that a blind check does not pass for a clean house.
"""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
SOURCE = HOUSE / "src" / "seatkeeper"
FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400
LINE_CHARACTERS_MAX = 100
PARAMETERS_MAX = 5
ENTRANCES = ("seatkeeper.main", "seatkeeper.cli")
ALONE = {"seatkeeper.embedded.watchdog"}  # A program of its own; the server starts it by path.

FORBIDDEN_WORDS = re.compile(
    r"(?<![a-z])(licen[cs]e|customer|tenant|cents|wallet|manager|helper|util)s?(?![a-z])"
)
ALLOWED_WORDS = re.compile(r"account_managers?|contextmanager|context_manager")
SERVICE_CLASS = re.compile(r"Services?$")
SQL_VERB = re.compile(
    r"\s*(/\*.*?\*/\s*)?("
    r"select\s+(?!a\b|an\b|the\b|one\b)\S|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s"
    r"|with\s+\w+\s+as\s*\(|create\s+(unique\s+)?(table|index|role|database)\s"
    r"|alter\s+\w+\s|drop\s+(table|database|index)\s|truncate\s+\w|lock\s+table\s|merge\s+into\s)",
    re.IGNORECASE | re.DOTALL,
)
SQL_ROOMS = (
    "src/seatkeeper/embedded/",
    "src/seatkeeper/store/migrate.py",  # Works before there is a table a statement could name.
    "src/seatkeeper/verify",
    "bench/",
    "tests/",
    "tools/",
)
TRANSACTION_ROOMS = (
    "src/seatkeeper/operations/",
    "src/seatkeeper/store/database.py",
    "src/seatkeeper/store/migrate.py",  # The same.
    "src/seatkeeper/verify/",  # One snapshot for all checks, in which nothing is changed.
    "bench/",
    "tests/",
)
STATUS_ROOMS = ("src/seatkeeper/api/", "src/seatkeeper/scim/")
STATUS_NAMES = re.compile(r"status|http|code", re.IGNORECASE)
HEADER = re.compile(r"-- [a-z][a-z0-9_]*: .+[.?]")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Complaints = Iterator[tuple[int, str]]
Check = Callable[[str, ast.Module], Complaints]


def python_files() -> list[str]:
    folders = (HOUSE / name for name in ("src", "tests", "tools", "bench", "clients/python"))
    found = [path for folder in folders for path in folder.rglob("*.py")]
    return sorted(str(path.relative_to(HOUSE)) for path in found)


def functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def methods(tree: ast.Module) -> set[Function]:
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return {inner for outer in classes for inner in outer.body if isinstance(inner, Function)}


def long_functions(_path: str, tree: ast.Module) -> Complaints:
    for function in functions(tree):
        lines = (function.end_lineno or 0) - function.lineno + 1
        if lines > FUNCTION_LINES_MAX:
            yield function.lineno, f"{function.name} has {lines} lines"


def many_parameters(path: str, tree: ast.Module) -> Complaints:
    if path.startswith("tests/"):
        return  # Fixtures and columns of tables are no parameters.
    bound = methods(tree)
    for function in functions(tree):
        given = function.args
        static = any(getattr(d, "id", "") == "staticmethod" for d in function.decorator_list)
        own = 1 if function in bound and not static else 0
        count = len(given.posonlyargs) + len(given.args) + len(given.kwonlyargs) - own
        if count > PARAMETERS_MAX:
            yield function.lineno, f"{function.name} takes {count} parameters: make it a command"


def positional_booleans(path: str, tree: ast.Module) -> Complaints:
    if path.startswith("tests/"):
        return
    for function in functions(tree):
        given = [*function.args.posonlyargs, *function.args.args]
        defaults = [None] * (len(given) - len(function.args.defaults)) + function.args.defaults
        for argument, default in zip(given, defaults, strict=True):
            typed = isinstance(argument.annotation, ast.Name) and argument.annotation.id == "bool"
            valued = isinstance(default, ast.Constant) and isinstance(default.value, bool)
            if typed or valued:
                yield function.lineno, f"{function.name}({argument.arg}) is a positional boolean"


def forbidden_words(_path: str, tree: ast.Module) -> Complaints:
    for line, name in _names(tree):
        if name.startswith("test_"):
            continue  # A sentence about the world, not a name in it.
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
        if found := FORBIDDEN_WORDS.search(ALLOWED_WORDS.sub("", words)):
            yield line, f"{name}: {found[0]} is not a word of ours"
        if SERVICE_CLASS.search(name) and name[:1].isupper() and not name.isupper():
            yield line, f"{name}: service is no suffix of ours"


def _names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    # Names that we give; those that libraries gave are only attributes and imports.
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name
            case _:
                pass


def sql_in_strings(path: str, tree: ast.Module) -> Complaints:
    if path.startswith(SQL_ROOMS):
        return
    prose = _docstrings(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in prose and SQL_VERB.match(text):
                yield node.lineno, f"a statement outside store/*.sql: {text[:40]!r}"
            case _:
                pass


def _docstrings(tree: ast.Module) -> set[int]:
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def transactions(path: str, tree: ast.Module) -> Complaints:
    if path.startswith(TRANSACTION_ROOMS):
        return
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="transaction")):
                yield node.lineno, "only operations open transactions"
            case _:
                pass


def status_numbers(path: str, tree: ast.Module) -> Complaints:
    if not path.startswith("src/") or path.startswith(STATUS_ROOMS):
        return
    for line, name, value in _named_numbers(tree):
        if STATUS_NAMES.search(name) and 400 <= value <= 599:
            yield line, f"{name} {value} looks like an HTTP status outside api/"


def _named_numbers(tree: ast.Module) -> Iterator[tuple[int, str, int]]:
    """Whole numbers together with the name that they are given to, compared with or passed as."""
    for node in ast.walk(tree):
        pairs: list[tuple[ast.AST, str]] = []
        match node:
            case ast.keyword(arg=str(name), value=value):
                pairs = [(value, name)]
            case ast.Assign(targets=[target, *_], value=value):
                pairs = [(value, ast.unparse(target))]
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                pairs = [(value, ast.unparse(target))]
            case ast.Compare(left=left, comparators=others):
                pairs = [(side, ast.unparse(node)) for side in (left, *others)]
            case ast.Call(func=function, args=arguments):
                pairs = [(argument, ast.unparse(function)) for argument in arguments]
            case ast.Dict(values=values):
                pairs = [(value, _owner(tree, node)) for value in values]
            case _:
                pass
        for given, name in pairs:
            for number in _whole_numbers(given):
                yield number.lineno, name, number.value  # type: ignore[misc]  # They are ints.


def _owner(tree: ast.Module, wanted: ast.Dict) -> str:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is wanted:
            return ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
    return ""


def _whole_numbers(value: ast.AST) -> list[ast.Constant]:
    items = value.elts if isinstance(value, ast.Tuple | ast.List | ast.Set) else [value]
    return [item for item in items if isinstance(item, ast.Constant) and type(item.value) is int]


CHECKS: list[Check] = [
    long_functions,
    many_parameters,
    positional_booleans,
    forbidden_words,
    sql_in_strings,
    transactions,
    status_numbers,
]


@cache
def parsed(path: str) -> ast.Module:
    return ast.parse((HOUSE / path).read_text("utf-8"), path)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_no_file_of_the_house_is_against_the_style(check: Check):
    complaints = [
        f"{path}:{line}: {words}"
        for path in python_files()
        for line, words in check(path, parsed(path))
    ]
    assert not complaints, "\n".join(complaints)


def test_files_and_lines_fit_in_the_head():
    complaints = []
    for path in python_files():
        lines = (HOUSE / path).read_text("utf-8").splitlines()
        if len(lines) > FILE_LINES_MAX:
            complaints.append(f"{path} has {len(lines)} lines")
        complaints += [
            f"{path}:{number} has {len(line)} characters"
            for number, line in enumerate(lines, 1)
            if len(line) > LINE_CHARACTERS_MAX
        ]
    assert not complaints, "\n".join(complaints)


def test_every_statement_has_a_name_and_a_sentence():
    complaints = []
    for path in sorted((SOURCE / "store").glob("*.sql")):
        if path.name != "schema.sql":
            complaints += [f"{path.name}: {words}" for words in unnamed(path.read_text("utf-8"))]
    assert not complaints, "\n".join(complaints)


def unnamed(text: str) -> list[str]:
    """The beginnings of statements (up to `;`) that no `-- name: sentence` stands before."""
    bodies = re.split(r";[ \t]*(?:\n|$)", text)
    stripped = (body.strip() for body in bodies)
    return [body.splitlines()[0] for body in stripped if body and not _is_named(body)]


def _is_named(body: str) -> bool:
    lines = body.splitlines()
    leading = [line for line in lines if line.startswith("--")]
    only_comments = all(not line.strip() or line.startswith("--") for line in lines)
    return only_comments or any(HEADER.match(line) for line in leading)


def test_no_module_is_unreachable():
    if not all((SOURCE / f"{name.rpartition('.')[2]}.py").exists() for name in ENTRANCES[:1]):
        pytest.skip("there is no main yet")
    modules = {_module(path): HOUSE / path for path in python_files() if path.startswith("src/")}
    reached: set[str] = set()
    waiting = [name for name in ENTRANCES if name in modules]
    while waiting:
        name = waiting.pop()
        if name in modules and name not in reached:
            reached.add(name)
            waiting += imported(parsed(str(modules[name].relative_to(HOUSE))))
    assert set(modules) - reached - ALONE == set()


def _module(path: str) -> str:
    dotted = path.removeprefix("src/").removesuffix(".py").replace("/", ".")
    return dotted.removesuffix(".__init__")


def imported(tree: ast.Module) -> set[str]:
    """Modules a file may load, wherever the import stands, with the packages around them."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                names |= {module} | {f"{module}.{alias.name}" for alias in aliases}
            case _:
                pass
    parts = [name.split(".") for name in names]
    return {".".join(part[:end]) for part in parts for end in range(1, len(part) + 1)}


@pytest.mark.parametrize(
    ("check", "wrong", "right"),
    [
        (long_functions, "def f():\n" + "    x\n" * 60, "def f():\n" + "    x\n" * 59),
        (many_parameters, "def f(a, b, c, d, e, *, g): x", "def f(a, b, *, c, d, e): x"),
        (many_parameters, "class C:\n def f(s, a, b, c, d, e, g): x", "f(1, 2, 3, 4, 5, 6)"),
        (positional_booleans, "def f(on: bool): x", "def f(*, on: bool): x"),
        (positional_booleans, "def f(on=True): x", "def f(*, on=True): x"),
        (forbidden_words, "class SeatManager: x", "class AccountManager: x"),
        (forbidden_words, "customer_id = 1", "a = parse_customer"),
        (forbidden_words, "def f(amount_cents): x", "def f(percent, recent, center): x"),
        (forbidden_words, "class SeatService: x", "service_url = 1"),
        (sql_in_strings, "f('select 1 from seat')", "f('Select a plan')"),
        (sql_in_strings, "x = ' insert into seat values'", '"""insert into is SQL."""'),
        (sql_in_strings, "x = 'update seat set a = 1'", "x = 'update the seat'"),
        (transactions, "async def f(): \n async with db.transaction(): x", "transaction()"),
        (status_numbers, "status = 404", "period_days = 404"),
        (status_numbers, "Response(status_code=500)", "limit(size=500)"),
        (status_numbers, "STATUS = {'a': 409}", "LIMITS = {'invitations': 500}"),
        (status_numbers, "if answer.status == 429: x", "if status == 300: x"),
    ],
)
def test_a_check_sees_what_is_wrong_and_only_that(check: Check, wrong: str, right: str):
    assert list(check("src/seatkeeper/domain/x.py", ast.parse(wrong)))
    assert not list(check("src/seatkeeper/domain/x.py", ast.parse(right)))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("-- take_seat: Take one.\nselect 1;\n", 0),
        ("-- About this file.\n\n-- take_seat: Take one.\nselect 1;\n-- The end.\n", 0),
        ("select 1;\n", 1),
        ("-- a: One.\nselect 1;\nselect ';';\n", 1),
        ("-- without a name\nselect 1;\n", 1),
    ],
)
def test_statements_without_a_header_are_seen(text: str, count: int):
    assert len(unnamed(text)) == count


def test_imports_are_followed_wherever_they_stand():
    tree = ast.parse("import a.b\ndef f():\n    from c import d")
    assert imported(tree) == {"a", "a.b", "c", "c.d"}
