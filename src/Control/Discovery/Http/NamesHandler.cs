using System.Text.Json.Nodes;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;

namespace Weft.Control.Discovery.Http;

/// <summary>`/v1/weft/names`: the table with what Consul has no words for: the source of each entry, its health and age, and who is shadowed by whom.</summary>
internal sealed class NamesHandler(BlockingQueries queries, TimeProvider time)
{
    public async Task<bool> TryHandleAsync(ConsulCall call)
    {
        switch (call.Path[2..])
        {
            case []:
                call.Need("GET");
                var all = await queries.StateAsync(call, Topics.Checks, state => Math.Max(state.NamesIndex, state.ChecksIndex));
                await call.AnswerAsync(new JsonArray([.. all.Names.Values.Select(group => (JsonNode)Json(all, group))]));
                return true;
            case [var name]:
                call.Need("GET");
                var state = await queries.StateAsync(call, Topics.Name(name), state => state.IndexOfName(name));
                await call.AnswerAsync(Json(state, state.Names.GetValueOrDefault(name) ?? throw new RegistryException(404, $"there is no name '{name}'")));
                return true;
            default:
                return false;
        }
    }

    private JsonObject Json(RegistryState state, NameGroup group)
    {
        var sources = new List<(NameSource Source, string Origin, IEnumerable<Entry> Entries)>();
        if (group.Kubernetes is { } kubernetes)
            sources.Add((NameSource.Kubernetes, kubernetes.Origin, kubernetes.Entries));
        if (group.Registered.Count > 0)
            sources.Add((NameSource.Registry, "registered", group.Registered.Select(state.Entry)));
        if (group.File is { } file)
            sources.Add((NameSource.File, file.Origin, file.Entries));
        if (group.Dns is { } dns)
            sources.Add((NameSource.Dns, dns.Origin, dns.Entries));
        var now = time.GetUtcNow();
        var answer = new JsonObject
        {
            ["name"] = group.Name, ["source"] = Text(group.Winner),
            ["entries"] = new JsonArray([.. sources.SelectMany(source => source.Entries.Select(entry => (JsonNode)new JsonObject
            {
                ["source"] = Text(source.Source), ["origin"] = source.Origin, ["node"] = entry.Node.Name, ["id"] = entry.Instance.Id, ["address"] = entry.Address, ["port"] = entry.Instance.Port,
                ["tags"] = ConsulJson.List(entry.Instance.Tags), ["health"] = ConsulJson.Text(entry.Status), ["priority"] = entry.Instance.Priority, ["ageSeconds"] = (long)Math.Max(0, (now - entry.Instance.Since).TotalSeconds),
                ["shadowed"] = source.Source != group.Winner,
            }))]),
            ["shadowed"] = ConsulJson.List(sources.Where(source => source.Source != group.Winner).Select(source => $"{Text(source.Source)}: {source.Origin}")),
        };
        if (group.Dns?.Trouble is { } trouble)
            answer["trouble"] = trouble;
        return answer;
    }

    private static string Text(NameSource source) => source switch { NameSource.Kubernetes => "kubernetes", NameSource.Registry => "registry", NameSource.File => "file", _ => "dns" };
}
