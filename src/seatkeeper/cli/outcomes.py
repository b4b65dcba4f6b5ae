"""How a command ends: 0 done, 1 fault, 2 refused, 3 wrong usage, 4 not available."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import click


class Exit(IntEnum):
    """Exit codes; scripts may rely on them."""

    DONE = 0
    FAULT = 1
    REFUSED = 2
    USAGE = 3
    UNAVAILABLE = 4


class Failed(Exception):
    """A command cannot go on: one sentence, what to do about it, and the exit code."""

    def __init__(self, code: Exit, sentence: str, *advice: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.advice = advice
        # What the service answered, where it was the service that said no.
        self.problem: dict[str, Any] = {}


def fault(sentence: str, *advice: str) -> Failed:
    """Something is wrong with what the command was given to work on."""
    return Failed(Exit.FAULT, sentence, *advice)


def unavailable(sentence: str, *advice: str) -> Failed:
    """The service or its database does not answer."""
    return Failed(Exit.UNAVAILABLE, sentence, *advice)


def refused(problem: dict[str, Any]) -> Failed:
    """The service said no; its ways out become advice."""
    advice = [_errors(error) for error in problem.get("errors", ())[1:]]
    advice += [_way(remedy) for remedy in problem.get("remedies", ())]
    failed = Failed(Exit.REFUSED, f"{problem['detail']} ({problem['code']})", *advice)
    failed.problem = problem
    return failed


def run(group: click.Command, arguments: Sequence[str]) -> int:
    """Runs a command line; says on stderr in a sentence what went wrong."""
    try:
        result = group.main(list(arguments), prog_name="seatkeeper", standalone_mode=False)
    except Failed as failed:
        _say(failed.sentence, *failed.advice)
        return failed.code
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "seatkeeper"
        _say(error.format_message(), f"see: {path} --help")
        return Exit.USAGE
    except click.ClickException as error:
        _say(error.format_message())
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt):
        _say("Stopped; nothing more was done.")
        return Exit.FAULT
    except SystemExit:
        # Click's word for a reader that has enough, such as head: nothing went wrong.
        return Exit.DONE
    return result if isinstance(result, int) else Exit.DONE


def _errors(error: dict[str, str]) -> str:
    return f"{error['pointer']}: {error['detail']}"


def _way(remedy: dict[str, Any]) -> str:
    words = str(remedy["way"]).replace("_", " ")
    hidden = ("way", "method", "path")
    facts = ", ".join(f"{name} {value}" for name, value in remedy.items() if name not in hidden)
    return f"way out: {words} ({facts})" if facts else f"way out: {words}"


def _say(sentence: str, *more: str) -> None:
    click.echo(f"seatkeeper: {sentence}", err=True)
    for line in more:
        click.echo(f"  {line}", err=True)
