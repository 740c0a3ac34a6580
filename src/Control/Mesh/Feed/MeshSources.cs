using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Api.FrontDoor;
using Weft.Api.Istio;
using Weft.Api.Linkerd;
using Weft.Api.Networking;
using Weft.Client;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Inputs;
using Gateway = Weft.Api.Istio.Gateway;

namespace Weft.Control.Mesh.Feed;

/// <summary>All that the mesh is made of, from the shared caches.</summary>
internal sealed class MeshSources : IDisposable
{
    private readonly List<Task> _synced = [];
    private readonly List<IDisposable> _lists = [];
    private readonly Dictionary<string, StatusTarget> _targets = [];
    private readonly ObjectList<Service> _services;
    private readonly ObjectList<EndpointSlice> _slices;
    private readonly WorkloadList _workloads;
    private readonly NodeList _nodes;
    private readonly ObjectList<VirtualService> _virtualServices;
    private readonly ObjectList<DestinationRule> _destinationRules;
    private readonly ObjectList<ServiceEntry> _serviceEntries;
    private readonly ObjectList<WorkloadEntry> _workloadEntries;
    private readonly ObjectList<Gateway> _gateways;
    private readonly ObjectList<Sidecar> _sidecars;
    private readonly ObjectList<PeerAuthentication> _peerAuthentications;
    private readonly ObjectList<OldPolicy> _oldPolicies;
    private readonly ObjectList<RequestAuthentication> _requestAuthentications;
    private readonly ObjectList<AuthorizationPolicy> _authorizationPolicies;
    private readonly ObjectList<Telemetry> _telemetries;
    private readonly ObjectList<ServiceMesh> _meshes;
    private readonly ObjectList<Ingress> _ingresses;
    private readonly ObjectList<IngressClass> _ingressClasses;
    private readonly ObjectList<RateLimitPolicy> _rateLimitPolicies;
    private readonly ObjectList<ApiKeyPolicy> _apiKeyPolicies;
    private readonly ObjectList<BasicAuthPolicy> _basicAuthPolicies;
    private readonly ObjectList<JwtPolicy> _jwtPolicies;

    public MeshSources(Informers informers, bool isOn, Action changed)
    {
        _services = List<Service>();
        _slices = List<EndpointSlice>();
        _virtualServices = Target<VirtualService>(value => value.Status);
        _destinationRules = Target<DestinationRule>(value => value.Status);
        _serviceEntries = Target<ServiceEntry>(value => value.Status, (one, other) => one.Status.Addresses.SequenceEqual(other.Status.Addresses));
        Entries = informers.OfCustom<ServiceEntry>();
        _workloadEntries = Target<WorkloadEntry>(value => value.Status);
        _gateways = Target<Gateway>(value => value.Status);
        _sidecars = Target<Sidecar>(value => value.Status);
        _peerAuthentications = Target<PeerAuthentication>(value => value.Status);
        _oldPolicies = Target<OldPolicy>(value => value.Status);
        _requestAuthentications = Target<RequestAuthentication>(value => value.Status);
        _authorizationPolicies = Target<AuthorizationPolicy>(value => value.Status);
        _telemetries = Target<Telemetry>(value => value.Status);
        _meshes = Target<ServiceMesh>(value => value.Status);
        _ingresses = List<Ingress>();
        _ingressClasses = List<IngressClass>();
        _rateLimitPolicies = Target<RateLimitPolicy>(value => value.Status);
        _apiKeyPolicies = Target<ApiKeyPolicy>(value => value.Status);
        _basicAuthPolicies = Target<BasicAuthPolicy>(value => value.Status);
        _jwtPolicies = Target<JwtPolicy>(value => value.Status);
        _workloads = new(Cache<Pod>(), Cache<Node>(), Cache<Namespace>(), isOn, changed);
        _lists.Add(_workloads);
        _nodes = new(informers.Of<Node>().Cache, changed);
        _lists.Add(_nodes);
        _workloads.Follow();

        ObjectCache<T> Cache<T>() where T : class, IObject => Waited(informers.Of<T>());

        ObjectCache<T> Waited<T>(Informer<T> informer) where T : class, IObject
        {
            _synced.Add(informer.Synced);
            return informer.Cache;
        }

        ObjectList<T> List<T>() where T : class, IObject => Listed(Cache<T>());

        ObjectList<T> Listed<T>(ObjectCache<T> cache, Func<T, T, bool>? isSameBeside = null) where T : class, IObject
        {
            var list = new ObjectList<T>(cache, changed, isSameBeside);
            _lists.Add(list);
            return list;
        }

        ObjectList<T> Target<T>(Func<T, IstioStatus> status, Func<T, T, bool>? isSameBeside = null) where T : class, IObject
        {
            var informer = informers.OfCustom<T>();
            var list = Listed(Waited(informer), isSameBeside);
            _targets.Add(KindInfo.Of<T>().Kind.Kind, new(informer, key => informer.Cache.Find(key), value => status((T)value), () => list.Current));
            return list;
        }
    }

