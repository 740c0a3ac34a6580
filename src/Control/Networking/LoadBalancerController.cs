using System.Net;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Networking;

/// <summary>
/// Gives each LoadBalancer service an address of its own at once, from a pool that leads to the cluster on every node. One worker: what it gave out
/// shows in its own cache before it gives out the next.
/// </summary>
internal sealed class LoadBalancerController
{
    private readonly CachedResource<Service> _services;
    private readonly EventRecorder _events;
    private readonly IPNetwork _pool;

    private LoadBalancerController(ControllerTools tools, string pool)
    {
        _services = tools.Resource<Service>();
        _events = tools.Events;
        _pool = IPNetwork.Parse(pool);
    }

    /// <param name="pool">As a network, such as 10.97.0.0/20.</param>
    public static IControllerLoop Create(ControllerTools tools, string pool)
    {
        var controller = new LoadBalancerController(tools, pool);
        var loop = tools.Loop<ObjectKey>(
            controller.ReconcileAsync, () => controller._services.Cache.All().Where(LoadBalancerPlanner.Serves).Select(service => service.Key()), workers: 1);
        controller._services.Cache.Subscribe(change =>
        {
            if (change.New is { } service && LoadBalancerPlanner.Serves(service))
                loop.Queue.Add(service.Key());
            else if (change.Old is { } gone && Address(gone) is not null)
                controller.AddWaiting(loop.Queue);   // an address is free again
        });
        return loop;
    }

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_services.Cache.Find(key) is not { } service || service.IsTerminating() || !LoadBalancerPlanner.Serves(service))
            return null;
        var taken = _services.Cache.All().Where(other => other.Key() != key && LoadBalancerPlanner.Serves(other)).Select(Address).OfType<string>().ToHashSet();
        var plan = LoadBalancerPlanner.Plan(service, _pool, taken);
        if (plan.Problem is { } problem)
            _events.Warning(service, "LoadBalancerAddress", problem);
        if (plan.Address is not { } address || (address == Address(service) && service.Status.LoadBalancer!.Ingress.Count == 1))
            return null;

        // VIP: packets reach the nodes with this very address, so a pod's may be answered without leaving the node.
        var wanted = service.Status with { LoadBalancer = new LoadBalancerStatus { Ingress = [new LoadBalancerIngress { Ip = address, IpMode = "VIP" }] } };
        if (Patches.Status(service, service.Status, wanted) is { } patch)
        {
            await _services.PatchStatusAsync(service, patch, cancellationToken);
            _events.Normal(service, "EnsuredLoadBalancer", $"The service has the address {address}");
        }
        return null;
    }

    private void AddWaiting(WorkQueue<ObjectKey> queue)
    {
        foreach (var service in _services.Cache.All().Where(service => LoadBalancerPlanner.Serves(service) && Address(service) is null))
            queue.Add(service.Key());
    }

    private static string? Address(Service service) => service.Status.LoadBalancer?.Ingress.FirstOrDefault()?.Ip;
}
