using Weft.Api;
using Weft.Api.Discovery;
using Weft.Control.Mesh.Hosts;
using Weft.Control.Mesh.Inputs;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh;

internal enum Question { Host, VirtualServices, VirtualService, DestinationRules, Sidecars, Workload, Workloads, WorkloadEntries, PeerAuthentications, Policies, Tokens, Gateways, GatewayRoutes }

/// <summary>
/// The inputs, ordered and found by what the compiler asks. Older objects come first, and of the same age those whose names come first: who was there is not put aside by
/// who comes. Every answer is a function of (question, key), so that it can be asked again of the next inputs.
/// </summary>
internal sealed class MeshIndex
{
    private const string Mesh = "mesh";

    private static readonly object[] None = [];

    private readonly Dictionary<(Question, string), object[]> _answers = [];
    private readonly List<MeshHost> _wildcardHosts;
    private readonly List<(string Host, Istio.VirtualService Rules)> _wildcardServices = [];
    private readonly List<(string Host, Istio.DestinationRule Rule)> _wildcardRules = [];

    public MeshIndex(MeshInputs inputs)
    {
        Inputs = inputs;
        var domain = inputs.Settings.ClusterDomain;
        var services = Ordered(inputs.Services).Select(service => MeshHost.Of(service, domain));
        var entries = Ordered(inputs.ServiceEntries).SelectMany(MeshHost.Of);
        Hosts = [.. services.Concat(entries).DistinctBy(host => host.Name)];
        _wildcardHosts = [.. Hosts.Where(host => HostNames.IsWildcard(host.Name)).OrderByDescending(host => HostNames.Rank(host.Name))];
        Put(Question.Host, Hosts, host => [host.Name]);

        VirtualServices = Ordered(inputs.VirtualServices);
        Put(Question.VirtualService, VirtualServices, value => [Name(value)]);
        var routed = VirtualServices.Where(value => GatewaysOf(value).Contains(Mesh)).SelectMany(value => Names(value).Select(host => (Host: host, Rules: value))).ToList();
        _wildcardServices.AddRange(routed.Where(pair => HostNames.IsWildcard(pair.Host)));
        Put(Question.VirtualServices, routed.Where(pair => !HostNames.IsWildcard(pair.Host)).DistinctBy(pair => (pair.Host, Name(pair.Rules))), pair => [pair.Host], pair => pair.Rules);
        _answers[(Question.GatewayRoutes, "")] = [.. VirtualServices.Where(value => GatewaysOf(value).Any(gateway => gateway != Mesh))];

        DestinationRules = Ordered(inputs.DestinationRules);
        var ruled = DestinationRules.Select(value => (Host: HostNames.Whole(value.Spec.Host, value.Metadata.Namespace ?? "", domain), Rule: value)).ToList();
        _wildcardRules.AddRange(ruled.Where(pair => HostNames.IsWildcard(pair.Host)));
        Put(Question.DestinationRules, ruled.Where(pair => !HostNames.IsWildcard(pair.Host)), pair => [pair.Host], pair => pair.Rule);

        Put(Question.Sidecars, Ordered(inputs.Sidecars), _ => [""]);
        Put(Question.Gateways, Ordered(inputs.Gateways), _ => [""]);
        Workloads = [.. inputs.Workloads.OrderBy(workload => workload.Namespace, StringComparer.Ordinal).ThenBy(workload => workload.Name, StringComparer.Ordinal).DistinctBy(workload => (workload.Namespace, workload.Name))];
        Put(Question.Workload, Workloads, workload => [$"{workload.Namespace}/{workload.Name}"]);
        Put(Question.Workloads, Workloads, workload => [workload.Namespace]);
        Put(Question.WorkloadEntries, Ordered(inputs.WorkloadEntries), OwnNamespace);
        PeerAuthentications = [.. Ordered(inputs.PeerAuthentications).Cast<IObject>().Concat(Ordered(inputs.OldPolicies))];
        Put(Question.PeerAuthentications, PeerAuthentications, OwnNamespace);
        Put(Question.Policies, Ordered(inputs.AuthorizationPolicies), OwnNamespace);
        Put(Question.Tokens, Ordered(inputs.RequestAuthentications), OwnNamespace);
        Slices = Ordered(inputs.Slices);
    }

    public MeshInputs Inputs { get; }

    public IReadOnlyList<MeshHost> Hosts { get; }

    public IReadOnlyList<Istio.VirtualService> VirtualServices { get; }

    public IReadOnlyList<Istio.DestinationRule> DestinationRules { get; }

    public IReadOnlyList<MeshWorkload> Workloads { get; }

    public IReadOnlyList<IObject> PeerAuthentications { get; }

    public IReadOnlyList<EndpointSlice> Slices { get; }

    public static string Name(IObject value) => $"{value.Metadata.Namespace}/{value.Metadata.Name}";

    /// <summary>The oldest first.</summary>
    public static List<T> Ordered<T>(IEnumerable<T> objects) where T : IObject =>
    [
        .. objects.OrderBy(value => value.Metadata.CreationTimestamp ?? DateTimeOffset.MinValue)
            .ThenBy(value => value.Metadata.Namespace, StringComparer.Ordinal).ThenBy(value => value.Metadata.Name, StringComparer.Ordinal)
            .DistinctBy(value => Name(value)),
    ];

    /// <summary>`mesh` or `namespace/name`.</summary>
    public static IReadOnlyList<string> GatewaysOf(Istio.VirtualService value) => GatewayNames(value.Spec.Gateways, value.Metadata.Namespace ?? "") is { Count: > 0 } names ? names : [Mesh];

    public static IReadOnlyList<string> GatewayNames(IReadOnlyList<string> gateways, string @namespace)
        => [.. gateways.Select(gateway => gateway == Mesh || gateway.Contains('/') ? gateway : $"{@namespace}/{gateway}")];

    public object[] Answer(Question question, string key) => question switch
    {
        Question.Host => Get(question, key) is { Length: > 0 } exact ? exact : HostNames.IsWildcard(key) ? None : [.. _wildcardHosts.Where(host => HostNames.Covers(host.Name, key)).Take(1)],
        Question.VirtualServices => [.. Get(question, key).Concat(_wildcardServices.Where(pair => HostNames.Covers(pair.Host, key)).Select(pair => pair.Rules)).Distinct()],
        Question.DestinationRules => [.. Get(question, key).Concat(_wildcardRules.Where(pair => HostNames.Covers(pair.Host, key)).Select(pair => pair.Rule)).Distinct()],
        _ => Get(question, key),
    };

    /// <summary>Whole names of a virtual service's hosts.</summary>
    public IEnumerable<string> Names(Istio.VirtualService value)
        => value.Spec.Hosts.Where(HostNames.IsHost).Select(host => HostNames.Whole(host, value.Metadata.Namespace ?? "", Inputs.Settings.ClusterDomain)).Distinct();

    private static string[] OwnNamespace(IObject value) => [value.Metadata.Namespace ?? ""];

    private object[] Get(Question question, string key) => _answers.GetValueOrDefault((question, key), None);

    private void Put<T>(Question question, IEnumerable<T> values, Func<T, string[]> keys) where T : notnull => Put(question, values, keys, value => value);

    private void Put<T>(Question question, IEnumerable<T> values, Func<T, string[]> keys, Func<T, object> answer)
    {
        foreach (var group in values.SelectMany(value => keys(value).Select(key => (Key: key, Answer: answer(value)))).GroupBy(pair => pair.Key, pair => pair.Answer))
            _answers[(question, group.Key)] = [.. group];
    }
}
