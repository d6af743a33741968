"""Environments of Python packages for scripts, made under target/ when they are missing."""

import pathlib
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(main, script, name, packages):
    """Calls `main` with the arguments, in the environment of this name: starts `script` again inside of it."""
    if "--inside" in sys.argv[1:2]:
        main(sys.argv[2:])
        return
    folder = ROOT / "target" / name
    python, marker = folder / "bin" / "python", folder / "complete"
    if not marker.exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        marker.touch()
    sys.exit(subprocess.run([python, script, "--inside", *sys.argv[1:]]).returncode)
