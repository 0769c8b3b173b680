"""`python fake_teacher_sft.py ARGUMENTS` is gradus.trainer.sft with fake_teacher's teacher and verifiers."""

import sys

import fake_teacher  # noqa: F401  # the teacher's process imports this file, too

if __name__ == "__main__":
    from gradus.trainer import sft

    sys.exit(sft.main(sys.argv[1:]))
