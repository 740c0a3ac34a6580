using Weft.Api.Apps;

namespace Weft.Control.Workloads;

/// <summary>How far a rolling update may leave the wanted number of pods.</summary>
/// <param name="Desired">Wanted pods.</param>
/// <param name="MaxSurge">Pods above it.</param>
/// <param name="MaxUnavailable">Pods below it.</param>
internal sealed record RolloutLimits(int Desired, int MaxSurge, int MaxUnavailable)
{
    public int MaxTotal => Desired + MaxSurge;

    public int MinAvailable => Desired - MaxUnavailable;

    public static RolloutLimits Of(Deployment deployment)
    {
        var desired = deployment.Spec.Replicas ?? 1;
        if (IsRecreate(deployment))
            return new RolloutLimits(desired, 0, 0);
        var settings = deployment.Spec.Strategy?.RollingUpdate;
        // 25 % each is Kubernetes' default; a surge rounds up and a shortage down, so that both err on the side of service.
        var surge = (settings?.MaxSurge ?? "25%").ScaledBy(desired, roundUp: true) ?? 0;
        var unavailable = (settings?.MaxUnavailable ?? "25%").ScaledBy(desired, roundUp: false) ?? 0;
        if (surge == 0 && unavailable == 0)
            unavailable = 1; // two percentages that round to nothing would stop every rollout
        return new RolloutLimits(desired, surge, Math.Min(unavailable, desired));
    }

    public static bool IsRecreate(Deployment deployment) => deployment.Spec.Strategy?.Type == "Recreate";
}
