using Weft.Api.Autoscaling;

namespace Weft.Control.Workloads;

/// <summary>An autoscaler's conditions while a plan is being made.</summary>
internal sealed class AutoscalerConditions(IReadOnlyList<HorizontalPodAutoscalerCondition> before, DateTimeOffset now)
{
    private readonly List<HorizontalPodAutoscalerCondition> _all = [.. before];

    public IReadOnlyList<HorizontalPodAutoscalerCondition> All => [.. _all];

    public void Set(string type, bool isTrue, string reason, string message)
    {
        var at = _all.FindIndex(condition => condition.Type == type);
        var status = isTrue ? "True" : "False";
        // The time is of the last change since the object was read, however often a plan sets it.
        var old = before.FirstOrDefault(condition => condition.Type == type);
        var next = new HorizontalPodAutoscalerCondition
        {
            Type = type, Status = status, Reason = reason, Message = message,
            LastTransitionTime = old?.Status == status ? old.LastTransitionTime : now,
        };
        if (at < 0)
            _all.Add(next);
        else
            _all[at] = next;
    }
}
