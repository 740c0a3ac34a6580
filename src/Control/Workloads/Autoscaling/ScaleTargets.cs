using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Autoscaling;
using Weft.Client;

namespace Weft.Control.Workloads;

/// <summary>The scale of anything that has one, built in or custom: found by kind, read and written through its subresource.</summary>
internal sealed class ScaleTargets(KubeClient client)
{
    // By what autoscalers name. What is served no more is found out when it is asked.
    private readonly ConcurrentDictionary<(string ApiVersion, string Kind), ApiResource> _known = new();

    /// <exception cref="ScaleException">There is no such kind or object, or it has no scale.</exception>
    public async Task<Found> FindAsync(string @namespace, CrossVersionObjectReference target, CancellationToken cancellationToken)
    {
        var name = (target.ApiVersion ?? "", target.Kind);
        if (!_known.TryGetValue(name, out var resource))
            _known[name] = resource = await DiscoverAsync(target, cancellationToken);
        // Who may write autoscalers in a namespace has no right to what belongs to the whole cluster.
        if (!resource.Namespaced)
            throw new ScaleException($"{resource.Resource.Qualified} are of the whole cluster: an autoscaler scales what is in its own namespace");
        var key = new ObjectKey(@namespace, target.Name);
        try
        {
            return new Found(client.Raw(resource), key, await client.Raw(resource).GetAsync(key, cancellationToken, "scale"));
        }
        catch (ApiStatusException refused) when (refused.Code is 404 or 403 or 405)
        {
            _known.TryRemove(name, out _);
            throw new ScaleException(refused.Message);
        }
    }

    private async Task<ApiResource> DiscoverAsync(CrossVersionObjectReference target, CancellationToken cancellationToken)
    {
        if (GroupVersionKind.ParseApiVersion(target.ApiVersion ?? "") is not var (group, version))
            throw new ScaleException($"no matches for kind \"{target.Kind}\" in version \"{target.ApiVersion}\"");
        try
        {
            var list = await client.GetJsonAsync(group.Length == 0 ? $"/api/{version}" : $"/apis/{group}/{version}", cancellationToken);
            foreach (var entry in list["resources"] as JsonArray ?? [])
            {
                if (entry?["kind"]?.GetValue<string>() == target.Kind && entry["name"]?.GetValue<string>() is { } plural && !plural.Contains('/'))
                    return new ApiResource(new GroupVersionResource(group, version, plural), target.Kind, entry["namespaced"]?.GetValue<bool>() ?? false);
            }
        }
        catch (ApiStatusException refused) when (refused.IsNotFound)
        {
            // The same to a reader: nobody serves it.
        }
        throw new ScaleException($"no matches for kind \"{target.Kind}\" in version \"{target.ApiVersion}\"");
    }

    /// <summary>A scale as it was read: its revision guards the write.</summary>
    internal sealed record Found(ResourceClient<JsonObject> Resource, ObjectKey Key, JsonObject Scale)
    {
        public ScaleView View => new(
            Number("spec"), Number("status"), Scale["status"]?["selector"]?.GetValue<string>() ?? "");

        // A custom kind may hold any number there.
        private int Number(string part) => (int)Math.Clamp(Scale[part]?["replicas"]?.GetValue<long>() ?? 0, 0, int.MaxValue);

        public Task SetAsync(int replicas, CancellationToken cancellationToken)
        {
            var changed = (JsonObject)Scale.DeepClone();
            changed["spec"] = new JsonObject { ["replicas"] = replicas };
            return Resource.UpdateAsync(Key, changed, cancellationToken, new WriteOptions { Subresource = "scale" });
        }
    }
}

/// <summary>A workload cannot be scaled; the message goes into the autoscaler's condition.</summary>
internal sealed class ScaleException(string message) : Exception(message);
