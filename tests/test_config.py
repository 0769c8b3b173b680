"""Recipes: every key is known, every value has its type, and a wrong one is named."""

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from gradus import config
from gradus.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Inner:
    size: int = 1
    rate: float = 0.5

    def __post_init__(self):
        if self.size < 0:
            raise ValueError(f"size must not be negative, not {self.size}")


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: str
    flag: bool = False
    mode: Literal["soft", "hard"] = "soft"
    limit: int | None = None
    inner: Inner = Inner()
    many: tuple[Inner, ...] = ()
    by_name: dict[str, Inner] = field(default_factory=dict)
    free: dict[str, Any] = field(default_factory=dict)


def outer(*overrides):
    return config.load(Outer, None, ["name=x", *overrides])


@pytest.mark.parametrize(
    ("override", "read", "value"),
    [
        ("inner.size=3", lambda c: c.inner.size, 3),
        ("inner.rate=3e-4", lambda c: c.inner.rate, 3e-4),
        ("inner.rate=2", lambda c: c.inner.rate, 2.0),
        ("by_name.math.size=4", lambda c: c.by_name["math"].size, 4),
        ("many=[{size = 1}, {size = 2}]", lambda c: [i.size for i in c.many], [1, 2]),
        ("flag=true", lambda c: c.flag, True),
        ("mode=hard", lambda c: c.mode, "hard"),
        ('mode="hard"', lambda c: c.mode, "hard"),
        ("limit=7", lambda c: c.limit, 7),
        ("free.a.b=[1, 'two']", lambda c: c.free, {"a": {"b": [1, "two"]}}),
        ("name=a=b", lambda c: c.name, "a=b"),
        ("name=two words", lambda c: c.name, "two words"),
        ("name=", lambda c: c.name, ""),
    ],
)
def test_an_override_sets_what_its_dots_name(override, read, value):
    found = read(outer(override))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("sise=1", "Outer has no 'sise'. Fields: name, flag, mode, limit, inner, many, by_name, free."),
        ("inner.sise=1", "Inner has no 'sise'. Fields: size, rate."),
        ("inner.size=big", "size must be a whole number, not 'big'"),
        ("inner.size=1.5", "size must be a whole number, not 1.5"),
        ("inner.size=true", "size must be a whole number, not True"),
        ("inner.rate=fast", "rate must be a number, not 'fast'"),
        ("inner.rate=true", "rate must be a number, not True"),
        ("inner=3", "inner must be a table, not 3"),
        ("many=3", "many must be a list, not 3"),
        ("many=[{sise = 1}]", "many[0]: Inner has no 'sise'"),
        ("by_name=3", "by_name must be a table, not 3"),
        ("by_name.math=3", "by_name.math must be a table, not 3"),
        ("flag=1", "flag must be true or false, not 1"),
        ("mode=medium", "mode must be one of 'soft', 'hard', not 'medium'"),
        ("limit=many", "limit must be a whole number, not 'many'"),
        ("name.first=x", "'name' is a value, not a table"),
        ("name=3", "name must be text, not 3"),
        ("inner.size=-1", "size must not be negative, not -1"),
        ("flag", "'flag' is not key=value"),
        ("=3", "'=3' is not key=value"),
        ("..=3", "Outer has no ''"),
    ],
)
def test_a_wrong_override_is_named(override, said):
    with pytest.raises(ConfigError) as error:
        outer(override)
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_missing_field_is_named():
    with pytest.raises(ConfigError, match=r"command line: Outer needs name\."):
        config.load(Outer, None)


def test_overrides_win_over_the_file_and_the_file_over_defaults(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('name = "file"\nflag = true\n[inner]\nsize = 5\nrate = 0.1\n')
    found = config.load(Outer, path, ["inner.size=6"])
    assert found == Outer(name="file", flag=True, inner=Inner(size=6, rate=0.1))


def test_the_last_of_two_overrides_wins():
    assert outer("inner.size=1", "inner.size=2").inner.size == 2


@pytest.mark.parametrize("content", [b"name = ", b"name = 'a'\nname = 'b'", b"\xff\xfe", b"[name"])
def test_bad_toml_names_the_file(tmp_path, content):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"bad\.toml: not TOML"):
        config.load(Outer, path)


def test_a_recipe_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no such recipe"):
        config.load(Outer, tmp_path / "none.toml")


def test_plain_is_the_inverse_of_build():
    made = outer("inner.size=3", "by_name.a.rate=1.0", "many=[{size=2}]", "limit=3")
    assert config.build(Outer, config.plain(made), "here") == made
