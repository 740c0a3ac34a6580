using Weft.Api.Apps;

namespace Weft.Control.Workloads;

/// <summary>A Deployment's conditions while a plan is being made.</summary>
internal sealed class ConditionSet(IReadOnlyList<DeploymentCondition> conditions, DateTimeOffset now)
{
    private readonly List<DeploymentCondition> _all = [.. conditions];

    public IReadOnlyList<DeploymentCondition> All => [.. _all];

    public DeploymentCondition? Find(string type) => _all.Find(condition => condition.Type == type);

    /// <summary>No change when status and reason are the same: the message alone is not news.</summary>
    public void Set(string type, string status, string reason, string message)
    {
        var before = Find(type);
        if (before is not null && before.Status == status && before.Reason == reason)
            return;
        Replace(before, new DeploymentCondition
        {
            Type = type, Status = status, Reason = reason, Message = message,
            LastUpdateTime = now,
            LastTransitionTime = before?.Status == status ? before.LastTransitionTime : now,
        });
    }

    /// <summary>Status True with a new update time, also when nothing else changes: the progress deadline counts from it.</summary>
    public void Touch(string type, string reason, string message)
    {
        var before = Find(type);
        Replace(before, new DeploymentCondition
        {
            Type = type, Status = "True", Reason = reason, Message = message,
            LastUpdateTime = now,
            LastTransitionTime = before?.Status == "True" ? before.LastTransitionTime : now,
        });
    }

    public void Remove(string type) => _all.RemoveAll(condition => condition.Type == type);

    private void Replace(DeploymentCondition? before, DeploymentCondition after)
    {
        if (before is null)
            _all.Add(after);
        else
            _all[_all.IndexOf(before)] = after;
    }
}
