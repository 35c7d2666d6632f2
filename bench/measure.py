#!/usr/bin/env python3
"""Measures the program beside other tools: measure.py BINARY ROWS. `bench/run` calls it."""

import os
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
# No setting of whoever runs this has a say. The session is one of the data server, which looks at none.
SESSION = "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37"
ONE = '{"inventories":[{"uuid":"1ab3b836a88342e1bbc1b1a17d092f0f","name":"lab","state":"Enabled"}],"schema":{}}'


class Bench:
    """The program, a folder and the servers that answer with files of it."""

    def __init__(self, binary: str, folder: pathlib.Path) -> None:
        self.binary = shlex.quote(binary)
        self.folder = folder
        self.servers: list[subprocess.Popen] = []
        self.missed = 0
        self.environment = {
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(folder), "ZSTACK_CLI_HOME": str(folder / "home"),
            "ZSTACK_SESSION_UUID": SESSION,
        }

    def serve(self, file: pathlib.Path) -> str:
        """Starts a server that answers with a file; its base URL."""
        server = subprocess.Popen([sys.executable, HERE / "serve.py", file], stdout=subprocess.PIPE, text=True)
        self.servers.append(server)
        return f"http://127.0.0.1:{server.stdout.readline().strip()}/zstack"

    def data(self, rows: int) -> pathlib.Path:
        file = self.folder / f"{rows}.json"
        with file.open("wb") as out:
            subprocess.run([sys.executable, HERE / "data.py", str(rows)], stdout=out, check=True)
        return file

    def once(self, command: str) -> tuple[float, int]:
        """Seconds of wall time and peak memory in KiB of one run."""
        words = ["sh", "-c", command] if "|" in command or ">" in command else shlex.split(command)
        program = shutil.which(words[0]) or words[0]
        nowhere = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
        start = time.perf_counter()
        # Nothing between this and the program that would count as part of both sides.
        child = os.posix_spawn(program, words, self.environment, file_actions=nowhere)
        _, status, usage = os.wait4(child, 0)
        seconds = time.perf_counter() - start
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            sys.exit(f"bench: {command} ended with {code}")
        return seconds, usage.ru_maxrss

    def medians(self, commands: list[str], runs: int) -> list[float]:
        """The median times of commands that take turns."""
        times: list[list[float]] = [[] for _ in commands]
        for run in range(runs + 1):
            for command, seconds in zip(commands, times):
                took, _ = self.once(command)
                # The first turn warms the caches.
                if run > 0:
                    seconds.append(took)
        return [statistics.median(seconds) for seconds in times]

    def row(self, what: str, ours: str, beside: str, ratio: float, bar: float) -> None:
        verdict = "ok" if ratio <= bar else "MISSED"
        self.missed += ratio > bar
        print(f"| {what} | {ours} | {beside} | {ratio:.3g} | {bar:g} | {verdict} |", flush=True)

    def compare(self, what: str, ours: str, other: str, bar: float, runs: int) -> None:
        mine, theirs = self.medians([ours, other], runs)
        shown = [f"{seconds * 1000:.2f} ms" if seconds < 0.1 else f"{seconds:.2f} s" for seconds in (mine, theirs)]
        self.row(what, shown[0], shown[1], mine / theirs, bar)

    def short(self) -> None:
        """What takes milliseconds."""
        self.compare("`--version` beside `/bin/true`", f"{self.binary} --version", "/bin/true", 1.9, 300)
        one = self.folder / "one.json"
        one.write_text(ONE)
        base = self.serve(one)
        ours = f"{self.binary} --url {base} QueryZone"
        self.compare("one row beside `curl -s`", ours, f"curl -s {base}/v1/zones", 0.55, 200)
        ours = f"{self.binary} complete 'QueryBackupStorage st'"
        self.compare("a Tab of bash beside `--version`", ours, f"{self.binary} --version", 3, 200)

    def large(self, rows: int) -> None:
        """What takes seconds."""
        base = self.serve(self.data(rows))
        query = f"{self.binary} --url {base} QueryVmInstance"
        curl = f"curl -s {base}/v1/vm-instances"
        floor = f"curl -s -o {self.folder / 'floor'} {base}/v1/vm-instances"
        csv = "jq -r '.inventories[]|[.uuid,.name,.state,.hostUuid,.memorySize,.cpuNum]|@csv'"
        self.compare(f"{rows} rows `-o json` beside `curl\\|jq -S .`", f"{query} -o json", f"{curl} | jq -S .", 0.15, 3)
        self.compare("the same, to a file, beside `curl -o`", f"{query} -o json > {self.folder / 'ours'}", floor, 2.5, 5)
        for option in ("-o csv", "-o table", "--columns name,state -o table"):
            self.compare(f"`{option}` beside `curl\\|jq @csv`", f"{query} {option}", f"{curl} | {csv}", 0.2, 3)
        names = "'.inventories[].name'"
        self.compare("`--jq .inventories[].name` beside `curl\\|jq`", f"{query} --jq {names}", f"{curl} | jq {names}", 0.5, 3)
        peak = max(self.once(f"{query} -o {form}")[1] for form in ("json", "csv", "table", "jsonl"))
        self.row("peak memory of these, MiB", f"{peak / 1024:.1f}", "", peak / 1024, 32)

    def growth(self) -> None:
        """Time and memory from 10,000 to 1,000,000 rows; the start is not counted among the time of a row."""
        nothing = self.folder / "one.json"
        start = self.medians([f"{self.binary} --url {self.serve(nothing)} QueryVmInstance -o json"], 20)[0]
        seconds, memory = {}, {}
        for rows in (10_000, 1_000_000):
            file = self.data(rows)
            command = f"{self.binary} --url {self.serve(file)} QueryVmInstance -o json"
            seconds[rows] = self.medians([command], 15 if rows < 100_000 else 3)[0] - start
            memory[rows] = self.once(command)[1]
            file.unlink()
        each = {rows: took / rows * 1e6 for rows, took in seconds.items()}
        shown = [f"{each[rows]:.2f} us a row" for rows in (1_000_000, 10_000)]
        self.row("1,000,000 rows beside 10,000, a row", *shown, each[1_000_000] / each[10_000], 1.1)
        shown = [f"{memory[rows] / 1024:.1f} MiB" for rows in (1_000_000, 10_000)]
        self.row("the same, memory", *shown, memory[1_000_000] / memory[10_000], 1.1)

    def paged(self, rows: int) -> None:
        """Through the program's own sandbox, page by page."""
        subprocess.run([*shlex.split(self.binary), "sandbox", "seed", "--vms", str(rows)], env=self.environment,
                       check=True, stderr=subprocess.DEVNULL)
        took, peak = self.once(f"{self.binary} --sandbox QueryVmInstance -o json")
        print(f"| {rows} rows through the sandbox, in one process | {took:.2f} s, {peak / 1024:.0f} MiB | | | | |")


def main() -> None:
    binary, rows = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(binary, pathlib.Path(folder))
        try:
            print("| work | ours | beside | ratio | bar | |\n| --- | --- | --- | --- | --- | --- |")
            size = os.stat(binary).st_size / 1e6
            bench.row("binary, stripped, MB", f"{size:.2f}", "", size, 18)
            bench.short()
            bench.large(rows)
            bench.growth()
            bench.paged(rows)
        finally:
            for server in bench.servers:
                server.kill()
    sys.exit(1 if bench.missed else 0)


main()
