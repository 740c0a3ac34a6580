using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Json;
using Weft.Api.Patches;
using Weft.Client;
using Weft.Control.Configuration;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Feed;
using Weft.Control.Runtime;

namespace Weft.Control.Mesh.Status;

/// <summary>Tells objects what the mesh makes of them, and when it serves by them. Writes a status only when it would say something else.</summary>
internal sealed class MeshStatusWriter : IDisposable
{
    // Proxies acknowledge within milliseconds: one write says it all where "not yet" would be a second one.
    private static readonly TimeSpan Courtesy = TimeSpan.FromMilliseconds(500);

    private readonly IReadOnlyDictionary<string, StatusTarget> _targets;
    private readonly KubeClient _client;
    private readonly ConfigHub _hub;
    private readonly TimeProvider _time;
    private readonly ControllerLoop<ObjectRef> _loop;
    private readonly List<IDisposable> _subscriptions = [];
    private readonly ConcurrentDictionary<ObjectRef, bool> _unserved = [];
    private IReadOnlyDictionary<ObjectRef, ObjectVerdict> _verdicts = FrozenDictionary<ObjectRef, ObjectVerdict>.Empty;
    private IReadOnlyDictionary<ObjectRef, string> _rejections = FrozenDictionary<ObjectRef, string>.Empty;

    public MeshStatusWriter(IReadOnlyDictionary<string, StatusTarget> targets, KubeClient client, ConfigHub hub, TimeProvider time, Random random, ILogger logger)
    {
        (_targets, _client, _hub, _time) = (targets, client, hub, time);
        _loop = new("mesh-controller", ReconcileAsync, () => Volatile.Read(ref _verdicts).Keys, time, random, logger);
        foreach (var (kind, target) in targets)
            _subscriptions.Add(target.Feed.SubscribeToObjects(change => _loop.Queue.Add(new(kind, change.Current.Metadata.Namespace ?? "", change.Current.Metadata.Name ?? ""))));
    }

    /// <summary>What holds from now on. One caller at a time.</summary>
    public void Tell(IReadOnlyDictionary<ObjectRef, ObjectVerdict> verdicts)
    {
        var before = Volatile.Read(ref _verdicts);
        Volatile.Write(ref _verdicts, verdicts);
        foreach (var (about, verdict) in verdicts)
        {
            if (!ReferenceEquals(verdict, before.GetValueOrDefault(about)))
                _loop.Queue.Add(about);
        }
    }

    /// <summary>Objects whose units proxies refuse.</summary>
    public void Reject(IReadOnlyDictionary<ObjectRef, string> rejections)
    {
        var before = Volatile.Read(ref _rejections);
        Volatile.Write(ref _rejections, rejections);
        // Services and Ingresses have no status of the mesh's.
        foreach (var about in rejections.Keys.Union(before.Keys).Where(about => _targets.ContainsKey(about.Kind) && rejections.GetValueOrDefault(about) != before.GetValueOrDefault(about)))
            _loop.Queue.Add(about);
    }

    /// <summary>Proxies have said something: those that wait for it are looked at again.</summary>
    public void Heard()
    {
        foreach (var about in _unserved.Keys)
            _loop.Queue.Add(about);
    }

    public Task RunAsync(CancellationToken stopping) => _loop.RunAsync(stopping);

    private async Task<TimeSpan?> ReconcileAsync(ObjectRef about, CancellationToken cancellationToken)
    {
        var target = _targets[about.Kind];
        var value = target.Find(new(about.Namespace, about.Name));
        // Another verdict follows as soon as this state of the object is compiled.
        if (value is null || value.IsTerminating() || !Volatile.Read(ref _verdicts).TryGetValue(about, out var verdict) || !verdict.IsOf(value))
        {
            _unserved.TryRemove(about, out _);
            return null;
        }

        // Marked before the look, so that what is said in between is not missed.
        _unserved[about] = true;
        var proxies = _hub.Look().Proxies;
        var progress = proxies.Count == 0 ? Progress.NoProxies : proxies.All(proxy => proxy.Version >= verdict.Version) ? Progress.Served : Progress.Pending;
        if (progress == Progress.Served)
            _unserved.TryRemove(about, out _);
        var isInvalid = verdict.Diagnostics.Any(problem => problem.Severity == Severity.Error);
        if (progress == Progress.Pending && !isInvalid && verdict.Since + Courtesy - _time.GetUtcNow() is { Ticks: > 0 } courtesy)
            return courtesy;
        var status = target.StatusOf(value);
        var planned = MeshStatusPlanner.Plan(status, verdict, progress, Volatile.Read(ref _rejections).GetValueOrDefault(about), _time.GetUtcNow());
        var difference = MergePatch.Diff(ApiJson.ToTree(status), ApiJson.ToTree(planned));
        if (difference.Count == 0)
            return null;
        // Of this life, and as it was read: a list is replaced whole.
        var identity = new JsonObject { ["uid"] = value.Metadata.Uid, ["resourceVersion"] = value.Metadata.ResourceVersion };
        await _client.Raw(target.Feed.Resource).PatchStatusAsync(value.Key(), Patch.Merge(new() { ["metadata"] = identity, ["status"] = difference }), cancellationToken);
        return null;
    }

    public void Dispose()
    {
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
        _loop.Dispose();
    }
}
