using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Autoscaling;
using Weft.Api.Selectors;
using Weft.Api.Trees;
using Weft.Client;

namespace Weft.Control.Workloads;

/// <summary>Metrics of pods and objects, by custom.metrics.k8s.io. Nobody serves metrics from outside (external.metrics.k8s.io).</summary>
internal sealed class CustomMetrics(KubeClient client) : IOtherMetrics
{
    private const string Root = "/apis/custom.metrics.k8s.io/v1beta2";

    public async Task<MetricReading> ReadAsync(string @namespace, MetricSpec metric, string podSelector, CancellationToken cancellationToken)
    {
        switch (metric)
        {
            case { Type: "Pods", Pods: { } pods }:
                return await AskAsync(@namespace, $"pods/*/{Uri.EscapeDataString(pods.Metric.Name)}?labelSelector={Uri.EscapeDataString(podSelector)}", pods.Metric, OfPods, cancellationToken);
            case { Type: "Object", Object: { } one } when ResourceOf(one.DescribedObject) is { } resource:
                return await AskAsync(@namespace, $"{resource}/{Uri.EscapeDataString(one.DescribedObject.Name)}/{Uri.EscapeDataString(one.Metric.Name)}?", one.Metric, OfAll, cancellationToken);
            case { Type: "Object", Object: { } one }:
                return new MetricReading.None($"objects of kind {one.DescribedObject.Kind} have no metrics here: a Service has");
            default:
                return new MetricReading.None("no external metrics API (external.metrics.k8s.io) registered");
        }
    }

    private async Task<MetricReading> AskAsync(
        string @namespace, string path, MetricIdentifier metric, Func<IReadOnlyList<Value>, MetricReading> read, CancellationToken cancellationToken)
    {
        try
        {
            var series = metric.Selector is null ? "" : LabelQuery.FromSelector(Api.Json.ApiJson.ToTree(metric.Selector)).ToString();
            var answer = await client.GetJsonAsync($"{Root}/namespaces/{@namespace}/{path}{(series is { Length: > 0 } ? $"&metricLabelSelector={Uri.EscapeDataString(series)}" : "")}", cancellationToken);
            return read([.. (answer.At("items") as JsonArray ?? []).Select(Value.Of)]);
        }
        catch (Exception refused) when (refused is ApiStatusException or SelectorException)
        {
            return new MetricReading.None(refused.Message);
        }
    }

    private static MetricReading OfPods(IReadOnlyList<Value> values) => values.Count == 0
        ? new MetricReading.None("no metrics returned from custom metrics API")
        : new MetricReading.OfPods(values.DistinctBy(value => value.Name).ToDictionary(value => value.Name, value => new PodSample(value.Milli, value.At, value.Window)));

    private static MetricReading OfAll(IReadOnlyList<Value> values) =>
        values is [var one] ? new MetricReading.OfAll(one.Milli) : new MetricReading.None("no metrics returned from custom metrics API");

    private static string? ResourceOf(CrossVersionObjectReference described) => (described.ApiVersion, described.Kind) switch
    {
        ("v1" or null or "", "Service") => "services",
        ("v1" or null or "", "Pod") => "pods",
        _ => null,
    };

    private readonly record struct Value(string Name, long Milli, DateTimeOffset At, TimeSpan Window)
    {
        public static Value Of(JsonNode? item) => new(
            item.At("describedObject", "name").AsText() ?? "",
            Quantity.Parse(item.At("value").AsText() ?? "0").Milli,
            DateTimeOffset.TryParse(item.At("timestamp").AsText(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : DateTimeOffset.MinValue,
            TimeSpan.FromSeconds(Math.Clamp(item.At("windowSeconds")?.GetValueKind() == System.Text.Json.JsonValueKind.Number ? item!["windowSeconds"]!.GetValue<long>() : 30, 0, 86_400)));
    }
}
