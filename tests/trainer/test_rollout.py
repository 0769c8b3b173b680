import pytest

from gradus.engine.teachers.base import TeacherConfig
from gradus.errors import MachineError
from gradus.trainer.rollout import TeacherProcess


def test_a_teacher_that_does_not_open_says_why():
    teacher = TeacherProcess(TeacherConfig(kind="nobody"))
    with pytest.raises(MachineError, match="no teacher 'nobody'"):
        teacher.answer([])
    teacher.close()
    assert not teacher._process.is_alive()


def test_a_teacher_that_dies_is_not_waited_for():
    teacher = TeacherProcess(TeacherConfig(kind="nobody"))
    teacher._process.kill()
    with pytest.raises(MachineError, match="ended with status -9"):
        teacher.answer([])
