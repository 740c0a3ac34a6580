using System.Globalization;
using Weft.Api;
using Weft.Api.Autoscaling;
using Weft.Api.Metrics;
using Weft.Client;

namespace Weft.Control.Workloads;

/// <summary>Metrics that are no CPU and no memory: of pods and objects (custom.metrics.k8s.io) and from outside (external.metrics.k8s.io).</summary>
internal interface IOtherMetrics
{
    Task<MetricReading> ReadAsync(string @namespace, MetricSpec metric, string podSelector, CancellationToken cancellationToken);
}

/// <summary>What the metrics of a spec are now.</summary>
internal sealed class MetricSources(KubeClient client, IOtherMetrics other)
{
    public async Task<IReadOnlyList<MetricReading>> ReadAsync(string @namespace, IReadOnlyList<MetricSpec> metrics, string podSelector, CancellationToken cancellationToken)
    {
        var readings = new List<MetricReading>();
        (IReadOnlyList<PodMetrics>? Pods, string Why)? usage = null;
        foreach (var metric in metrics)
        {
            if (metric.Type is not ("Resource" or "ContainerResource"))
            {
                readings.Add(await other.ReadAsync(@namespace, metric, podSelector, cancellationToken));
                continue;
            }
            usage ??= await UsageAsync(@namespace, podSelector, cancellationToken);
            readings.Add(usage.Value.Pods is { } pods
                ? new MetricReading.OfPods(Samples(pods, metric.Resource?.Name ?? metric.ContainerResource?.Name ?? "", metric.ContainerResource?.Container))
                : new MetricReading.None(usage.Value.Why));
        }
        return readings;
    }

    private async Task<(IReadOnlyList<PodMetrics>? Pods, string Why)> UsageAsync(string @namespace, string podSelector, CancellationToken cancellationToken)
    {
        try
        {
            var list = await client.For<PodMetrics>().ListAsync(@namespace, cancellationToken, new ListOptions { LabelSelector = podSelector });
            return list.Items.Count > 0 ? (list.Items, "") : (null, "no metrics returned from resource metrics API");
        }
        catch (ApiStatusException refused)
        {
            return (null, $"unable to fetch metrics from resource metrics API: {refused.Message}");
        }
    }

    /// <summary>By pod: the sum of its containers, or one of them. A pod of which a container was not measured is left out: half a sum is no figure.</summary>
    internal static Dictionary<string, PodSample> Samples(IReadOnlyList<PodMetrics> pods, string resource, string? container)
    {
        var samples = new Dictionary<string, PodSample>();
        foreach (var pod in pods)
        {
            var counted = pod.Containers.Where(one => container is null || one.Name == container).ToList();
            if (counted.Count == 0 || counted.Any(one => !one.Usage.ContainsKey(resource)))
                continue;
            var sum = counted.Aggregate(Quantity.Zero, (total, one) => total + one.Usage[resource]);
            samples[pod.Metadata.Name ?? ""] = new PodSample(sum.Milli, pod.Timestamp ?? DateTimeOffset.MinValue, Window(pod.Window));
        }
        return samples;
    }

    // metav1.Duration in Go's form: 15s, 1m30s, 15.2s. What cannot be read is the usual window.
    internal static TimeSpan Window(string text)
    {
        double seconds = 0;
        var rest = text.AsSpan();
        while (rest.Length > 0)
        {
            var digits = rest.IndexOfAnyExcept("0123456789.");
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount))
                return TimeSpan.FromSeconds(30);
            var isMilli = rest[digits..].StartsWith("ms");
            var unit = isMilli ? 0.001 : rest[digits] switch { 'h' => 3600, 'm' => 60, 's' => 1, _ => 0 };
            seconds += amount * unit;
            rest = rest[(digits + (isMilli ? 2 : 1))..];
        }
        return TimeSpan.FromSeconds(Math.Min(seconds, 86_400));
    }
}
