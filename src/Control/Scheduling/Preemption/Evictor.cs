using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Scheduling.Explain;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Preemption;

/// <summary>Carries out a preemption: nominates the node and deletes the victims, each with its grace. In Kubernetes' words.</summary>
internal sealed class Evictor(KubeClient client, PodReports reports, TimeProvider time)
{
    public async Task MakeRoomAsync(PodInfo pod, PreemptionPlan plan, CancellationToken cancellationToken)
    {
        var pods = client.For<Pod>();
        await pods.PatchStatusAsync(pod.Key, Patch.Merge(new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = pod.Pod.Metadata.Uid }, ["status"] = new JsonObject { ["nominatedNodeName"] = plan.Node },
        }), cancellationToken);
        foreach (var victim in plan.Victims.Where(v => v.Pod.Metadata.DeletionTimestamp is null))
        {
            try
            {
                await pods.PatchStatusAsync(victim.Key, Patch.Strategic(Condition(victim)), cancellationToken);
                await pods.DeleteAsync(victim.Key, cancellationToken, new Deletion { Uid = victim.Pod.Metadata.Uid });
                await reports.PreemptedAsync(victim, pod, plan.Node, cancellationToken);
            }
            catch (ApiStatusException gone) when (gone.IsNotFound || gone.IsConflict)
            {
                // It has made room by itself.
            }
        }
    }

    private JsonObject Condition(PodInfo victim) => new()
    {
        ["metadata"] = new JsonObject { ["uid"] = victim.Pod.Metadata.Uid },
        ["status"] = new JsonObject
        {
            ["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "DisruptionTarget", ["status"] = "True", ["reason"] = "PreemptionByScheduler",
                ["message"] = "default-scheduler: preempting to accommodate a higher priority pod",
                ["lastTransitionTime"] = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
            }),
        },
    };
}
