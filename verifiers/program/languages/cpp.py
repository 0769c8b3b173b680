"""C++ by g++."""

from gradus.verifiers.program.languages.language import Language

LANGUAGE = Language(
    name="C++",
    fences=frozenset({"cpp", "c++", "cc", "cxx"}),
    file="main.cpp",
    tool="g++",
    package="g++",
    build=("g++", "-std=c++17", "-O2", "-pipe", "-o", "program", "main.cpp"),
    keep=("program",),
    run=("./program",),
)
