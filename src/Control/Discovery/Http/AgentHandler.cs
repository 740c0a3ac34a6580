using System.Text.Json.Nodes;
using Weft.Control.Discovery.Checks;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;

namespace Weft.Control.Discovery.Http;

/// <summary>`/v1/agent/...`: what is registered on this node, and registering it.</summary>
internal sealed class AgentHandler(ServiceRegistry registry, CheckLoop checks, Func<int> port)
{
    private const string Maintenance = "_service_maintenance:";

    private string Node => registry.Options.NodeName;

    public async Task<bool> TryHandleAsync(ConsulCall call)
    {
        switch (call.Path[1..])
        {
            case ["self"]:
                return await GetAsync(call, Self());
            case ["members"]:
                return await GetAsync(call, new JsonArray(Member()));
            case ["host"] or ["version"]:
                return await GetAsync(call, new JsonObject { ["SHA"] = "", ["HumanVersion"] = Version, ["FIPS"] = "" });
            case ["services"]:
                return await GetAsync(call, new JsonObject(Own().Select(instance => KeyValuePair.Create(instance.Id, (JsonNode?)ConsulJson.Service(instance)))));
            case ["checks"]:
                return await GetAsync(call, new JsonObject(OwnChecks().Select(check => KeyValuePair.Create(check.Id, (JsonNode?)Json(check)))));
            case ["service", "register"]:
                return await RegisterAsync(call);
            case ["service", "deregister", var id]:
                return await ChangeAsync(call, draft => draft.RemoveInstance(new(Node, id)) ? 0 : throw UnknownService(id));
            case ["service", "maintenance", var id]:
                return await MaintainAsync(call, id);
            case ["service", var id]:
                return await GetAsync(call, ConsulJson.Service(registry.Current.Instances.GetValueOrDefault(new(Node, id)) ?? throw new RegistryException(404, $"unknown service ID: {id}")));
            case ["check", "register"]:
                return await RegisterCheckAsync(call);
            case ["check", "deregister", var id]:
                return await ChangeAsync(call, draft => draft.RemoveCheck(new(Node, id)) ? 0 : throw UnknownCheck(id));
            case ["check", "pass", var id]:
                return await UpdateAsync(call, id, CheckStatus.Passing, call.Query("note"));
            case ["check", "warn", var id]:
                return await UpdateAsync(call, id, CheckStatus.Warning, call.Query("note"));
            case ["check", "fail", var id]:
                return await UpdateAsync(call, id, CheckStatus.Critical, call.Query("note"));
            case ["check", "update", var id]:
                call.Need("PUT");
                call.NeedAll();
                var body = await call.JsonBodyAsync();
                return await UpdateAsync(call, id, Definitions.Status(body.Text("Status")), body.Text("Output"));
            case ["health", "service", "id", var id]:
                return await HealthAsync(call, Own().Where(instance => instance.Id == id), isOne: true);
            case ["health", "service", "name", var name]:
                return await HealthAsync(call, Own().Where(instance => instance.Name.Equals(name, StringComparison.OrdinalIgnoreCase)), isOne: false);
            default:
                return false;
        }
    }

    private static string Version => typeof(AgentHandler).Assembly.GetName().Version?.ToString(3) ?? "0";

    private IEnumerable<Instance> Own() => registry.Current.Instances.Values.Where(instance => instance.Node == Node).OrderBy(instance => instance.Id, StringComparer.Ordinal);

    private IEnumerable<Check> OwnChecks() => registry.Current.Checks.Where(owner => owner.Key.Node == Node).SelectMany(owner => owner.Value.Values).OrderBy(check => check.Id, StringComparer.Ordinal);

    private JsonObject Json(Check check) => ConsulJson.Check(check, registry.Current.Instances.GetValueOrDefault(check.Owner));

    private static async Task<bool> GetAsync(ConsulCall call, JsonNode answer)
    {
        call.Need("GET");
        await call.AnswerAsync(answer);
        return true;
    }

    private async Task<bool> ChangeAsync(ConsulCall call, Func<RegistryDraft, int> change)
    {
        call.Need("PUT");
        call.NeedAll();
        await registry.ChangeAsync(change, call.Ended);
        return true;
    }

    private async Task<bool> RegisterAsync(ConsulCall call)
    {
        call.Need("PUT");
        call.NeedAll();
        var body = await call.JsonBodyAsync();
        var instance = Definitions.Instance(body, Node, call.Caller);
        var wanted = Definitions.Checks(body, instance);
        var replaces = call.Has("replace-existing-checks") && call.Query("replace-existing-checks") is "" or "true" or "1";
        var hasStatus = Statuses(body);
        await registry.ChangeAsync(
            draft =>
            {
                Registrations.Put(draft, instance, registry.Options);
                foreach (var check in wanted)
                    Registrations.Put(draft, check, keepsStatus: !hasStatus.Contains(check.Id));
                if (!replaces)
                    return 0;
                foreach (var other in draft.State.ChecksOf(instance.Key).Where(other => wanted.All(check => check.Id != other.Id)).ToList())
                    draft.RemoveCheck(other.Key);
                return 0;
            }, call.Ended);
        if (registry.Current.Names.GetValueOrDefault(instance.Name) is { Kubernetes: { } other })
            call.Context.Response.Headers["X-Weft-Shadowed-By"] = other.Origin;
        return true;

        HashSet<string> Statuses(BodyReader from)
        {
            var bodies = (from.Object("Check") is { } one ? [one] : Array.Empty<BodyReader>()).Concat(from.List("Checks")).ToList();
            return [.. wanted.Where((_, i) => bodies[i].Text("Status").Length > 0).Select(check => check.Id)];
        }
    }

