"""The few steps between fork and exec of a child: a program of its own, never imported.

`adapters/child_process.py` runs it: `python -I -S child_launcher.py PARENT SIGNAL USER PROGRAM …`.
It ties its life to its parent, becomes another user where it is told to, and turns into PROGRAM
by exec, so the process list shows only PROGRAM. PARENT is the pid of the process that must
outlive this one, SIGNAL the number sent when that dies, USER `-` or `UID:GID:CAPABILITY`.

Why a program and not Popen's preexec_fn: Python code between fork and exec may deadlock in a
parent with threads, and uvloop and asyncio treat it differently; here nothing else runs. It needs
no setpriv and imports the standard library alone, so it starts in about 15 ms.

On Linux the kernel sends SIGNAL (prctl(2), PR_SET_PDEATHSIG). It clears that wish when credentials
change, so the wish is made after the change. Elsewhere a forked watcher looks at both processes
twice a second, which is a best effort: kill -9 of the watcher unties the two.
"""

import ctypes
import os
import signal
import sys
import time

# linux/prctl.h and linux/capability.h
_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522

_WATCH_SECONDS = 0.5


def main(parent: int, death_signal: int, user: str, program: list[str]) -> None:
    if user != "-":
        uid, gid, capability = (int(part) for part in user.split(":"))
        _become(uid, gid, capability)
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, death_signal)
    else:
        _start_watcher(parent, death_signal)
    if os.getppid() != parent:  # it died before the wish was made
        sys.exit(1)
    # Python ignores these two, and an ignored signal stays ignored through exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execv(program[0], program)  # noqa: S606  no shell is what we want


def _become(uid: int, gid: int, capability: int) -> None:
    """Change to this user for good, on Linux keeping one capability (its number).

    The capability is ambient, so it survives exec: with it the user can pass through folders that
    are closed to it (a checkout in root's home), no more. A setuid program gives none back.
    The secure bit lets it count in access(2) too, by which PostgreSQL looks for its own binary.
    """
    linux = sys.platform == "linux"
    if linux:
        _prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setregid(gid, gid)
    os.setreuid(uid, uid)
    if not linux:
        return
    mask = 1 << capability
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    # effective, permitted, inheritable for capabilities 0-31, then the same for 32-63
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset failed")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _prctl(option: int, value: int, extra: int = 0) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = [ctypes.c_ulong(word) for word in (value, extra, 0, 0)]
    if libc.prctl(option, *arguments) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


def _start_watcher(parent: int, death_signal: int) -> None:
    """Leave behind a process that signals this one once its parent is gone."""
    child = os.getpid()
    first = os.fork()
    if first != 0:
        os.waitpid(first, 0)
        return
    if os.fork() != 0:  # the watcher belongs to init, so the program has no child it did not start
        os._exit(0)
    os.closerange(0, 1024)
    while _alive(parent) and _alive(child):
        time.sleep(_WATCH_SECONDS)
    if _alive(child):
        os.kill(child, death_signal)
    os._exit(0)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
