"""The command line, ``stgbook``: thin commands over the library, imported only when they are used.

Exit codes: 0 done; 1 a mistake or a damaged input, told in one line; 2 wrong usage; 130 Ctrl-C.
"""

import os
import sys
import traceback
from collections.abc import Sequence

import click

from analysis_lib import __version__
from analysis_lib.cli.book import book, chapters, new_chapter, run
from analysis_lib.cli.cache import cache
from analysis_lib.cli.data import data
from analysis_lib.cli.model import model
from analysis_lib.cli.options import say
from analysis_lib.cli.train import train
from analysis_lib.errors import UserError, cut


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code; a user's mistake is one line on stderr."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # a model of the user's own: package.module:factory
    try:
        code = cli.main(args=arguments, prog_name="stgbook", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        code = say("interrupted; what was finished is kept", 130)
    except UserError as error:
        code = say(f"error: {error}", 1)
    except OSError as error:
        code = say(f"error: {error}", 1)
    except MemoryError:
        code = say("error: there is not enough memory for this; take fewer clips, or a smaller network", 1)
    except SystemExit as error:  # click raises none: a module of the user's own has ended the process
        code = say(f"error: a module has called sys.exit({cut(error.code)})", 1)
    except Exception as error:
        code = say(f"error: {type(error).__name__}: {cut(error)}; {_logged()}", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _logged() -> str:
    """Write the traceback of the exception that is handled to a file, and return where it is."""
    from analysis_lib.files import BUILD, write_text

    path = BUILD / "stgbook-error.log"
    try:
        write_text(path, _traceback())
    except UserError as error:
        return str(error)
    return f"this is a fault of ours, details are in {path}"


def _traceback() -> str:
    return traceback.format_exc().encode(errors="backslashreplace").decode()


class _Commands(click.Group):
    """Commands that show where an error comes from, if that is asked for."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except BrokenPipeError:  # the reader of our output has closed it, as `head` does; click would call sys.exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            context.exit(1)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception:
            if context.params["debug"]:
                click.echo(_traceback(), err=True)
            raise


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stgbook")
@click.option("--debug", is_flag=True, help="Show where in the code an error comes from.")
def cli(debug: bool) -> None:
    """Run the chapters of the book, build its site, train its networks, check its data.

    \b
    stgbook chapters                               what there is, with every parameter
    stgbook run smoothness -p n_neighbors 20       one chapter with another parameter
    stgbook book                                   the site, in _build/html
    stgbook book --edition nw-ucla                 the same book on other data
    """


for command in (chapters, new_chapter, run, book, train, data, model, cache):
    cli.add_command(command)
