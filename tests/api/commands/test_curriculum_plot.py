import pytest

from gradus.api.cli import main


def show(world, target, capsys):
    status = main(["curriculum", "show", "--workspace", str(world.workspace.root), "--plot", str(target)])
    return status, capsys.readouterr()


@pytest.mark.parametrize(("ending", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_a_manifest_is_drawn(ending, begins, finished, tmp_path, capsys):
    target = tmp_path / f"course.{ending}"
    status, (out, _) = show(finished, target, capsys)
    assert status == 0
    assert f"wrote {target}" in out
    assert "traces by difficulty for the student" in out
    assert target.read_bytes().startswith(begins)


def test_another_kind_of_picture_is_refused(finished, tmp_path, capsys):
    status, (_, err) = show(finished, tmp_path / "course.pdf", capsys)
    assert status == 2
    assert "ends in .png or .svg" in err
    assert not list(tmp_path.iterdir())
