"""Plug-ins: found by name, from files and entry points; an unknown name lists the known ones."""

import subprocess
import sys
import textwrap

import pytest

from gradus.errors import ConfigError
from gradus.registry import Registry


def make_package(folder, name, files):
    package = folder / name
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "base.py").write_text(f"from gradus.registry import Registry\nthings = Registry({name!r}, 'thing')\n")
    for stem, value in files.items():
        text = f"from {name}.base import things\nthings.register({stem!r})({value!r})\n"
        (package / f"{stem}.py").write_text(text)


def test_a_file_in_the_package_is_the_whole_plug_in(tmp_path, monkeypatch):
    make_package(tmp_path, "shelf_of_two", {"b": 2, "a": 1})
    monkeypatch.syspath_prepend(tmp_path)
    from shelf_of_two.base import things

    assert things.names() == ["a", "b"]
    assert things["b"] == 2


def test_an_unknown_name_lists_the_known_ones(tmp_path, monkeypatch):
    make_package(tmp_path, "shelf_of_one", {"a": 1})
    monkeypatch.syspath_prepend(tmp_path)
    from shelf_of_one.base import things

    with pytest.raises(ConfigError, match=r"no thing 'z'\. Known: a\."):
        things["z"]


def test_nothing_is_imported_before_it_is_asked_for(tmp_path, monkeypatch):
    make_package(tmp_path, "shelf_unopened", {"a": 1})
    monkeypatch.syspath_prepend(tmp_path)
    import shelf_unopened.base

    assert "shelf_unopened.a" not in sys.modules
    shelf_unopened.base.things.names()
    assert "shelf_unopened.a" in sys.modules


def test_another_distribution_may_add_one(tmp_path):
    (tmp_path / "elsewhere.py").write_text(
        "from gradus.curricula.policies.base import policies\n"
        "@policies.register('backwards')\n"
        "def backwards(candidates, rng):\n    return list(candidates)[::-1]\n"
    )
    info = tmp_path / "elsewhere-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[gradus.curricula.policies]\nbackwards = elsewhere\n")
    code = """
        import sys; sys.path.insert(0, sys.argv[1])
        from gradus.curricula.policies.base import policies
        print(policies.names(), policies["backwards"]([1, 2], None))
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    names = ["backwards", "easy_to_hard", "frontier", "motif", "self_paced", "spaced", "uniform"]
    assert done.stdout == f"{names} [2, 1]\n"


def test_the_last_registration_of_a_name_counts():
    things = Registry("gradus.curricula.policies", "thing")
    things.register("a")(1)
    things.register("a")(2)
    assert things["a"] == 2
