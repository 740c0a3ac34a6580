using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Api.Json;
using Weft.Api.Networking;
using Weft.Client;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Ingresses;
using Weft.Control.Networking;
using Weft.Control.Runtime;

namespace Weft.Control.FrontDoor;

/// <summary>Keeps what others see of the front door: its class, its Service with endpoints on every ready node, and the status and Events of Ingresses. Where nothing listens there is no Service.</summary>
internal sealed class FrontDoorController
{
    // Told at once of one Ingress; who has more has read enough.
    private const int MostEvents = 10;

    private enum Part { Class, Service, Ingress }

    private sealed record Work(Part Part, ObjectKey Key)
    {
        public static readonly Work TheClass = new(Part.Class, new ObjectKey("", IngressClasses.Name));

        public static readonly Work TheService = new(Part.Service, Door);
    }

    private static readonly ObjectKey Door = new(FrontDoorPlanner.Namespace, FrontDoorPlanner.Name);

    private readonly CachedResource<Namespace> _namespaces;
    private readonly CachedResource<Service> _services;
    private readonly CachedResource<EndpointSlice> _slices;
    private readonly CachedResource<Ingress> _ingresses;
    private readonly CachedResource<IngressClass> _classes;
    private readonly ObjectCache<Node> _nodes;
    private readonly EventRecorder _events;
    private readonly FrontDoorBoard _board;
    private readonly ConcurrentDictionary<ObjectKey, (string? Uid, ImmutableArray<MeshDiagnostic> Problems)> _told = [];
    private bool _hasClass;

    private FrontDoorController(ControllerTools tools, FrontDoorBoard board)
    {
        (_namespaces, _services, _slices) = (tools.Resource<Namespace>(), tools.Resource<Service>(), tools.Resource<EndpointSlice>());
        (_ingresses, _classes, _nodes) = (tools.Resource<Ingress>(), tools.Resource<IngressClass>(), tools.Informers.Cache<Node>());
        (_events, _board) = (tools.Events, board);
    }

    public static IControllerLoop Create(ControllerTools tools, FrontDoorBoard board)
    {
        var controller = new FrontDoorController(tools, board);
        var loop = tools.Loop<Work>(controller.ReconcileAsync, () => [Work.TheClass, Work.TheService, .. controller._ingresses.Cache.All().Select(Of)], workers: 2);
        controller._nodes.Subscribe(_ => loop.Queue.Add(Work.TheService));
        controller._namespaces.Cache.Subscribe(change =>
        {
            if (change.Current.Metadata.Name == FrontDoorPlanner.Namespace)
                loop.Queue.Add(Work.TheService);
        });
        controller._slices.Cache.Subscribe(change =>
        {
            if (FrontDoorPlanner.IsSlice(change.Current))
                loop.Queue.Add(Work.TheService);
        });
        controller._services.Cache.Subscribe(change =>
        {
            if (change.Current.Key() == Door)
                AddAll();
        });
        controller._ingresses.Cache.Subscribe(change => loop.Queue.Add(Of(change.Current)));
        board.Changed += AddAll;
        loop.Queue.Add(Work.TheClass);
        return loop;

        void AddAll()
        {
            loop.Queue.Add(Work.TheService);
            foreach (var ingress in controller._ingresses.Cache.All())
                loop.Queue.Add(Of(ingress));
        }
    }

    private static Work Of(Ingress ingress) => new(Part.Ingress, ingress.Key());

    private async Task<TimeSpan?> ReconcileAsync(Work work, CancellationToken cancellationToken)
    {
        // Before anything is compiled nothing is known, and nothing may be taken away.
        var state = _board.Current;
        switch (work.Part)
        {
            case Part.Class:
                await EnsureClassAsync(cancellationToken);
                break;
            case Part.Service when state is not null:
                await KeepServiceAsync(state, cancellationToken);
                break;
            case Part.Ingress when state is not null:
                await TellAsync(work.Key, state, cancellationToken);
                break;
        }

        return null;
    }

    // Once: who deletes or changes it has it so until the next start.
    private async Task EnsureClassAsync(CancellationToken cancellationToken)
    {
        if (_hasClass || _classes.Cache.Find(new ObjectKey("", IngressClasses.Name)) is not null)
            return;
        var isFirst = !_classes.Cache.All().Any(other => other.Metadata.Annotations.GetValueOrDefault(IngressClasses.IsDefault) == "true");
        try
        {
            await _classes.CreateAsync("", new IngressClass
            {
                Metadata = new() { Name = IngressClasses.Name, Annotations = isFirst ? new Dictionary<string, string> { [IngressClasses.IsDefault] = "true" } : new Dictionary<string, string>() },
                Spec = new() { Controller = IngressClasses.Controller },
            }, cancellationToken);
        }
        catch (ApiStatusException there) when (there.IsAlreadyExists)
        {
        }

        _hasClass = true;
    }

