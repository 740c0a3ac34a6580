using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Metrics;
using Weft.Api.Selectors;
using Weft.Api.Streams;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Usage;

/// <param name="Milli">Thousandths of requests per second.</param>
internal sealed record RequestRate(JsonObject Object, long Milli, DateTimeOffset At, TimeSpan Window);

/// <summary>
/// Requests per second to pods, from what all nodes have sent to their addresses. A node that should say and does not makes all figures too small, so that there are none then: an autoscaler that is told
/// nothing keeps what it has.
/// </summary>
public sealed class RequestMetrics(NodeReadings readings, StoredObjects objects)
{
    // With the figures of one node alone nobody could keep the whole cluster from an answer, or make a number that overflows.
    private const long MostMilli = 1_000_000_000_000;

    /// <param name="name">Empty: all that the selector chooses.</param>
    /// <exception cref="ApiException">No such pod; or a node does not say.</exception>
    internal async Task<IReadOnlyList<RequestRate>> PodsAsync(string ns, string name, LabelQuery selector, CancellationToken cancellationToken)
    {
        var sent = await SentAsync(cancellationToken);
        var (pods, _) = await objects.ListAsync("", "pods", ns, cancellationToken);
        return [.. pods.Where(pod => name.Length > 0 ? Metadata.Name(pod) == name : selector.Matches(Labels(pod))).Select(sent.Of).OfType<RequestRate>()];
    }

    /// <summary>Of the pods that a service selects, together.</summary>
    /// <exception cref="ApiException">No such service, or one without a selector; or a node does not say.</exception>
    internal async Task<RequestRate> ServiceAsync(GroupVersionResource resource, string ns, string name, CancellationToken cancellationToken)
    {
        var service = objects.Get("", "services", ns, name) ?? throw Statuses.NotFound(resource, name);
        var selector = service.At("spec", "selector") as JsonObject is { Count: > 0 } chosen
            ? LabelQuery.FromLabels(chosen.Select(label => KeyValuePair.Create(label.Key, label.Value.AsText() ?? "")))
            : throw Statuses.Unavailable($"service {name} has no selector, so nobody knows its pods");
        var sent = await SentAsync(cancellationToken);
        var (pods, _) = await objects.ListAsync("", "pods", ns, cancellationToken);
        // A pod that has just started counts with what it was sent.
        var all = pods.Where(pod => selector.Matches(Labels(pod))).Sum(sent.MilliOf);
        return new RequestRate(service, all, sent.At, sent.Window);
    }

    private async Task<Sent> SentAsync(CancellationToken cancellationToken)
    {
        var round = await readings.ReadAsync(cancellationToken);
        var (nodes, _) = await objects.ListAsync("", "nodes", "", cancellationToken);
        foreach (var node in nodes)
        {
            var name = Metadata.Name(node);
            var told = round.Nodes.GetValueOrDefault(name);
            if (told is null ? IsReady(node) : told is { HasMesh: true, Requests: null })
                throw Statuses.Unavailable($"node {name} does not say how many requests it has sent; it does within 30 s of its start");
        }

        var telling = round.Nodes.Values.Select(node => node.Requests).OfType<RequestSamples>().ToList();
        if (telling.Count == 0)
            throw Statuses.Unavailable("no node has the mesh, which counts the requests: weft up --mesh on");
        var sum = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (address, milli) in telling.SelectMany(node => node.MilliPerSecond))
            sum[address] = Math.Min(MostMilli, sum.GetValueOrDefault(address) + Math.Min(MostMilli, milli));
        return new Sent(sum, telling.Min(node => node.At), telling.Max(node => node.Window));
    }

    private static bool IsReady(JsonObject node) =>
        (node.At("status", "conditions") as JsonArray ?? []).Any(condition => condition.At("type").AsText() == "Ready" && condition.At("status").AsText() == "True");

    private static IReadOnlyDictionary<string, string> Labels(JsonObject tree) =>
        (tree.At("metadata", "labels") as JsonObject ?? []).ToDictionary(label => label.Key, label => label.Value.AsText() ?? "");

    private sealed record Sent(IReadOnlyDictionary<string, long> ByAddress, DateTimeOffset At, TimeSpan Window)
    {
        /// <summary>Null: the pod does not run, or not for the whole time that was measured; or its address is its node's, and others have it too.</summary>
        public RequestRate? Of(JsonObject pod) =>
            Address(pod) is { } address && DateTimeOffset.TryParse(pod.At("status", "startTime").AsText(), out var started) && started <= At - Window
                ? new RequestRate(pod, ByAddress.GetValueOrDefault(address), At, Window)
                : null;

        public long MilliOf(JsonObject pod) => Address(pod) is { } address ? ByAddress.GetValueOrDefault(address) : 0;

        private static string? Address(JsonObject pod) =>
            pod.At("status", "phase").AsText() == "Running" && pod.At("spec", "hostNetwork")?.GetValueKind() != JsonValueKind.True ? pod.At("status", "podIP").AsText() : null;
    }
}
