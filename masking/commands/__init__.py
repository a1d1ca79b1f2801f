"""The commands of `fhir-mask`, one a file.

Each module has a docstring that is its help, `add_arguments(parser)`, and `run(arguments, screen)` that returns the
exit code; what goes wrong is raised as a `MaskingError`. They are imported one at a time, when they are called.
"""
