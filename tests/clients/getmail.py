"""getmail, without its race: it asks to be told of the end of a child after the fork, and waits three
minutes for the end of one that was faster."""
import os
import runpy
import shutil

from getmailcore.baseclasses import ForkingBase

ForkingBase._prepare_child = lambda self: None
ForkingBase._wait_for_child = lambda self, pid: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
runpy.run_path(shutil.which("getmail"), run_name="__main__")
