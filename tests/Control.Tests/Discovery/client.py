"""A client of the registry with nothing but Python's standard library: it registers, renews, watches, locks and deregisters. Prints what it saw."""
import json
import sys
import threading
import time
import urllib.error
import urllib.request

BASE = sys.argv[1].rstrip("/") + "/v1/"


def ask(method, path, body=None, timeout=30):
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data=data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            text = answer.read()
            return answer.status, int(answer.headers.get("X-Consul-Index", 0)), text
    except urllib.error.HTTPError as refused:
        return refused.code, 0, refused.read()


def read(path):
    status, index, text = ask("GET", path)
    assert status == 200, (path, status, text)
    return index, json.loads(text)


def check(what, is_true):
    print(("ok " if is_true else "WRONG ") + what, flush=True)
    if not is_true:
        sys.exit(1)


service = {
    "ID": "orders-1", "Name": "orders", "Tags": ["v1", "primary"], "Address": "10.1.2.3", "Port": 8080, "Meta": {"zone": "a"},
    "Check": {"TTL": "2s", "DeregisterCriticalServiceAfter": "90m"},
}
check("registered", ask("PUT", "agent/service/register", service)[0] == 200)
index, entries = read("health/service/orders")
check("critical until its first word", entries[0]["Checks"][-1]["Status"] == "critical")
check("no passing instance", read("health/service/orders?passing")[1] == [])

seen = []


def watch():
    at = index
    while not seen or seen[-1][1] != "critical":
        status, at, text = ask("GET", "health/service/orders?index=%d&wait=20s" % at)
        status = json.loads(text)[0]["Checks"][-1]["Status"]
        if not seen or seen[-1][1] != status:
            seen.append((at, status))


watcher = threading.Thread(target=watch)
watcher.start()
check("renewed", ask("PUT", "agent/check/pass/service:orders-1?note=well")[0] == 200)
check("one passing instance", len(read("health/service/orders?passing")[1]) == 1)
check("by tag", len(read("health/service/orders?passing&tag=v1&tag=primary")[1]) == 1 and read("health/service/orders?tag=v2")[1] == [])
check("by filter", len(read("health/service/orders?filter=Service.Meta.zone+%3D%3D+a+and+%22v1%22+in+Service.Tags")[1]) == 1)
check("in the catalog", read("catalog/services")[1]["orders"] == ["primary", "v1"] and read("catalog/service/orders")[1][0]["ServicePort"] == 8080)
check("on the agent", read("agent/services")[1]["orders-1"]["Port"] == 8080 and read("agent/checks")[1]["service:orders-1"]["Output"] == "well")
watcher.join(30)
check("the watcher saw passing, then critical as the TTL ran out", [status for _, status in seen] == ["passing", "critical"])
check("with indices that grow", seen[0][0] > index and seen[1][0] > seen[0][0])

check("a value", ask("PUT", "kv/app/colour?flags=42", b"green")[2] == b"true")
_, values = read("kv/app/colour")
check("as it was put", values[0]["Value"] == "Z3JlZW4=" and values[0]["Flags"] == 42)
check("raw", ask("GET", "kv/app/colour?raw")[2] == b"green")
check("compare and set with an old index", ask("PUT", "kv/app/colour?cas=1", b"red")[2] == b"false")
check("compare and set", ask("PUT", "kv/app/colour?cas=%d" % values[0]["ModifyIndex"], b"red")[2] == b"true")
check("keys", read("kv/app/?keys&separator=/")[1] == ["app/colour"])
session = json.loads(ask("PUT", "session/create", {"TTL": "10s", "LockDelay": "0s"})[2])["ID"]
check("a lock", ask("PUT", "kv/app/leader?acquire=" + session, b"me")[2] == b"true")
other = json.loads(ask("PUT", "session/create", {})[2])["ID"]
check("that another does not get", ask("PUT", "kv/app/leader?acquire=" + other, b"you")[2] == b"false")
check("until it is released", ask("PUT", "kv/app/leader?release=" + session, b"")[2] == b"true" and ask("PUT", "kv/app/leader?acquire=" + other, b"you")[2] == b"true")
check("sessions end", ask("PUT", "session/destroy/" + session)[0] == 200)
check("deleted", ask("DELETE", "kv/app?recurse")[2] == b"true" and ask("GET", "kv/app/colour")[0] == 404)

check("deregistered", ask("PUT", "agent/service/deregister/orders-1")[0] == 200 and read("health/service/orders")[1] == [])
check("gone for good", ask("PUT", "agent/service/deregister/orders-1")[0] == 404)
check("no POST", ask("POST", "agent/service/register", service)[0] == 405)
check("no nonsense", ask("PUT", "agent/service/register", {"Port": "x"})[0] == 400)
print("done", flush=True)
