using Weft.Api;
using Weft.Api.Autoscaling;
using Weft.Api.Core;
using Weft.Control.Workloads;

namespace Weft.Control.Tests.Workloads.Autoscaling;

/// <summary>A workload with an autoscaler, as a planner sees it; pods are web-0, web-1, ...</summary>
internal sealed record Autoscaled
{
    public static readonly DateTimeOffset Now = Make.Now;

    public HorizontalPodAutoscalerSpec Spec { get; init; } = new()
    {
        ScaleTargetRef = new CrossVersionObjectReference { ApiVersion = "apps/v1", Kind = "Deployment", Name = "web" },
        MinReplicas = 1, MaxReplicas = 10, Metrics = [Cpu(50)],
    };

    public HorizontalPodAutoscalerStatus Status { get; init; } = new();
    public ScaleView Scale { get; init; } = new(1, 1, "app=web");
    public IReadOnlyList<Pod> Pods { get; init; } = [];
    public IReadOnlyList<MetricReading> Readings { get; init; } = [];
    public AutoscalerHistory History { get; init; } = AutoscalerHistory.Empty;

    public HorizontalPodAutoscaler Autoscaler => new()
    {
        Metadata = new ObjectMeta { Name = "web", Namespace = "default", Uid = "uid-hpa", Generation = 3 }, Spec = Spec, Status = Status,
    };

    /// <summary>Pods that each request one core, with what they use in thousandths of it; null: not measured.</summary>
    public static Autoscaled Using(params int?[] milliCores) => new()
    {
        Scale = new ScaleView(milliCores.Length, milliCores.Length, "app=web"),
        Pods = [.. milliCores.Select((_, index) => Pod(index))],
        Readings = [Samples(milliCores)],
    };

    public static MetricReading.OfPods Samples(params int?[] milli) => new(milli
        .Select((value, index) => (Name: $"web-{index}", Value: value)).Where(pod => pod.Value is not null)
        .ToDictionary(pod => pod.Name, pod => new PodSample(pod.Value!.Value, Now, TimeSpan.FromSeconds(10))));

    public static MetricSpec Cpu(int percent) => new()
    {
        Type = "Resource", Resource = new ResourceMetricSource { Name = "cpu", Target = new MetricTarget { Type = "Utilization", AverageUtilization = percent } },
    };

    public static MetricSpec CpuValue(string average) => new()
    {
        Type = "Resource", Resource = new ResourceMetricSource { Name = "cpu", Target = new MetricTarget { Type = "AverageValue", AverageValue = Quantity.Parse(average) } },
    };

    public static MetricSpec External(string? value = null, string? average = null) => new()
    {
        Type = "External",
        External = new ExternalMetricSource
        {
            Metric = new MetricIdentifier { Name = "queue" },
            Target = new MetricTarget
            {
                Type = value is null ? "AverageValue" : "Value", Value = value is null ? null : Quantity.Parse(value), AverageValue = average is null ? null : Quantity.Parse(average),
            },
        },
    };

    public static Pod Pod(int index, string phase = "Running", bool ready = true, TimeSpan? age = null, TimeSpan? readyFor = null, string? request = "1", bool terminating = false)
    {
        var pod = Make.Pod($"web-{index}", phase: phase, ready: ready, age: age, readyFor: readyFor, terminating: terminating);
        Dictionary<string, Quantity> requests = request is null ? [] : new() { ["cpu"] = Quantity.Parse(request) };
        return pod with
        {
            Spec = pod.Spec with { Containers = [new Container { Name = "main", Resources = new ResourceRequirements { Requests = requests } }] },
            Status = pod.Status with { StartTime = Now - (age ?? TimeSpan.FromHours(1)) },
        };
    }

    public AutoscalerInputs Inputs => new(Autoscaler, Scale, Pods, Readings, History);

    public AutoscalingPlan Plan(DateTimeOffset? now = null) => AutoscalingPlanner.Plan(Inputs, now ?? Now);

    /// <summary>What the number of copies is after the plan.</summary>
    public int Replicas => Plan().ScaleTo ?? Scale.Replicas;

    /// <summary>`Status Reason` of a condition after the plan.</summary>
    public static string Condition(AutoscalingPlan plan, string type) =>
        plan.Status.Conditions.SingleOrDefault(condition => condition.Type == type) is { } found ? $"{found.Status} {found.Reason}" : "absent";
}