    /// <summary>Service entries, as the cache has them now.</summary>
    public Informer<ServiceEntry> Entries { get; }

    /// <summary>The kinds that are told what the mesh makes of them, by name.</summary>
    public IReadOnlyDictionary<string, StatusTarget> Targets => _targets;

    /// <summary>The objects of these kinds, as they were read last.</summary>
    public IEnumerable<KeyValuePair<ObjectRef, IObject>> Objects => _targets.SelectMany(target => target.Value.Current()
        .Select(value => KeyValuePair.Create(new ObjectRef(target.Key, value.Metadata.Namespace ?? "", value.Metadata.Name ?? ""), value)));

    /// <summary>Ends when all of it is in the caches: what is not read yet would be taken for gone.</summary>
    public Task SyncedAsync(CancellationToken cancellationToken) => Task.WhenAll(_synced).WaitAsync(cancellationToken);

    /// <summary>The next read has all endpoints that the cache has now.</summary>
    public void DoubtEndpoints() => _slices.Doubt();

    /// <summary>One caller at a time.</summary>
    public (MeshInputs Inputs, ImmutableArray<ServiceMesh> Meshes) Read(MeshSettings settings) => (new()
    {
        Settings = settings,
        Services = _services.Read(),
        Slices = _slices.Read(),
        Workloads = _workloads.Read(),
        Nodes = _nodes.Read(),
        VirtualServices = _virtualServices.Read(),
        DestinationRules = _destinationRules.Read(),
        ServiceEntries = _serviceEntries.Read(),
        WorkloadEntries = _workloadEntries.Read(),
        Gateways = _gateways.Read(),
        Sidecars = _sidecars.Read(),
        PeerAuthentications = _peerAuthentications.Read(),
        OldPolicies = _oldPolicies.Read(),
        RequestAuthentications = _requestAuthentications.Read(),
        AuthorizationPolicies = _authorizationPolicies.Read(),
        Telemetries = _telemetries.Read(),
        Ingresses = _ingresses.Read(),
        IngressClasses = _ingressClasses.Read(),
        RateLimitPolicies = _rateLimitPolicies.Read(),
        ApiKeyPolicies = _apiKeyPolicies.Read(),
        BasicAuthPolicies = _basicAuthPolicies.Read(),
        JwtPolicies = _jwtPolicies.Read(),
    }, _meshes.Read());

    public void Dispose()
    {
        foreach (var list in _lists)
            list.Dispose();
    }
}

/// <summary>A kind whose objects have a status of the mesh.</summary>
/// <param name="Find">As it is now.</param>
/// <param name="Current">All, as they were read last.</param>
internal sealed record StatusTarget(IObjectFeed Feed, Func<ObjectKey, IObject?> Find, Func<IObject, IstioStatus> StatusOf, Func<IEnumerable<IObject>> Current);
