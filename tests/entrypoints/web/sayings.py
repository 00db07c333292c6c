"""Every sentence that the API can say to a person, read from the code that says it.

A call that takes a sentence is known by its name (TAKERS). What stands there is followed through
names, constants, branches and functions of ours to its literals; an f-string's values are {}. What
cannot be followed is told as `unread`, so that nothing is overlooked silently.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
PLACES = ("domain", "application", "adapters", "entrypoints/http")

TAKERS: Mapping[str, tuple[int, str]] = {
    # application/refusals.py, entrypoints/http/problems.py
    "Conflict": (0, ""),
    "FieldError": (1, "message"),
    "Forbidden": (0, ""),
    "HTTPException": (99, "detail"),
    "Malformed": (0, "sentence"),
    "NotFound": (0, "what"),
    "TooMany": (0, "sentence"),
    "Unauthenticated": (0, ""),
    "UpstreamFailed": (0, ""),
    "problem": (1, "detail"),
    "refuse": (2, "detail"),
    # domain/failures.py and what a turn or a bot keeps of them
    "Ambiguous": (0, "reason"),
    "BotFailed": (0, "reason"),
    "ContextTooLong": (0, "reason"),
    "EntitiesRefused": (0, "reason"),
    "Fatal": (0, "reason"),
    "Retryable": (0, "reason"),
    "RunLost": (0, "reason"),
    "Terminal": (0, "reason"),
    "ThreadLost": (0, "reason"),
    "TurnBroke": (1, "error"),
    "Unreadable": (1, "reason"),
    "failing": (0, "reason"),
    "replace": (99, "verdict"),
    # what is shown of a bot, and of the alerts' bot
    "Verdict": (2, "reason"),
    "TelegramView": (3, "error"),
    "LinkView": (4, "problem"),
    "SecretUnreadable": (0, ""),
}
"""The calls, and where a sentence stands in each: its place and its name."""

ONLY_IN = {
    "_refusal": {"application/alert_setup.py"},
    "ValueError": {"application/bot_forms.py", "application/settings.py"},  # FieldErrors of them
    "__init__": {"application/refusals.py"},  # refusals that always say the same
}
"""Calls that take a sentence in these files alone, and as their first argument."""

FIRST_WORDS = {"NotFound": "There is no such {}."}
"""What a refusal makes of what it is given."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Room:
    """A file: its constants, its functions, and where its other names come from."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.tree = ast.parse(text)
        self.functions: dict[str, Function] = {}
        self.constants: dict[str, ast.expr] = {}
        self.imported: dict[str, tuple[str, str]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                self.functions[node.name] = node
            if isinstance(node, ast.ImportFrom) and node.module:
                source = node.module.replace(".", "/") + ".py"
                if (ROOT / source).exists():
                    for each in node.names:
                        self.imported[each.asname or each.name] = (source, each.name)
        for statement in self.tree.body:
            if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
                targets = (
                    statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                )
                for target in targets:
                    if isinstance(target, ast.Name):
                        self.constants[target.id] = statement.value


@cache
def room(path: str) -> Room:
    return Room(path, (ROOT / path).read_text())


class Said:
    """`sentences`: each with a place that says it. `unread`: "path: expression"."""

    def __init__(self) -> None:
        self.sentences: dict[str, str] = {}
        self.unread: set[str] = set()
        self._open: set[int] = set()

    def look(self, here: Room) -> None:
        path = here.path
        for function, call in _calls(here.tree, None):
            name = _name(call.func)
            place, keyword = TAKERS.get(name, (-1, ""))
            if path in ONLY_IN.get(name, ()):
                place = 0
            if place < 0:
                continue
            given = [each.value for each in call.keywords if each.arg == keyword and keyword]
            if len(call.args) > place:
                given.append(call.args[place])
            for expression in given:
                for sentence in self._read(expression, here, function):
                    whole = FIRST_WORDS.get(name, "{}").replace("{}", sentence, 1)
                    self.sentences.setdefault(whole, f"{path}:{call.lineno}")

    def _read(self, given: ast.expr | None, here: Room, function: Function | None) -> list[str]:
        """The sentences that an expression can be."""

        def read(*parts: ast.expr | None) -> list[str]:
            return [text for part in parts for text in self._read(part, here, function)]

        match given:
            case None | ast.Constant(value=None | ""):
                return []
            case ast.Constant(value=str() as text):
                return [text]
            case ast.JoinedStr():
                return [self._template(given, here, function)]
            case ast.IfExp():
                return read(given.body, given.orelse)
            case ast.BoolOp():
                return read(*given.values)
            case ast.NamedExpr():
                return read(given.value)
            case ast.Tuple():
                return read(given.elts[-1])
            case ast.Dict():
                return read(*given.values)
            case ast.Name():
                return self._named(given, here, function)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get")) if (
                name in here.constants
            ):
                return read(here.constants[name], *given.args[1:])
            case ast.Call(func=ast.Attribute(attr="sub")):
                return read(given.args[1])
            case ast.Subscript(value=ast.Name(id=name)) if name in here.constants:
                return read(here.constants[name])
            case ast.Call(func=ast.Name(id="cut")):
                return read(given.args[0])
            case ast.Await():
                return read(given.value)
            case ast.Call():
                return self._returned(given, here)
            case _:
                return self._unread(given, here)

    def _template(self, text: ast.JoinedStr, here: Room, function: Function | None) -> str:
        """The sentence with {} for what varies; parts of a few known words are sentences too."""
        whole = ""
        for part in text.values:
            value = part.value if isinstance(part, ast.FormattedValue) else part
            constant = here.constants.get(value.id) if isinstance(value, ast.Name) else None
            if isinstance(value, ast.Constant):
                whole += str(value.value)
            elif isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                whole += constant.value
            else:
                whole += "{}"
                few = Said()
                for words in few._read(value, here, function):
                    self.sentences.setdefault(words, f"{here.path}:{text.lineno}")
        return whole

    def _named(self, name: ast.Name, here: Room, function: Function | None) -> list[str]:
        values = list(_assigned(name.id, function)) if function is not None else []
        if values:
            return [text for value in values for text in self._read(value, here, function)]
        if name.id in here.constants:
            return self._read(here.constants[name.id], here, None)
        if name.id in here.imported:
            source, there = here.imported[name.id]
            if there in room(source).constants:
                return self._read(room(source).constants[there], room(source), None)
        return self._unread(name, here)

    def _returned(self, call: ast.Call, here: Room) -> list[str]:
        """What a function of ours answers."""
        name = _name(call.func)
        if name not in here.functions and name in here.imported:
            source, name = here.imported[name]
            here = room(source)
        function = here.functions.get(name)
        if function is None:
            return self._unread(call, here)
        if id(function) in self._open:
            return []
        self._open.add(id(function))
        texts = [
            text
            for node in ast.walk(function)
            if isinstance(node, ast.Return)
            for text in self._read(node.value, here, function)
        ]
        self._open.discard(id(function))
        return texts

    def _unread(self, given: ast.expr, here: Room) -> list[str]:
        self.unread.add(f"{here.path}: {ast.unparse(given)}")
        return []


def _calls(node: ast.AST, function: Function | None) -> Iterator[tuple[Function | None, ast.Call]]:
    """Every call, with the function that it stands in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield function, child
        yield from _calls(child, child if isinstance(child, Function) else function)


def _assigned(name: str, function: Function) -> Iterator[ast.expr]:
    """All that a local name is set to."""
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                yield value
            case ast.NamedExpr(target=ast.Name(id=target), value=value) if target == name:
                yield value
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                yield from (
                    value
                    for target, value in zip(targets, values, strict=False)
                    if isinstance(target, ast.Name) and target.id == name
                )
            case ast.For(
                target=ast.Tuple(elts=[_, ast.Name(id=target)]),
                iter=ast.Call(func=ast.Attribute(value=value, attr="items")),
            ) if target == name:
                yield value
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value):
                if isinstance(targets[-1], ast.Name) and targets[-1].id == name:
                    yield value


def _name(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def said_by_the_api(but: Sequence[str] = ()) -> Said:
    """All of it, without the files `but`."""
    said = Said()
    for place in PLACES:
        for file in sorted((ROOT / place).rglob("*.py")):
            path = file.relative_to(ROOT).as_posix()
            if path not in but:
                said.look(room(path))
    return said


def read_text(text: str) -> Said:
    """What a file of that text would say."""
    said = Said()
    said.look(Room("-", text))
    return said
