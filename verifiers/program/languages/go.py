"""Go by its own toolchain; one file, package main, standard library."""

from gradus.verifiers.program.languages.language import Language

LANGUAGE = Language(
    name="Go",
    fences=frozenset({"go", "golang"}),
    file="main.go",
    tool="go",
    package="golang-go",
    build=("go", "build", "-p", "1", "-o", "program", "main.go"),
    keep=("program",),
    run=("./program",),
)
