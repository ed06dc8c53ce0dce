"""g++ 12 destroys an aggregate or a capturing lambda twice that is built inside an expression with co_await
(tests/edge/gcc12_coroutine_test.cpp): the argument is a name, std::move(name), a plain value or a function call.

It also misplaces the promise of a coroutine that takes an empty class by value and has a co_await in the condition of
an if (STARTTLS ended the daemon so). The handlers of the servers take such events:
there each result gets a name first."""

import re

from checks import run

AWAIT = re.compile(r"\bco_await\b([^;]*);")
LAMBDA = re.compile(r"\[[&=\w\s,.*]*\]\s*(\([^()]*\)\s*)?(mutable\s*)?(->\s*[\w:<>]+\s*)?\{")
AGGREGATE = re.compile(r"(?:[\w:>]|[(,=])\s*\{\s*[^\s}]")
HANDLERS = re.compile(r"daemon/net/serve_\w+\.[ch]pp$")
CONDITION = re.compile(r"\b(?:if|while|switch)\s*\((?:[^(){};]|\([^(){}]*\))*\bco_await\b")
# A literal's three numbers: trivially destructible, which the fault of the compiler does not touch.
HARMLESS = re.compile(r"discard\(\{\w+->size_bytes, \w+->synchronising, \w+->binary\}\)")
COMMENTS = re.compile(r"//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)+'")


def blank(match):
    return '""' if match.group(0).startswith('"') else ""


def check(name, text):
    if name.endswith("gcc12_coroutine_test.cpp"):
        return   # shows the trap
    code = COMMENTS.sub(blank, text)
    if HANDLERS.search(name):
        for match in CONDITION.finditer(code):
            yield f"{code[:match.start()].count(chr(10)) + 1}: name the result first: no co_await in a condition here"
    for match in AWAIT.finditer(code):
        # Up to the end of the co_await expression: a ")" too many ends it, as in "if (co_await f()) {".
        depth = 0
        end = len(match.group(1))
        for at, c in enumerate(match.group(1)):
            depth += (c in "({[") - (c in ")}]")
            if depth < 0:
                end = at
                break
        expression = HARMLESS.sub("", match.group(1)[:end])
        if LAMBDA.search(expression) or AGGREGATE.search(expression):
            line = code[:match.start()].count("\n") + 1
            yield f"{line}: name the argument first: co_await{' '.join(expression.split())}"


run(check,
    planted=[("a.cpp", "co_await ask(question{a, b});"), ("a.cpp", "co_await f([x] { return x; });"),
             ("a.cpp", "auto a = co_await f([&](int n) mutable { return n; });"), ("a.cpp", "co_await g(1, {a, b});"),
             ("a.cpp", "if (co_await ask(login{user})) {\n  return;\n}"),
             ("daemon/net/serve_x.cpp", "if (fit(a) && !co_await pump_.flush()) co_return;"),
             ("daemon/net/serve_x.cpp", "if (const auto r = co_await std::move(w)) co_return;")],
    clean=[("a.cpp", "co_await ask(std::move(question));"), ("a.cpp", "if (co_await more()) { x = {1}; }"),
           ("daemon/net/serve_x.cpp", "const bool ok = co_await f();\n  if (ok) co_await g();"),
           ("a.cpp", "co_await f(a[1], text{});"), ("a.cpp", "while (co_await next(i)) {\n  a(b{1});\n}")],
    folders=("proto", "storage", "daemon"))
