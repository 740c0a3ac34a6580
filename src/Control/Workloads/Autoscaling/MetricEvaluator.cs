using Weft.Api;
using Weft.Api.Autoscaling;

namespace Weft.Control.Workloads;

/// <summary>One metric of a spec and what was read of it: how many copies it asks for. Pure.</summary>
internal sealed class MetricEvaluator(AutoscalerInputs inputs, Tolerances tolerances, DateTimeOffset now)
{
    private int Current => inputs.Scale.Replicas;

    public MetricProposal Evaluate(MetricSpec metric, MetricReading reading) => metric switch
    {
        { Type: "Resource", Resource: { } source } => OfResource("FailedGetResourceMetric", source.Name, null, source.Target, reading,
            (name, value) => new MetricStatus { Type = "Resource", Resource = new ResourceMetricStatus { Name = name, Current = value } }),
        { Type: "ContainerResource", ContainerResource: { } source } => OfResource("FailedGetContainerResourceMetric", source.Name, source.Container, source.Target, reading,
            (name, value) => new MetricStatus { Type = "ContainerResource", ContainerResource = new ContainerResourceMetricStatus { Name = name, Container = source.Container, Current = value } }),
        { Type: "Pods", Pods: { } source } => OfPods(source, reading),
        { Type: "Object", Object: { } source } => OfOne("FailedGetObjectMetric", source.Metric.Name, $"{source.DescribedObject.Kind} metric {source.Metric.Name}", source.Target, reading,
            value => new MetricStatus { Type = "Object", Object = new ObjectMetricStatus { Metric = source.Metric, DescribedObject = source.DescribedObject, Current = value } }),
        { Type: "External", External: { } source } => OfOne("FailedGetExternalMetric", source.Metric.Name, $"external metric {source.Metric.Name}", source.Target, reading,
            value => new MetricStatus { Type = "External", External = new ExternalMetricStatus { Metric = source.Metric, Current = value } }),
        _ => new MetricProposal.Nothing("InvalidMetricSourceType", $"unknown metric source type \"{metric.Type}\""),
    };

    private MetricProposal OfResource(
        string reason, string resource, string? container, MetricTarget target, MetricReading reading, Func<string, MetricValueStatus, MetricStatus> status)
    {
        var what = target.AverageUtilization is null ? resource + " usage" : resource + " utilization";
        var kind = container is null ? "resource" : "container resource";
        MetricProposal Failed(string why) => new MetricProposal.Nothing(reason, $"failed to get {what}: {why}");

        if (Samples(reading, out var why) is not { } samples)
            return Failed($"unable to get metrics for resource {resource}: {why}");
        var groups = PodGroups.Of(inputs.Pods, samples, resource == "cpu", now);
        if (inputs.Pods.Count == 0)
            return Failed("no pods returned by selector while calculating replica count");
        if (groups.Measured.Count == 0)
            return Failed("did not receive metrics for targeted pods (pods might be unready)");

        var average = Average(groups.Measured);
        if (target.AverageUtilization is not { } percent)
        {
            return Plain(groups, target.AverageValue, $"{resource} {kind}", value => status(resource, value), average)
                ?? Failed("the target has neither averageValue nor averageUtilization");
        }

        if (RequestedAmounts.Of(inputs.Pods, resource, container, out var missing) is not { } requests)
            return Failed(missing);
        int? Utilization(IReadOnlyDictionary<string, long> figures)
        {
            Int128 used = 0, requested = 0;
            foreach (var (pod, figure) in figures)
            {
                if (requests.TryGetValue(pod, out var request))
                    (used, requested) = (used + figure, requested + request);
            }
            return requested == 0 ? null : (int)Int128.Min(int.MaxValue, used * 100 / requested);
        }

        var measured = Utilization(groups.Measured.ToDictionary(pair => pair.Key, pair => pair.Value.Milli));
        // A pod that is not measured is taken to use all it requested, or as much as it should if that is more.
        var replicas = ReplicaMath.ForPods(Current, groups, tolerances, figures => Utilization(figures) / (double)percent,
            pod => (long)Int128.Min(long.MaxValue, (Int128)requests.GetValueOrDefault(pod) * Math.Max(100, percent) / 100));
        return replicas is null || measured is null
            ? Failed($"the pods request no {resource}")
            : new MetricProposal.Wants(replicas.Value, $"{resource} {kind} utilization (percentage of request)",
                status(resource, new MetricValueStatus { AverageUtilization = measured, AverageValue = Quantity.FromMilli(average) }));
    }

