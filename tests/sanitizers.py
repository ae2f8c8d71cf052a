"""Build C files with the address and undefined-behaviour sanitizers."""

import subprocess

import pytest


def build_with_sanitizers(*arguments: str) -> None:
    """Run the C compiler with these arguments; skip the test where it has no sanitizers."""
    flags = "-O1 -g -std=gnu11 -fsanitize=address,undefined -fno-sanitize-recover=all -Wno-psabi"
    command = ["cc", *flags.split(), "-pthread", *arguments]
    try:
        built = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        pytest.skip("There is no C compiler.")
    if built.returncode and "asan" in built.stderr:
        pytest.skip("The compiler has no sanitizers.")
    assert not built.returncode, built.stderr
