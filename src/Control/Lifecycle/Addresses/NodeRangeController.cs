using System.Net;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Lifecycle;

/// <summary>Gives each node its range of pod addresses (`spec.podCIDR`), once: the field cannot be changed afterwards.</summary>
internal static class NodeRangeController
{
    public static IControllerLoop Create(ControllerTools tools, IPNetwork cluster)
    {
        var nodes = tools.Resource<Node>();
        // One worker: two nodes must not be given the same range.
        var loop = tools.Loop<ObjectKey>(ReconcileAsync, () => nodes.Cache.All().Select(node => node.Key()), workers: 1);
        nodes.Cache.Subscribe(change =>
        {
            if (change.New is { } node && (string.IsNullOrEmpty(node.Spec.PodCIDR) || change.Old is null))
                loop.Queue.Add(node.Key());
        });
        return loop;

        async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
        {
            if (nodes.Cache.Find(key) is not { } node || node.IsTerminating() || node.Metadata.Labels.ContainsKey(NodeRangePlanner.SimulatedLabel))
                return null;
            var (range, problem) = NodeRangePlanner.Plan(node, nodes.Cache.All(), cluster);
            if (problem is not null)
                tools.Events.Warning(node, range is null ? "CIDRNotAvailable" : "CIDRConflict", problem);
            if (range is not null && string.IsNullOrEmpty(node.Spec.PodCIDR))
            {
                await nodes.PatchAsync(node, Patch.Merge(new JsonObject
                {
                    ["metadata"] = new JsonObject { ["uid"] = node.Metadata.Uid, ["resourceVersion"] = node.Metadata.ResourceVersion },
                    ["spec"] = new JsonObject { ["podCIDR"] = range, ["podCIDRs"] = new JsonArray(range) },
                }), cancellationToken);
            }

            // A range may be free again when another node is deleted.
            return range is null ? TimeSpan.FromSeconds(30) : null;
        }
    }
}
