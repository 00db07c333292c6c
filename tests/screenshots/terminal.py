"""What a terminal shows of a replay, for the Landing Web: a recording, then the same with a fault.

The fault is what a change of the code's mind would be: the retry's delay is another one.
"""

import subprocess
from pathlib import Path

from tests.end_to_end.system import KOTODOM

ROOT = Path(__file__).parents[2]
RECORDING = "tests/recordings/retries_crash_split_repair.jsonl"
COMMANDS = (
    f"kotodom replay {RECORDING}",
    f"""sed '4s/"delay":0.8/"delay":9.8/' {RECORDING} | kotodom replay -""",
)


def capture(out: Path) -> None:
    """Run the commands and keep what they print, as a person sees it."""
    shown = [f"$ {command}\n{_printed(command)}" for command in COMMANDS]
    out.write_text("\n".join(shown))


def _printed(command: str) -> str:
    environment = {"PATH": f"{KOTODOM.parent}:/usr/bin:/bin", "COLUMNS": "90", "NO_COLOR": "1"}
    told = subprocess.run(
        command,
        shell=True,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return told.stdout
