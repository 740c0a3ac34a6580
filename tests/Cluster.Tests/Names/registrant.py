"""A program that registers itself as programs do with Debian's python3-consul2. Arguments: port of the registry, address and name of the service."""
import sys
import threading

import consul

port, address, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]
client = consul.Consul(port=port)


def passing(index=None):
    return client.health.service(name, index=index, wait="20s", passing=True)


index, found = passing()
print("before", len(found))
seen = []


def watch(since):
    seen.append(passing(since))


def change(what, action, since):
    """The watch that began before answers with the change."""
    watching = threading.Thread(target=watch, args=(since,))
    watching.start()
    action()
    watching.join(30)
    after, services = seen.pop()
    print(what, [(one["Service"]["ID"], one["Service"]["Address"], one["Service"]["Port"], one["Service"]["Tags"]) for one in services], "later" if int(after) > int(since) else "not later")
    return after


# Registered, it is critical until it says otherwise.
assert client.agent.service.register(name, service_id=name + "-1", address=address, port=8080, tags=["v1"], check=consul.Check.ttl("3s"))
index, found = passing()
print("registered", len(found))
index = change("renewed", lambda: client.agent.check.ttl_pass("service:" + name + "-1"), index)
# Nobody renews it: it ends by itself, and who watches hears of it.
index = change("lapsed", lambda: None, index)
index = change("again", lambda: client.agent.check.ttl_pass("service:" + name + "-1"), index)
print("listed", name in client.agent.services()[name + "-1"]["Service"], name in client.catalog.services()[1])
client.kv.put("shop/" + name, "one")
print("kv", client.kv.get("shop/" + name)[1]["Value"], client.kv.put("shop/" + name, "two", cas=1))
index = change("gone", lambda: client.agent.service.deregister(name + "-1"), index)
client.kv.delete("shop/" + name)
