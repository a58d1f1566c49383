"""``python -m kdsl_cli`` is ``kdsl``."""

from kdsl_cli.commands.app import main

if __name__ == "__main__":
    main()
