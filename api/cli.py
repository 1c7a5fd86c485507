"""`hotline ...`: every command, and what becomes of an error.

Exit codes: 0 done, 1 failed, 2 wrong use, 3 partly done (some rows could not be tagged).
"""

from __future__ import annotations

import sys

import typer

from classifier.errors import HotlineError

from .commands import (
    audit,
    batch,
    db,
    doctor,
    evaluate,
    keys,
    models,
    serve,
    settings,
    tag,
    train,
    users,
    volumes,
)
from .console import say, say_error
from .memory import collect_less

INTERRUPTED = 130  # typer's exit code for Ctrl+C, in place of a KeyboardInterrupt

app = typer.Typer(
    name="hotline",
    help="12345 热线工单分类：事项、公共或私人利益、诉求类型、紧急程度。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback with local values would show citizens' texts
    rich_markup_mode=None,
)
app.command("tag")(tag.tag)
app.command("batch")(batch.batch)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.add_typer(models.app, name="models")
app.command("volumes")(volumes.volumes)
app.add_typer(db.app, name="db")
app.add_typer(keys.app, name="keys")
app.add_typer(users.app, name="users")
app.command("audit")(audit.audit)
app.command("serve")(serve.serve)
app.command("settings")(settings.settings)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command line; an error of ours is a line on stderr and exit code 1."""
    collect_less()
    try:
        app()
    except HotlineError as error:
        say_error(str(error))
        sys.exit(1)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            say("已中断")
        raise
