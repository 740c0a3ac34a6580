using Weft.Control.Scheduling.Explain;

namespace Weft.Control.Scheduling.Framework;

/// <summary>What the scheduler decided for one pod.</summary>
internal abstract record SchedulingResult
{
    /// <param name="Feasible">How many nodes passed; with many nodes only a sample is looked at.</param>
    /// <param name="Evaluated">How many were looked at.</param>
    public sealed record Placed(string Node, double Score, int Feasible, int Evaluated) : SchedulingResult;

    public sealed record Unschedulable(Diagnosis Diagnosis) : SchedulingResult;
}