    private async Task KeepServiceAsync(FrontDoorState state, CancellationToken cancellationToken)
    {
        // Before anybody uses the door, too: it is also where policies of the whole mesh are applied.
        if (_namespaces.Cache.Find(new ObjectKey("", FrontDoorPlanner.Namespace)) is null)
            await CreateNamespaceAsync(cancellationToken);
        var service = _services.Cache.Find(Door);
        if (service is not null && !FrontDoorPlanner.IsOurs(service))
        {
            if (!state.Listeners.IsEmpty)
                _events.Warning(service, "NotTheFrontDoor", $"The Service was not made by the front door, which is not reached by it; delete it, or label it {FrontDoorPlanner.Label}=true");
            return;
        }

        if (service?.IsTerminating() == true)
            return;
        if (state.Listeners.IsEmpty)
        {
            if (service is not null)
                await _services.DeleteAsync(service, cancellationToken);
            return;
        }

        service ??= await _services.CreateAsync(FrontDoorPlanner.Namespace, FrontDoorPlanner.Create(state.Listeners), cancellationToken);
        var ports = FrontDoorPlanner.Ports(service.Spec.Ports, state.Listeners);
        if (!ports.SequenceEqual(service.Spec.Ports))
            service = await _services.PatchAsync(service, PortsPatch(service, ports), cancellationToken);
        var slices = _slices.Cache.InNamespace(FrontDoorPlanner.Namespace).Where(FrontDoorPlanner.IsSlice).ToList();
        await SliceWriter.ApplyAsync(_slices, FrontDoorPlanner.Namespace, FrontDoorPlanner.Slices(service, state.Listeners, _nodes.All(), slices), cancellationToken);
    }

    private async Task CreateNamespaceAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _namespaces.CreateAsync("", new Namespace { Metadata = new() { Name = FrontDoorPlanner.Namespace } }, cancellationToken);
        }
        catch (ApiStatusException there) when (there.IsAlreadyExists)
        {
        }
    }

    // The list as a whole, and only of the Service as it was read: an owner's edit in between is not undone.
    private static Patch PortsPatch(Service service, IReadOnlyList<ServicePort> ports) => Patch.Merge(new JsonObject
    {
        ["metadata"] = new JsonObject { ["uid"] = service.Metadata.Uid, ["resourceVersion"] = service.Metadata.ResourceVersion },
        ["spec"] = new JsonObject { ["ports"] = new JsonArray([.. ports.Select(port => (JsonNode?)ApiJson.ToTree(port))]) },
    });

    private async Task TellAsync(ObjectKey key, FrontDoorState state, CancellationToken cancellationToken)
    {
        if (_ingresses.Cache.Find(key) is not { } ingress)
        {
            _told.TryRemove(key, out _);
            return;
        }

        var isServed = state.Ingresses.TryGetValue(key, out var problems);
        if (!isServed && !state.Others.TryGetValue(key, out problems))
            problems = [];
        TellProblems(ingress, problems);
        var service = _services.Cache.Find(Door);
        var addresses = service is not null && FrontDoorPlanner.IsOurs(service) ? IngressStatusPlanner.AddressesOf(service) : [];
        var wanted = IngressStatusPlanner.Plan(ingress.Status, addresses, isServed);
        if (Patches.Status(ingress, ingress.Status, wanted) is { } patch)
            await _ingresses.PatchStatusAsync(ingress, patch, cancellationToken);
    }

    private void TellProblems(Ingress ingress, ImmutableArray<MeshDiagnostic> problems)
    {
        var before = _told.TryGetValue(ingress.Key(), out var told) && told.Uid == ingress.Metadata.Uid ? told.Problems : [];
        foreach (var problem in problems.Except(before).Take(MostEvents))
            _events.Warning(ingress, problem.Severity == Severity.Error ? "Invalid" : problem.Severity.ToString(), $"{problem.Field}: {problem.Message}");
        _told[ingress.Key()] = (ingress.Metadata.Uid, problems);
    }
}
