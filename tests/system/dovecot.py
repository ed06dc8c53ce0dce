"""A Dovecot of the test's own: configuration, users and mail in a temporary directory, one IMAP listener on a free
loopback port, nothing of the system's configuration.
Runs as root (mail then belongs to nobody) or as an ordinary user."""

import contextlib
import grp
import imaplib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from node import free_port, wait_until

PROGRAM = "/usr/sbin/dovecot"
USER, PASSWORD = "oracle", "oracle-password"


def missing():
    """Why Dovecot cannot be started here, or None."""
    if not os.access(PROGRAM, os.X_OK):
        return "dovecot-core is not installed"
    return None if os.access("/usr/lib/dovecot/imap", os.X_OK) else "dovecot-imapd is not installed"


class Dovecot:
    """mail_location is sdbox with fsync as shipped ("optimized"):
    what an acknowledged APPEND promises is on the disk."""

    def __init__(self, folder, connections=600):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.imap = free_port()
        root = os.geteuid() == 0
        # The mail process never runs as root; the other processes are root's to place, a user's are all his own.
        mail = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.geteuid())
        home = self.folder / "home"
        home.mkdir()
        if root:
            os.chown(home, mail.pw_uid, mail.pw_gid)
            for up in (self.folder, *self.folder.parents):   # mkdtemp's 0700 would keep nobody out
                if up == pathlib.Path(tempfile.gettempdir()):
                    break
                up.chmod(0o755)
        me, group = mail.pw_name, grp.getgrgid(mail.pw_gid).gr_name
        own = "" if root else f"default_internal_user = {me}\ndefault_internal_group = {group}\n" \
            f"default_login_user = {me}\n"
        (self.folder / "dovecot.conf").write_text(f"""
{own}base_dir = {self.folder}/run
state_dir = {self.folder}/state
log_path = {self.folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = sdbox:~/sdbox
mail_fsync = optimized
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = {connections}
default_vsz_limit = 1G
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={mail.pw_uid} gid={mail.pw_gid} home={home}
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service anvil {{
  chroot =
}}
service auth {{
  client_limit = {4 * connections + 500}
}}
service imap-login {{
  chroot =
  service_count = 0
  client_limit = {2 * connections}
  process_min_avail = 1
  inet_listener imap {{
    port = {self.imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service imap {{
  process_limit = {2 * connections}
}}
service stats {{
  client_limit = {4 * connections}
}}
""")
        self.process = None

    def start(self):
        self.process = subprocess.Popen([PROGRAM, "-F", "-c", str(self.folder / "dovecot.conf")],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        wait_until(self.answers, 20, "dovecot does not listen")
        return self

    def answers(self):
        if self.process.poll() is not None:
            said = self.process.stderr.read().decode(errors="replace")
            raise AssertionError(f"dovecot ended: {said}{self.log_text()}")
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", self.imap), 1) as s:
                s.settimeout(5)
                return s.recv(100).startswith(b"* OK")
        return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            time.sleep(0.1)   # its children end with it

    def pids(self):
        """The master and all its children."""
        found = [self.process.pid]
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
                if int(stat.rsplit(")", 1)[1].split()[1]) == self.process.pid:
                    found.append(int(pid))
        return found

    def log_text(self):
        log = self.folder / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    def imap_client(self):
        client = imaplib.IMAP4("127.0.0.1", self.imap, timeout=60)
        client.login(USER, PASSWORD)
        return client


@contextlib.contextmanager
def dovecot(connections=600):
    folder = tempfile.mkdtemp(prefix="peerpost-dovecot-")
    server = Dovecot(pathlib.Path(folder) / "d", connections)
    try:
        yield server.start()
    except BaseException:
        print("---- log of dovecot\n" + server.log_text()[-4000:])
        raise
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
