"""Modules of the Landing Web that the build itself runs, run by Node; and the files they read."""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
LANDING = ROOT / "entrypoints" / "web" / "landing"
RESULTS = {name: ROOT / "tests" / name / "results" for name in ("bench", "chaos")}


def run_script(
    module: str, name: str, *arguments: object, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """What a function of src/`module` answers, printed as JSON; `arguments` go through JSON too."""
    script = (
        f"import {{ {name} }} from {json.dumps(str(LANDING / 'src' / module))};"
        f"console.log(JSON.stringify({name}({', '.join(map(json.dumps, arguments))})))"
    )
    command = ["node", "--input-type=module", "-e", script]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def read_proof(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the reader `name` makes of a folder; it names files as they are seen from there."""
    return run_script(f"proof/{name}.ts", name, str(folder), cwd=folder)


def told(answer: subprocess.CompletedProcess[str]) -> Any:
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)
