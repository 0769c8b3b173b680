"""JavaScript by Node.js; the program reads standard input, e.g. with `require("fs").readFileSync(0, "utf8")`."""

from gradus.verifiers.program.languages.language import Language

LANGUAGE = Language(
    name="JavaScript",
    fences=frozenset({"javascript", "js", "node"}),
    file="main.js",
    tool="node",
    package="nodejs",
    run=("node", "--max-old-space-size={memory_mb}", "--single-threaded", "main.js"),
)
