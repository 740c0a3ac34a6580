using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Istio;
using Weft.Api.Patches;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Mesh.Addresses;

/// <summary>Writes into the statuses of service entries which addresses their hosts have been given. The mesh uses an address when it stands there, and not before.</summary>
internal sealed class HostAddressWriter : IDisposable
{
    private readonly Informer<ServiceEntry> _entries;
    private readonly KubeClient _client;
    private readonly ControllerLoop<ObjectKey> _loop;
    private HostAddresses _plan = HostAddresses.None;

    public HostAddressWriter(Informer<ServiceEntry> entries, KubeClient client, TimeProvider time, Random random, ILogger logger)
    {
        (_entries, _client) = (entries, client);
        _loop = new("mesh-controller", ReconcileAsync, () => _entries.Cache.All().Select(entry => entry.Key()), time, random, logger, workers: 1);
    }

    /// <summary>What is right from now on. One caller at a time.</summary>
    public void Tell(HostAddresses plan)
    {
        if (ReferenceEquals(plan, Volatile.Read(ref _plan)))
            return;
        Volatile.Write(ref _plan, plan);
        foreach (var entry in _entries.Cache.All().Where(entry => !IsWritten(entry, plan)))
            _loop.Queue.Add(entry.Key());
    }

    public Task RunAsync(CancellationToken stopping) => _loop.RunAsync(stopping);

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var plan = Volatile.Read(ref _plan);
        if (_entries.Cache.Find(key) is not { } entry || entry.IsTerminating() || IsWritten(entry, plan))
            return null;
        var addresses = new JsonArray([.. plan.Wanted[MeshIndex.Name(entry)].Select(given => (JsonNode)new JsonObject { ["host"] = given.Host, ["value"] = given.Value })]);
        // Of this life, and as it was read: what is planned by an older state may be another's by now.
        var identity = new JsonObject { ["uid"] = entry.Metadata.Uid, ["resourceVersion"] = entry.Metadata.ResourceVersion };
        var status = new JsonObject { ["addresses"] = addresses.Count == 0 ? null : addresses };
        await _client.Raw(_entries.Resource).PatchStatusAsync(key, Patch.Merge(new() { ["metadata"] = identity, ["status"] = status }), cancellationToken);
        return null;
    }

    private static bool IsWritten(ServiceEntry entry, HostAddresses plan) =>
        !plan.Wanted.TryGetValue(MeshIndex.Name(entry), out var wanted) || entry.Status.Addresses.Select(address => (address.Host, address.Value)).SequenceEqual(wanted.Select(address => ((string?)address.Host, (string?)address.Value)));

    public void Dispose() => _loop.Dispose();
}
