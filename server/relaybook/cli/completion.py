"""completion: what makes a shell complete the names of commands and options."""

from typing import Annotated, Literal

import typer

group = typer.Typer()


@group.command()
def completion(
    shell: Annotated[
        Literal["bash", "zsh", "fish"], typer.Argument(metavar="SHELL", help="bash, zsh or fish.")
    ],
) -> None:
    """Print the script that makes a shell complete commands and options.

    bash and zsh: eval "$(relaybook completion bash)" at the end of ~/.bashrc, or with zsh of
    ~/.zshrc. fish: relaybook completion fish | source in ~/.config/fish/config.fish.
    """
    from typer._completion_shared import get_completion_script

    from relaybook.cli import COMPLETE

    typer.echo(get_completion_script(prog_name="relaybook", complete_var=COMPLETE, shell=shell))
