using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Networking;

/// <summary>Keeps the Endpoints of each service with a selector.</summary>
internal sealed class EndpointsController
{
    private readonly CachedResource<Endpoints> _endpoints;
    private readonly ObjectCache<Service> _services;
    private readonly ObjectCache<Pod> _pods;

    private EndpointsController(ControllerTools tools)
    {
        _endpoints = tools.Resource<Endpoints>();
        _services = tools.Informers.Cache<Service>();
        _pods = tools.Informers.Cache<Pod>();
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var controller = new EndpointsController(tools);
        var loop = tools.Loop<ObjectKey>(controller.ReconcileAsync, () => controller._services.All().Select(service => service.Key()));
        controller._services.Subscribe(change => loop.Queue.Add(change.Current.Key()));
        controller._endpoints.Cache.Subscribe(change => loop.Queue.Add(change.Current.Key()));
        controller._pods.Subscribe(change => ServiceBackends.Notify(controller._services, change, loop.Queue));
        return loop;
    }

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var existing = _endpoints.Cache.Find(key);
        if (_services.Find(key) is not { } service || service.IsTerminating())
        {
            // Only what this controller made: others keep leader records and the like in Endpoints.
            if (existing?.Metadata.Labels.GetValueOrDefault(EndpointsPlanner.ManagedBy) == EndpointsPlanner.Manager)
                await _endpoints.DeleteAsync(existing, cancellationToken);
            return null;
        }

        if (!EndpointPods.HasSelector(service))
            return null;
        var pods = _pods.InNamespace(key.Namespace).Where(pod => pod.IsSelectedBy(service)).ToList();
        var planned = EndpointsPlanner.Plan(service, existing, pods);
        if (existing is null)
            await _endpoints.CreateAsync(key.Namespace, planned, cancellationToken);
        else if (Patches.Object(existing, planned) is { } patch)
            await _endpoints.PatchAsync(existing, patch, cancellationToken);
        return null;
    }
}
