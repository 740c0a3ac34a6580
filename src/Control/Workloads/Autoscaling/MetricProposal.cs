using Weft.Api.Autoscaling;

namespace Weft.Control.Workloads;

/// <summary>What one metric asks for.</summary>
public abstract record MetricProposal
{
    private MetricProposal()
    {
    }

    /// <param name="Name">For people: `cpu resource utilization (percentage of request)`.</param>
    public sealed record Wants(int Replicas, string Name, MetricStatus Status) : MetricProposal;

    /// <param name="Reason">Kubernetes' word: FailedGetResourceMetric, ...</param>
    public sealed record Nothing(string Reason, string Why) : MetricProposal;
}
