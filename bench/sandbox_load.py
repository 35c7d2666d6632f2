#!/usr/bin/env python3
"""Loads a sandbox with many VMs and measures it: bench/sandbox_load.py BINARY pages|one-page|delete|maintain

It uses the sandbox of ZSTACK_CLI_HOME, which it changes, and its processor time besides the wall clock, since that
depends less on other load. First: zstack-cli sandbox reset; zstack-cli sandbox seed --vms 100000
`maintain` first puts 16,000 of them on one host.
"""
import hashlib
import http.client
import json
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import threading
import time

BINARY, WHAT = sys.argv[1:3]
PAUSE = 0.02


class Client:
    """A connection with a session."""

    def __init__(self, port, session=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self.headers = {"Content-Type": "application/json; charset=utf-8"}
        if session:
            self.headers["Authorization"] = "OAuth " + session

    def raw(self, verb, path, body=None):
        text = None if body is None else json.dumps(body)
        self.connection.request(verb, "/zstack/v1" + path, text, self.headers)
        reply = self.connection.getresponse()
        return reply.status, reply.read()

    def call(self, verb, path, body=None):
        status, text = self.raw(verb, path, body)
        return status, json.loads(text or b"{}")

    def job(self, verb, path, body=None):
        status, reply = self.call(verb, path, body)
        assert status == 202, reply
        path = "/api-jobs/" + reply["location"].rsplit("/", 1)[1]
        while status == 202:
            time.sleep(0.005)
            status, reply = self.call("GET", path)
        assert status == 200, reply


def processor_seconds(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def peak_memory(process):
    lines = open(f"/proc/{process.pid}/status").read().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def pages(client):
    """All VMs in pages of 1000, after the last key. Only the last row of a page is parsed."""
    rows, last = 0, None
    while True:
        after = f"&q=uuid%3E{last}" if last else ""
        page = client.raw("GET", "/vm-instances?limit=1000&sort=%2Buuid" + after)[1]
        count = page.count(b'"allVolumes":')
        rows += count
        if count < 1000:
            return f"{rows} rows", rows
        last = json.loads(b"{" + page[page.rindex(b'{"uuid":"', 0, page.rindex(b'"vmNics":')) + 1 :].split(b",", 1)[0] + b"}")["uuid"]


def one_page(client):
    client.connection.request("GET", "/zstack/v1/vm-instances?limit=1000000", None, client.headers)
    reply, size = client.connection.getresponse(), 0
    while piece := reply.read(1 << 20):
        size += len(piece)
    return f"{size >> 20} MiB", None


def with_others(port, session, vm, work):
    """Runs `work` while others ask for the version and for a VM, and make zones."""
    times, ended = {"GetVersion": [], "query by uuid": [], "CreateZone": []}, threading.Event()

    def other(name):
        client = Client(port, session)
        while not ended.is_set():
            begun = time.monotonic()
            if name == "GetVersion":
                client.call("PUT", "/management-nodes/actions", {"getVersion": {}})
            elif name == "query by uuid":
                client.call("GET", "/vm-instances?q=uuid%3D" + vm)
            else:
                client.job("POST", "/zones", {"params": {"name": "other"}})
            times[name].append((time.monotonic() - begun) * 1000)
            time.sleep(PAUSE)

    threads = [threading.Thread(target=other, args=(name,)) for name in times]
    for thread in threads:
        thread.start()
    try:
        work()
    finally:
        ended.set()
    for thread in threads:
        thread.join()
    return "; ".join(f"{name}: median {statistics.median(found):.1f} ms of {len(found)}" for name, found in times.items())


def crowd(count):
    """Puts that many virtual machines on one host; returns its uuid."""
    database = sqlite3.connect(os.environ["ZSTACK_CLI_HOME"] + "/data/sandbox/cloud.sqlite3")
    running = "FROM VmInstance WHERE state = 'Running' AND name LIKE 'vm-0%' ORDER BY name"
    host = database.execute(f"SELECT hostUuid {running}").fetchone()[0]
    database.execute(f"UPDATE VmInstance SET hostUuid = ? WHERE _id IN (SELECT _id {running} LIMIT ?)", (host, count))
    database.commit()
    database.close()
    return host


def main():
    crowded = crowd(16_000) if WHAT == "maintain" else None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [BINARY, "sandbox", "serve", "--port", str(port), "--speed", "1000"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        password = hashlib.sha512(b"password").hexdigest()
        log_in = {"logInByAccount": {"accountName": "admin", "password": password}}
        session = Client(port).call("PUT", "/accounts/login", log_in)[1]["inventory"]["uuid"]
        client = Client(port, session)
        found = client.call("GET", "/vm-instances?q=name~%3Dvm-%25&q=state%3DRunning&limit=1")[1]["inventories"][0]
        begun, used, rows = time.monotonic(), processor_seconds(process), None
        if WHAT == "pages":
            told, rows = pages(client)
        elif WHAT == "one-page":
            told, rows = one_page(client)
        else:
            host = f"/hosts/{crowded}/actions"
            work = {
                "delete": lambda: client.job("DELETE", "/zones/" + found["zoneUuid"]),
                "maintain": lambda: client.job("PUT", host, {"changeHostState": {"stateEvent": "maintain"}}),
            }[WHAT]
            told = with_others(port, session, found["uuid"], work)
        wall, used = time.monotonic() - begun, processor_seconds(process) - used
        rate = f", {rows / wall:.0f} rows a second, {rows / used:.0f} a processor second" if rows else ""
        print(f"{WHAT}: {wall:.1f} s, {used:.1f} s of the processor, peak {peak_memory(process)} MiB{rate}; {told}")
    finally:
        process.terminate()
        process.wait()


main()
