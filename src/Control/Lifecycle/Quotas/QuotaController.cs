using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Lifecycle;

/// <summary>
/// Counts what a new or changed quota finds in use, and counts again now and then. In between the API server itself keeps the count, with each write.
/// What is counted here was listed after the quota was read and is written on that revision of it: a write in between, which moves the quota, refuses it.
/// </summary>
internal sealed class QuotaController
{
    // A create that was on its way when the quota came has not been counted by it: it is over by then (the longest request takes a minute).
    private static readonly TimeSpan SecondLook = TimeSpan.FromMinutes(1);

    private static readonly IReadOnlySet<string> Detailed = new HashSet<string> { "pods", "services", "persistentvolumeclaims" };

    private readonly ControllerTools _tools;
    private readonly CachedResource<ResourceQuota> _quotas;

    private QuotaController(ControllerTools tools)
    {
        _tools = tools;
        _quotas = tools.Resource<ResourceQuota>();
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var controller = new QuotaController(tools);
        var loop = tools.Loop<ObjectKey>(controller.ReconcileAsync, () => controller._quotas.Cache.All().Select(quota => quota.Key()));
        controller._quotas.Cache.Subscribe(change =>
        {
            if (change.New is { } quota && QuotaPlanner.IsUnknown(quota))
                loop.Queue.Add(quota.Key());
        });
        return loop;
    }

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (await _quotas.FindLiveAsync(key, cancellationToken) is not { } quota || quota.IsTerminating())
            return null;
        var wasUnknown = QuotaPlanner.IsUnknown(quota);
        var objects = new List<QuotaObjects>();
        foreach (var (group, resource) in QuotaPlanner.Kinds(quota.Spec))
            objects.Add(new(group, resource, await ListAsync(key.Namespace, group, resource, cancellationToken)));

        var status = QuotaPlanner.Plan(quota.Spec, objects);
        var difference = Weft.Api.Patches.MergePatch.Diff(ApiJson.ToTree(quota.Status), ApiJson.ToTree(status));
        if (difference.Count > 0)
        {
            await _quotas.PatchStatusAsync(quota, Patch.Merge(new JsonObject
            {
                ["metadata"] = new JsonObject { ["uid"] = quota.Metadata.Uid, ["resourceVersion"] = quota.Metadata.ResourceVersion }, ["status"] = difference,
            }), cancellationToken);
        }
        return wasUnknown ? SecondLook : null;
    }

    private async Task<IReadOnlyList<JsonObject>> ListAsync(string @namespace, string group, string resource, CancellationToken cancellationToken)
    {
        try
        {
            // A quota may count kinds that come and go with their definitions.
            var version = group.Length == 0 ? "v1" : (await _tools.Client.GetJsonAsync("/apis/" + group, cancellationToken))["preferredVersion"]?["version"]?.GetValue<string>() ?? "v1";
            var kind = new ApiResource(new GroupVersionResource(group, version, resource), resource, Namespaced: true);
            if (group.Length == 0 && Detailed.Contains(resource))
                return (await _tools.Client.Raw(kind).ListAsync(@namespace, cancellationToken)).Items;
            return [.. (await _tools.Client.Metadata(kind).ListAsync(@namespace, cancellationToken)).Items.Select(_ => new JsonObject())];
        }
        catch (ApiStatusException missing) when (missing.IsNotFound)
        {
            return [];
        }
    }
}
