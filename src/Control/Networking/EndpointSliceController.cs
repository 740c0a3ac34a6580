using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Networking;

/// <summary>Keeps the slices of each service: from its pods, or from the Endpoints that stand in for a selector.</summary>
internal sealed class EndpointSliceController
{
    private readonly CachedResource<EndpointSlice> _slices;
    private readonly ObjectCache<Service> _services;
    private readonly ObjectCache<Pod> _pods;
    private readonly ObjectCache<Node> _nodes;
    private readonly ObjectCache<Endpoints> _endpoints;
    private readonly CacheIndex<EndpointSlice> _slicesByService;

    private EndpointSliceController(ControllerTools tools)
    {
        _slices = tools.Resource<EndpointSlice>();
        _services = tools.Informers.Cache<Service>();
        _pods = tools.Informers.Cache<Pod>();
        _nodes = tools.Informers.Cache<Node>();
        _endpoints = tools.Informers.Cache<Endpoints>();
        _slicesByService = _slices.Cache.AddIndex(static slice => ServiceOf(slice) is { } key ? [key.ToString()] : []);
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var controller = new EndpointSliceController(tools);
        var loop = tools.Loop<ObjectKey>(controller.ReconcileAsync, () => controller._services.All().Select(service => service.Key()));
        controller._services.Subscribe(change => loop.Queue.Add(change.Current.Key()));
        controller._endpoints.Subscribe(change => loop.Queue.Add(change.Current.Key()));
        controller._pods.Subscribe(change => ServiceBackends.Notify(controller._services, change, loop.Queue));
        controller._slices.Cache.Subscribe(change =>
        {
            if (ServiceOf(change.Current) is { } key)
                loop.Queue.Add(key);
        });
        return loop;
    }

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var service = _services.Find(key);
        var existing = _slicesByService.Find(key.ToString());
        var own = existing.Where(slice => ManagerOf(slice) == ServiceSlices.Manager).ToList();
        var mirrored = existing.Where(slice => ManagerOf(slice) == MirroredSlices.Manager).ToList();

        if (service is not null && !service.IsTerminating() && EndpointPods.HasSelector(service))
        {
            var pods = _pods.InNamespace(key.Namespace).Where(pod => pod.IsSelectedBy(service)).ToList();
            var groups = ServiceSlices.Groups(service, pods, node => _nodes.Find(new ObjectKey("", node))?.Metadata.Labels);
            await ApplyAsync(SlicePlanner.Plan(ServiceSlices.Frame(service), groups, own));
        }

        if (_endpoints.Find(key) is { } endpoints && MirroredSlices.IsMirrored(service, endpoints))
            await ApplyAsync(SlicePlanner.Plan(MirroredSlices.Frame(endpoints), MirroredSlices.Groups(endpoints), mirrored));
        else if (mirrored.Count > 0)
            await ApplyAsync([.. mirrored.Select(slice => new SliceStep.Delete(slice))]);
        return null;

        Task ApplyAsync(System.Collections.Immutable.ImmutableArray<SliceStep> steps) => SliceWriter.ApplyAsync(_slices, key.Namespace, steps, cancellationToken);
    }

    private static string? ManagerOf(EndpointSlice slice) => slice.Metadata.Labels.GetValueOrDefault(ServiceSlices.ManagedBy);

    private static ObjectKey? ServiceOf(EndpointSlice slice) => slice.Metadata.Labels.TryGetValue(ServiceSlices.ServiceName, out var service)
        ? new ObjectKey(slice.Metadata.Namespace ?? "", service)
        : null;
}
