using System.Text.Json.Nodes;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;

namespace Weft.Control.Discovery.Http;

/// <summary>`/v1/health/...`: who can be used.</summary>
internal sealed class HealthHandler(ServiceRegistry registry, BlockingQueries queries)
{
    public async Task<bool> TryHandleAsync(ConsulCall call)
    {
        switch (call.Path[1..])
        {
            case ["service", var name]:
                call.Need("GET");
                var state = await queries.StateAsync(call, Topics.Name(name), state => state.IndexOfName(name));
                var passing = call.Has("passing") && call.Query("passing") is "" or "1" or "true";
                await call.AnswerAsync(new JsonArray([.. First(Selection.Of(call, state.Entries(name)).Where(entry => !passing || entry.Status == CheckStatus.Passing), passing)
                    .Select(entry => (JsonNode)ConsulJson.HealthEntry(entry, registry.Options.Datacenter))]));
                return true;
            case ["node", var node]:
                call.Need("GET");
                var ofNode = await queries.StateAsync(call, Topics.Checks, state => state.ChecksIndex);
                await AnswerAsync(call, ofNode, check => check.Node == node);
                return true;
            case ["checks", var name]:
                call.Need("GET");
                var ofName = await queries.StateAsync(call, Topics.Name(name), state => state.IndexOfName(name));
                await call.AnswerAsync(new JsonArray([.. Selection.Of(call, ofName.Entries(name)).SelectMany(entry => entry.Checks.Where(check => check.ServiceId.Length > 0).Select(check => (JsonNode)ConsulJson.Check(check, entry.Instance)))]));
                return true;
            case ["state", var status]:
                call.Need("GET");
                var wanted = status == "any" ? (CheckStatus?)null
                    : status is "passing" or "warning" or "critical" ? Definitions.Status(status) : throw new RegistryException(400, $"Invalid check state: '{status}'; any, passing, warning or critical");
                var all = await queries.StateAsync(call, Topics.Checks, state => state.ChecksIndex);
                await AnswerAsync(call, all, check => wanted is null || check.Status == wanted);
                return true;
            default:
                return false;
        }
    }

    // Who asks for those that he may use, and knows no priorities, is to use those that come first.
    private static IEnumerable<Entry> First(IEnumerable<Entry> entries, bool passing)
    {
        if (!passing)
            return entries;
        var all = entries.ToList();
        var first = all.Select(entry => entry.Instance.Priority).DefaultIfEmpty().Min();
        return all.Where(entry => entry.Instance.Priority == first);
    }

    private static Task AnswerAsync(ConsulCall call, RegistryState state, Func<Check, bool> isWanted) => call.AnswerAsync(new JsonArray(
        [.. state.Checks.Values.SelectMany(some => some.Values).Where(isWanted).OrderBy(check => check.Node, StringComparer.Ordinal).ThenBy(check => check.Id, StringComparer.Ordinal)
            .Select(check => (JsonNode)ConsulJson.Check(check, state.Instances.GetValueOrDefault(check.Owner)))]));
}
