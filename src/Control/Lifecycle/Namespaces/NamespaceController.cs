using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Lifecycle;

/// <summary>Empties namespaces that are being deleted, then lets them go.</summary>
internal sealed class NamespaceController
{
    private const string Finalizer = "kubernetes";

    // The last pod of a namespace usually goes within its grace; what waits for a finalizer may wait for days.
    private static readonly TimeSpan Soonest = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Latest = TimeSpan.FromSeconds(15);

    private readonly ControllerTools _tools;
    private readonly CachedResource<Namespace> _namespaces;
    private readonly NamespaceEmptier _emptier;

    private NamespaceController(ControllerTools tools)
    {
        _tools = tools;
        _namespaces = tools.Resource<Namespace>();
        _emptier = new NamespaceEmptier(tools.Client);
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var controller = new NamespaceController(tools);
        var loop = tools.Loop<ObjectKey>(controller.ReconcileAsync, () => controller._namespaces.Cache.All().Select(ns => ns.Key()), workers: 4);
        controller._namespaces.Cache.Subscribe(change =>
        {
            if (change.New?.IsTerminating() == true)
                loop.Queue.Add(change.New.Key());
        });
        // Pods are what a namespace usually waits for: the next step need not wait for the clock.
        tools.Informers.Cache<Pod>().Subscribe(change =>
        {
            if (change.New is null && controller._namespaces.Cache.Find(new ObjectKey("", change.Current.Metadata.Namespace ?? ""))?.IsTerminating() == true)
                loop.Queue.Add(new ObjectKey("", change.Current.Metadata.Namespace ?? ""));
        });
        return loop;
    }

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_namespaces.Cache.Find(key) is not { } cached || !cached.IsTerminating() || !cached.Spec.Finalizers.Contains(Finalizer))
            return null;
        // What follows destroys everything in it: the server itself must say that this namespace is to go.
        if (await _namespaces.FindLiveAsync(key, cancellationToken) is not { } live || live.Metadata.Uid != cached.Metadata.Uid || !live.IsTerminating())
            return null;

        var content = await _emptier.EmptyAsync(key.Name, cancellationToken);
        var now = _tools.Time.GetUtcNow();
        var conditions = NamespaceConditionsPlanner.Plan(live.Status.Conditions, content, now);
        if (!content.IsEmpty)
        {
            if (Patches.Status(live, live.Status, live.Status with { Conditions = conditions }) is { } patch)
                await _namespaces.PatchStatusAsync(live, patch, cancellationToken);
            // Ever less often, the longer it lasts.
            var waited = now - live.Metadata.DeletionTimestamp!.Value;
            return TimeSpan.FromTicks(Math.Clamp(waited.Ticks / 4, Soonest.Ticks, Latest.Ticks));
        }

        await FinalizeAsync(key, live, cancellationToken);
        return null;
    }

    private async Task FinalizeAsync(ObjectKey key, Namespace live, CancellationToken cancellationToken)
    {
        var raw = _tools.Client.Raw(ApiResources.Of<Namespace>());
        var tree = await raw.FindAsync(key, cancellationToken);
        if (tree?["metadata"]?["uid"]?.GetValue<string>() != live.Metadata.Uid || tree?["spec"]?["finalizers"] is not JsonArray finalizers)
            return;
        finalizers.RemoveAll(name => name?.GetValue<string>() == Finalizer);
        await raw.UpdateAsync(key, tree, cancellationToken, new WriteOptions { Subresource = "finalize" });
    }
}
