using System.Text.Json.Nodes;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;

namespace Weft.Control.Discovery.Http;

/// <summary>`/v1/catalog/...`: the table as a whole, and nodes that are not this one.</summary>
internal sealed class CatalogHandler(ServiceRegistry registry, BlockingQueries queries)
{
    public async Task<bool> TryHandleAsync(ConsulCall call)
    {
        switch (call.Path[1..])
        {
            case ["datacenters"]:
                call.Need("GET");
                await call.AnswerAsync(ConsulJson.List([registry.Options.Datacenter]));
                return true;
            case ["services"]:
                call.Need("GET");
                var names = await queries.StateAsync(call, Topics.Names, state => state.NamesIndex);
                await call.AnswerAsync(new JsonObject(names.Names.Values.Select(group =>
                    KeyValuePair.Create(group.Name, (JsonNode?)ConsulJson.List(names.Entries(group).SelectMany(entry => entry.Instance.Tags).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))))));
                return true;
            case ["nodes"]:
                call.Need("GET");
                var nodes = await queries.StateAsync(call, Topics.Nodes, state => state.NodesIndex);
                await call.AnswerAsync(new JsonArray([.. nodes.Nodes.Values.Where(node => Selection.HasMeta(call, node)).Select(node => (JsonNode)ConsulJson.Node(node, registry.Options.Datacenter))]));
                return true;
            case ["service", var name]:
                call.Need("GET");
                var one = await queries.StateAsync(call, Topics.Name(name), state => state.IndexOfName(name));
                await call.AnswerAsync(new JsonArray([.. Selection.Of(call, one.Entries(name)).Select(entry => (JsonNode)ConsulJson.CatalogService(entry, registry.Options.Datacenter))]));
                return true;
            case ["node", var node]:
                return await NodeAsync(call, node, asList: false);
            case ["node-services", var node]:
                return await NodeAsync(call, node, asList: true);
            case ["register"]:
                return await RegisterAsync(call);
            case ["deregister"]:
                return await DeregisterAsync(call);
            default:
                return false;
        }
    }

    private async Task<bool> NodeAsync(ConsulCall call, string name, bool asList)
    {
        call.Need("GET");
        var state = await queries.StateAsync(call, Topics.Checks, state => Math.Max(state.ChecksIndex, state.NodesIndex));
        var node = state.Nodes.GetValueOrDefault(name);
        var services = state.Instances.Values.Where(instance => instance.Node == name).OrderBy(instance => instance.Id, StringComparer.Ordinal);
        if (asList)
        {
            // The filter is of the services, whose list is one member of the answer.
            await call.AnswerAsync(new JsonObject
            {
                ["Node"] = node is null ? null : ConsulJson.Node(node, registry.Options.Datacenter),
                ["Services"] = call.Filtered(new JsonArray([.. services.Select(instance => (JsonNode)ConsulJson.Service(instance))])),
            }, filters: false);
            return true;
        }

        await call.AnswerAsync(node is null ? null : new JsonObject
        {
            ["Node"] = ConsulJson.Node(node, registry.Options.Datacenter),
            ["Services"] = new JsonObject(services.Select(instance => KeyValuePair.Create(instance.Id, (JsonNode?)ConsulJson.Service(instance)))),
        });
        return true;
    }

    private async Task<bool> RegisterAsync(ConsulCall call)
    {
        call.Need("PUT");
        call.NeedAll();
        var body = await call.JsonBodyAsync();
        var (name, address) = (body.Text("Node"), Definitions.Host(body.Text("Address"), "Address"));
        var keepsNode = body.Flag("SkipNodeUpdate");
        if (name.Length == 0 || (address.Length == 0 && !keepsNode))
            throw new RegistryException(400, "Must provide node and address");
        var node = new NodeRecord
        {
            Name = Definitions.Text(name, "Node"), Id = body.Text("ID"), Address = address, Meta = Definitions.Meta(body.Map("NodeMeta")), TaggedAddresses = body.Map("TaggedAddresses"),
        };
        var instance = body.Object("Service") is { } service ? Definitions.Instance(service, name, caller: null) : null;
        var checks = new List<Check>();
        if (body.Object("Check") is { } check)
            checks.Add(Definitions.External(check, name));
        checks.AddRange(body.List("Checks").Select(other => Definitions.External(other, name)));
        await registry.ChangeAsync(
            draft =>
            {
                if (keepsNode && !draft.State.Nodes.ContainsKey(name))
                    throw new RegistryException(400, "Must provide node and address");
                if (!keepsNode)
                    Registrations.Put(draft, node);
                if (instance is not null)
                    Registrations.Put(draft, instance, registry.Options);
                foreach (var one in checks)
                {
                    if (one.ServiceId.Length > 0 && !draft.State.Instances.ContainsKey(one.Owner))
                        throw new RegistryException(400, $"Missing service '{one.ServiceId}' of check '{one.Id}'");
                    Registrations.Put(draft, one, keepsStatus: false);
                }

                return 0;
            }, call.Ended);
        await call.AnswerAsync(JsonValue.Create(true));
        return true;
    }

    private async Task<bool> DeregisterAsync(ConsulCall call)
    {
        call.Need("PUT");
        call.NeedAll();
        var body = await call.JsonBodyAsync();
        var (node, service, check) = (body.Text("Node"), body.Text("ServiceID"), body.Text("CheckID"));
        if (node.Length == 0)
            throw new RegistryException(400, "Must provide node");
        if (service.Length == 0 && check.Length == 0 && node == registry.Options.NodeName)
            throw new RegistryException(400, $"'{node}' is the node of this agent: deregister what is on it");
        // A node may have more on it than one transaction takes.
        while (check.Length == 0 && service.Length == 0 && await registry.ChangeAsync(draft => draft.RemoveSomeOf(node), call.Ended))
        {
        }

        await registry.ChangeAsync(draft => check.Length > 0 ? draft.RemoveCheck(new(node, check)) : service.Length > 0 ? draft.RemoveInstance(new(node, service)) : draft.RemoveNode(node), call.Ended);
        await call.AnswerAsync(JsonValue.Create(true));
        return true;
    }
}

/// <summary>`?tag=`, `?node-meta=`, `?near=`.</summary>
internal static class Selection
{
    public static IEnumerable<Entry> Of(ConsulCall call, IEnumerable<Entry> entries)
    {
        var tags = call.Queries("tag");
        var some = entries.Where(entry => tags.All(tag => entry.Instance.Tags.Contains(tag, StringComparer.OrdinalIgnoreCase)) && HasMeta(call, entry.Node));
        // Nobody measures distances here: what is on the named node is nearest, the rest stays in order.
        return call.Query("near") is { Length: > 0 } near ? some.OrderBy(entry => entry.Node.Name == near ? 0 : 1) : some;
    }

    public static bool HasMeta(ConsulCall call, NodeRecord node) => call.Queries("node-meta").All(pair =>
        pair.Split(':', 2) is [var key, var value] && node.Meta.GetValueOrDefault(key) == value);
}
