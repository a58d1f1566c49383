"""``kdsl data check``: every bad row, by file, line and id."""

from __future__ import annotations

from kdsl_cli.commands.intake.reading import CatalogueFile, File, ImageRoot, MaxErrors, accepted, source_of


def command(
    file: File = None,
    catalogue: CatalogueFile = None,
    image_root: ImageRoot = None,
    max_errors: MaxErrors = 0,
) -> None:
    """Name every bad row: by file, line and id, with what is expected there."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.dialogues.readers.reading import read

    path, options = source_of(file, image_root, catalogue)
    result = accepted(read(path, options=options), max_errors)
    intents = {(each.task, each.label) for each in result.dialogues if each.label is not None}
    data = {
        "path": str(path),
        "dialogues": len(result.dialogues),
        "bad_rows": result.bad_rows,
        "intents": len(intents),
        "unlabelled": sum(each.label is None for each in result.dialogues),
        "pictures": sum(len(each.images) for each in result.dialogues),
    }
    against = "" if options.catalogue is None else ", all in the catalogue"
    human = f"{path}: {data['dialogues']} dialogues of {data['intents']} intents{against}; "
    human += f"{data['unlabelled']} without a label, {data['pictures']} pictures, {data['bad_rows']} bad rows"
    current_output().result(human, data, str(path))