    private MetricProposal OfPods(PodsMetricSource source, MetricReading reading)
    {
        MetricProposal Failed(string why) => new MetricProposal.Nothing("FailedGetPodsMetric", $"unable to get metric {source.Metric.Name}: {why}");
        if (Samples(reading, out var why) is not { } samples)
            return Failed(why);
        var groups = PodGroups.Of(inputs.Pods, samples, isCpu: false, now);
        if (groups.Measured.Count == 0)
            return Failed("did not receive metrics for targeted pods (pods might be unready)");
        return Plain(groups, source.Target.AverageValue, $"pods metric {source.Metric.Name}",
            value => new MetricStatus { Type = "Pods", Pods = new PodsMetricStatus { Metric = source.Metric, Current = value } }, Average(groups.Measured)) ?? Failed("the target has no averageValue");
    }

    private MetricProposal? Plain(PodGroups groups, Quantity? target, string name, Func<MetricValueStatus, MetricStatus> status, long average)
    {
        if (target is not { Sign: > 0 } wanted)
            return null;
        var replicas = ReplicaMath.ForPods(Current, groups, tolerances, figures => figures.Values.Average(figure => (double)figure) / wanted.Milli, _ => wanted.Milli);
        return new MetricProposal.Wants(replicas ?? Current, name, status(new MetricValueStatus { AverageValue = Quantity.FromMilli(average) }));
    }

    private MetricProposal OfOne(string reason, string metric, string name, MetricTarget target, MetricReading reading, Func<MetricValueStatus, MetricStatus> status)
    {
        MetricProposal Failed(string why) => new MetricProposal.Nothing(reason, $"unable to get metric {metric}: {why}");
        if (reading is not MetricReading.OfAll(var milli))
            return Failed(reading is MetricReading.None(var why) ? why : "the source answered for single pods");
        if (target.AverageValue is { Sign: > 0 } each)
        {
            var average = inputs.Scale.StatusReplicas > 0 ? milli / inputs.Scale.StatusReplicas : milli;
            return new MetricProposal.Wants(ReplicaMath.ForAverage(inputs.Scale.StatusReplicas, milli, each.Milli, tolerances), name, status(new MetricValueStatus { AverageValue = Quantity.FromMilli(average) }));
        }
        if (target.Value is not { Sign: > 0 } all)
            return Failed("the target has neither value nor averageValue");
        var ready = inputs.Pods.Count(pod => pod.Status.Phase == "Running" && pod.IsReady());
        return new MetricProposal.Wants(ReplicaMath.ForValue(Current, ready, milli / (double)all.Milli, tolerances), name, status(new MetricValueStatus { Value = Quantity.FromMilli(milli) }));
    }

    private static IReadOnlyDictionary<string, PodSample>? Samples(MetricReading reading, out string why)
    {
        why = reading switch { MetricReading.None none => none.Why, MetricReading.OfAll => "the source answered for all pods together", _ => "" };
        return (reading as MetricReading.OfPods)?.ByPod;
    }

    private static long Average(IReadOnlyDictionary<string, PodSample> samples)
    {
        Int128 sum = 0;
        foreach (var sample in samples.Values)
            sum += sample.Milli;
        return (long)(sum / samples.Count);
    }
}