    private async Task<bool> RegisterCheckAsync(ConsulCall call)
    {
        call.Need("PUT");
        call.NeedAll();
        var body = await call.JsonBodyAsync();
        var service = body.Text("ServiceID");
        var check = Definitions.Check(body, Node, service);
        var hasStatus = body.Text("Status").Length > 0;
        return await ChangeAsync(call, draft =>
        {
            if (service.Length > 0 && !draft.State.Instances.ContainsKey(new(Node, service)))
                throw new RegistryException(500, $"ServiceID \"{service}\" does not exist");
            Registrations.Put(draft, check, keepsStatus: !hasStatus);
            return 0;
        });
    }

    private async Task<bool> UpdateAsync(ConsulCall call, string id, CheckStatus status, string output)
    {
        call.Need("PUT");
        call.NeedAll();
        await checks.UpdateAsync(new(Node, id), status, output, call.Ended);
        return true;
    }

    private async Task<bool> MaintainAsync(ConsulCall call, string id)
    {
        call.Need("PUT");
        call.NeedAll();
        if (!bool.TryParse(call.Query("enable"), out var enable))
            throw new RegistryException(400, "Missing value for enable: true or false");
        var reason = call.Query("reason");
        return await ChangeAsync(call, draft =>
        {
            if (!draft.State.Instances.ContainsKey(new(Node, id)))
                throw UnknownService(id);
            if (enable)
                draft.PutCheck(new() { Node = Node, Id = Maintenance + id, ServiceId = id, Name = "Service Maintenance Mode", Notes = reason.Length > 0 ? reason : "Maintenance mode is enabled for this service, but no reason was provided." });
            else
                draft.RemoveCheck(new(Node, Maintenance + id));
            return 0;
        });
    }

    // 200 while it passes, 429 when it warns, 503 when it is critical: for load balancers that look at the code alone.
    private async Task<bool> HealthAsync(ConsulCall call, IEnumerable<Instance> instances, bool isOne)
    {
        call.Need("GET");
        var state = registry.Current;
        var entries = instances.Select(instance => state.Entry(instance.Key)).ToList();
        if (entries.Count == 0)
        {
            await call.TextAsync(isOne ? "ServiceId not found" : "Service not found", 404);
            return true;
        }

        var worst = entries.Max(entry => entry.Status);
        var code = worst switch { CheckStatus.Passing => 200, CheckStatus.Warning => 429, _ => 503 };
        if (call.Query("format") == "text")
        {
            await call.TextAsync(ConsulJson.Text(worst), code);
            return true;
        }

        var answers = entries.Select(entry => (JsonNode)new JsonObject
        {
            ["AggregatedStatus"] = ConsulJson.Text(entry.Status), ["Service"] = ConsulJson.Service(entry.Instance),
            ["Checks"] = new JsonArray([.. entry.Checks.Select(check => (JsonNode)ConsulJson.Check(check, entry.Instance))]),
        }).ToArray();
        await call.AnswerAsync(isOne ? answers[0] : new JsonArray(answers), code);
        return true;
    }

    private JsonObject Self() => new()
    {
        ["Config"] = new JsonObject { ["Datacenter"] = registry.Options.Datacenter, ["PrimaryDatacenter"] = registry.Options.Datacenter, ["NodeName"] = Node, ["NodeID"] = "", ["Server"] = true, ["Revision"] = "weft", ["Version"] = Version },
        ["DebugConfig"] = new JsonObject { ["HTTPPort"] = port(), ["ServerMode"] = true },
        ["Coord"] = null, ["Member"] = Member(), ["Stats"] = new JsonObject { ["runtime"] = new JsonObject { ["services"] = registry.Current.Instances.Count.ToString(System.Globalization.CultureInfo.InvariantCulture) } },
        ["Meta"] = new JsonObject { ["implementation"] = "weft" },
    };

    private JsonObject Member() => new()
    {
        ["Name"] = Node, ["Addr"] = registry.Options.NodeAddress, ["Port"] = 8301, ["Tags"] = new JsonObject { ["dc"] = registry.Options.Datacenter, ["role"] = "consul", ["bootstrap"] = "1" },
        ["Status"] = 1, ["ProtocolMin"] = 1, ["ProtocolMax"] = 5, ["ProtocolCur"] = 2, ["DelegateMin"] = 2, ["DelegateMax"] = 5, ["DelegateCur"] = 4,
    };

    private static RegistryException UnknownService(string id) => new(404, $"Unknown service ID \"{id}\". Ensure that the service ID is passed, not the service name.");

    private static RegistryException UnknownCheck(string id) => new(404, $"Unknown check ID \"{id}\". Ensure that the check ID is passed, not the check name.");
}
