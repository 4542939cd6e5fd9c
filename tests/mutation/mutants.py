"""Mutants: the code of a module with one small fault in it, of the kinds that people make."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SWAPPED: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.FloorDiv,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.LShift: (ast.RShift,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitAnd: (ast.BitOr,),
}
_SWAPPED_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_DELETED = (ast.AugAssign, ast.Raise, ast.Delete, ast.Continue, ast.Break)
_LONGEST = 90
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault. `key` names it by what it changes, so that it survives the moving of lines."""

    key: str
    function: str  # the outermost function that it is in, by its qualified name
    lines: range  # of the statement up to the fault: a test that runs none of them can't see it
    parent: ast.AST
    field: str
    index: int | None
    new: ast.AST

    def compile_into(self, tree: ast.Module, path: Path) -> tuple[object, str]:
        """Return the code of the whole module with the fault in it, compiled and as text."""
        values = getattr(self.parent, self.field)
        if self.index is None:
            setattr(self.parent, self.field, self.new)
        else:
            old, values[self.index] = values[self.index], self.new
        try:
            ast.fix_missing_locations(tree)
            return compile(tree, str(path), "exec"), ast.unparse(tree)
        finally:
            if self.index is None:
                setattr(self.parent, self.field, values)
            else:
                values[self.index] = old


def find_mutants(tree: ast.Module, name: str) -> list[Mutant]:
    """Return all mutants of a module that is called `name` in their keys, in the order of lines."""
    seen = Counter[str]()
    found = []
    for qualified, function in _functions(tree.body, ""):
        for statement in ast.walk(function):
            if not isinstance(statement, ast.stmt):
                continue
            for parent, field, index, node in _places(statement):
                for new in _variants(node, field):
                    key = f"{name}::{qualified}::{_show(statement, node)} -> {_show_new(new)}"
                    seen[key] += 1
                    key += f" #{seen[key]}" if seen[key] > 1 else ""
                    last = getattr(node, "end_lineno", None) or statement.lineno
                    lines = range(statement.lineno, last + 1)
                    found.append(Mutant(key, qualified, lines, parent, field, index, new))
    return found


def _functions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, _Function]]:
    for statement in body:
        if isinstance(statement, _Function):
            yield prefix + statement.name, statement
        elif isinstance(statement, ast.ClassDef):
            yield from _functions(statement.body, f"{prefix}{statement.name}.")


def _places(statement: ast.stmt) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """The statement's own place is found by whoever holds it; then its expressions, in depth."""
    todo: list[ast.AST] = [statement]
    while todo:
        parent = todo.pop(0)
        for field, value in ast.iter_fields(parent):
            # Defaults and decorators are no code of the function's own.
            if isinstance(parent, (_Function, ast.ClassDef)) and field != "body":
                continue
            if isinstance(parent, ast.AnnAssign) and field == "annotation":
                continue
            # How much of a text a message quotes is its wording, as its letters are.
            if isinstance(parent, ast.FormattedValue) and _is_cut(parent.value):
                continue
            for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(node, ast.stmt):
                    if parent is statement:
                        yield parent, field, index, node
                elif isinstance(node, ast.AST):
                    yield parent, field, index, node
                    todo.append(node)


def _variants(node: ast.AST, field: str) -> Iterator[ast.AST]:
    """What may stand there instead."""
    for swapped in _SWAPPED.get(type(node), ()):
        yield swapped()
    match node:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield ast.Constant(value + 1)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Name(id=name, ctx=ast.Load()) if name in _SWAPPED_NAMES:
            yield ast.Name(_SWAPPED_NAMES[name], ast.Load())
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield ast.Return(ast.Constant(None))
        case ast.Return(value=None) | ast.Expr(value=ast.Call() | ast.Await()):
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
        case ast.Call(func=func, args=args, keywords=[_, *_] as keywords) if _is_replace(func):
            for keyword in keywords:
                kept = [each for each in keywords if each is not keyword]
                yield ast.Call(func, args, kept)
    if isinstance(node, _DELETED):
        yield ast.Pass()
    is_plain = isinstance(node, (ast.Name, ast.Attribute, ast.Call, ast.NamedExpr))
    if field == "test" and is_plain:
        yield ast.UnaryOp(ast.Not(), node)  # type: ignore[arg-type]  # all four are expressions


def _is_cut(value: ast.expr) -> bool:
    return isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Slice)


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _is_replace(function: ast.expr) -> bool:
    return isinstance(function, ast.Name) and function.id == "replace"


def _show(statement: ast.stmt, node: ast.AST) -> str:
    """The line that the fault is in, and where in it if it is not the whole of it."""
    head = ast.unparse(node if isinstance(node, ast.stmt) else statement).partition("\n")[0]
    head = head if len(head) <= _LONGEST else head[:_LONGEST] + "..."
    if isinstance(node, ast.stmt):
        return head
    what = type(node).__name__ if not isinstance(node, ast.expr) else ast.unparse(node)
    return f"{head} [{what}]"


def _show_new(new: ast.AST) -> str:
    shown = ast.unparse(new).partition("\n")[0] if isinstance(new, (ast.expr, ast.stmt)) else ""
    return shown or type(new).__name__
