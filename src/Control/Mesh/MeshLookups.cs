using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Networking;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Mesh.Routes;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh;

/// <summary>A question with the answer that a job got.</summary>
internal sealed record Read(Question Question, string Key, object[] Answer)
{
    /// <summary>Objects are the same when they are the same instance: a cache hands out a new one with each change.</summary>
    public static bool Same(object one, object other) => ReferenceEquals(one, other) || (one is not IObject && one.Equals(other));

    public bool HoldsIn(MeshIndex index)
    {
        var now = index.Answer(Question, Key);
        return now.Length == Answer.Length && now.Zip(Answer).All(pair => Same(pair.First, pair.Second));
    }
}

/// <summary>Asks the index for one job, and remembers what was asked: the job's result stands as long as the answers do.</summary>
internal sealed class MeshLookups(MeshIndex index)
{
    private readonly Dictionary<(Question, string), Read> _reads = [];

    public ImmutableArray<Read> Reads => [.. _reads.Values];

    public MeshSettings Settings => index.Inputs.Settings;

    public MeshHost? Host(string name) => Ask<MeshHost>(Question.Host, name).FirstOrDefault();

    public Istio.ServiceEntry? ServiceEntry(string @namespace, string name) => Ask<Istio.ServiceEntry>(Question.ServiceEntry, $"{@namespace}/{name}").FirstOrDefault();

    /// <summary>For clients in the mesh; the oldest first.</summary>
    public IEnumerable<Istio.VirtualService> VirtualServices(string host) => Ask<Istio.VirtualService>(Question.VirtualServices, host);

    /// <summary>How many of its rules each table for clients in the mesh may have (<see cref="RuleLimits"/>); 0: none, as there are too many tables.</summary>
    public int RulesEach(Istio.VirtualService rules) => Ask<int>(Question.RulesEach, MeshIndex.Name(rules)).FirstOrDefault(RuleLimits.Most);

    public Istio.VirtualService? VirtualService(string @namespace, string name) => Ask<Istio.VirtualService>(Question.VirtualService, $"{@namespace}/{name}").FirstOrDefault();

    public IEnumerable<Istio.DestinationRule> DestinationRules(string host) => Ask<Istio.DestinationRule>(Question.DestinationRules, host);

    public IEnumerable<Istio.Sidecar> Sidecars() => Ask<Istio.Sidecar>(Question.Sidecars, "");

    public IEnumerable<Istio.Gateway> Gateways() => Ask<Istio.Gateway>(Question.Gateways, "");

    /// <summary>For clients at gateways.</summary>
    public IEnumerable<Istio.VirtualService> GatewayRoutes() => Ask<Istio.VirtualService>(Question.GatewayRoutes, "");

    public MeshWorkload? Workload(string @namespace, string name) => Ask<MeshWorkload>(Question.Workload, $"{@namespace}/{name}").FirstOrDefault();

    public IEnumerable<MeshWorkload> Workloads(string @namespace) => Ask<MeshWorkload>(Question.Workloads, @namespace);

    /// <param name="key">An address or a range, as <see cref="AddressClaims.Key"/> has it.</param>
    public IEnumerable<MeshWorkload> WorkloadsAt(string key) => Ask<MeshWorkload>(Question.WorkloadsAt, key);

    /// <summary>Hosts of services.</summary>
    /// <param name="key">Likewise.</param>
    public IEnumerable<MeshHost> ServicesAt(string key) => Ask<MeshHost>(Question.ServicesAt, key);

    public IEnumerable<Istio.WorkloadEntry> WorkloadEntries(string @namespace) => Ask<Istio.WorkloadEntry>(Question.WorkloadEntries, @namespace);

    /// <summary>Also those in the old form.</summary>
    public IEnumerable<IObject> PeerAuthentications(string @namespace) => Ask<IObject>(Question.PeerAuthentications, @namespace);

    public IEnumerable<Istio.AuthorizationPolicy> Policies(string @namespace) => Ask<Istio.AuthorizationPolicy>(Question.Policies, @namespace);

    public IEnumerable<Istio.RequestAuthentication> Tokens(string @namespace) => Ask<Istio.RequestAuthentication>(Question.Tokens, @namespace);

    /// <summary>The oldest first.</summary>
    public IEnumerable<Istio.Telemetry> Telemetries(string @namespace) => Ask<Istio.Telemetry>(Question.Telemetries, @namespace);

    /// <summary>Of our classes, the oldest first.</summary>
    public IEnumerable<Ingress> Ingresses() => Ask<Ingress>(Question.Ingresses, "");

    /// <summary>Classes of the front door.</summary>
    public IEnumerable<IngressClass> DoorClasses() => Ask<IngressClass>(Question.DoorClasses, "");

    /// <summary>Policies of our own kinds for an object.</summary>
    public IEnumerable<IObject> DoorPolicies(ObjectRef target) => Ask<IObject>(Question.DoorPolicies, target.ToString());

    public DoorSecret? Secret(string @namespace, string name) => Ask<DoorSecret>(Question.DoorSecret, $"{@namespace}/{name}").FirstOrDefault();

    private IEnumerable<T> Ask<T>(Question question, string key)
    {
        if (!_reads.TryGetValue((question, key), out var read))
            _reads[(question, key)] = read = new(question, key, index.Answer(question, key));
        return read.Answer.Cast<T>();
    }
}
