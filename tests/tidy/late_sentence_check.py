"""What a failed wait says is asked when it has failed: a sentence that asks a daemon is a function. Asked before the
wait it tells of the beginning, and of a daemon that hangs or is gone by then it says that it answers."""

import ast

from checks import run


def check(name, text):
    for call in ast.walk(ast.parse(text)):
        if not isinstance(call, ast.Call) or getattr(call.func, "id", getattr(call.func, "attr", "")) != "wait_until":
            continue
        for sentence in call.args[2:] + [k.value for k in call.keywords]:
            if not isinstance(sentence, ast.Lambda) and any(isinstance(part, ast.Call) for part in ast.walk(sentence)):
                yield f"{sentence.lineno}: it is asked before the wait, make it a lambda: {ast.unparse(sentence)}"


run(check,
    planted=[("a.py", 'wait_until(lambda: done(a), 9, f"not done: {queue(a)}")'),
             ("a.py", 'node.wait_until(done, 9,\n    "not done: " + queue(a))'),
             ("a.py", 'wait_until(done, seconds=9, what=f"{queue(a)}")')],
    clean=[("a.py", 'wait_until(lambda: done(a), 9, lambda: f"not done: {queue(a)}")'),
           ("a.py", 'wait_until(lambda: done(a), len(b), f"not done: {a}")'),
           ("a.py", 'raise AssertionError(f"not done: {queue(a)}")')],
    suffixes=(".py",))
