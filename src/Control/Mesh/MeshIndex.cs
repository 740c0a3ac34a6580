using System.Collections.Immutable;
using System.Net;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Api.Networking;
using Weft.Control.Mesh.Addresses;
using Weft.Control.Mesh.FrontDoor.Policies;
using Weft.Control.Mesh.Hosts;
using Weft.Control.Mesh.Ingresses;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Mesh.Jobs;
using Weft.Control.Mesh.Routes;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh;

internal enum Question { Host, VirtualServices, VirtualService, DestinationRules, Sidecars, Workload, Workloads, WorkloadEntries, PeerAuthentications, Policies, Tokens, Gateways, GatewayRoutes, ServicesAt, WorkloadsAt, Ingresses, DoorClasses, DoorPolicies, DoorSecret, Telemetries, ServiceEntry, RulesEach }

/// <summary>
/// The inputs, ordered and found by what the compiler asks. Older objects come first, and of the same age those whose names come first: who was there is not put aside by
/// who comes. Every answer is a function of (question, key), so that it can be asked again of the next inputs.
/// </summary>
internal sealed class MeshIndex
{
    private const string Mesh = "mesh";

    // Of more a new order is cheaper.
    private const int MostChanges = 64;

    private static readonly object[] None = [];

    private readonly Dictionary<string, object[]>[] _answers;

    /// <param name="before">An index of the same settings, whose parts are taken over where the inputs' lists are the same.</param>
    /// <param name="given">What hosts had been given, also under other settings.</param>
    /// <param name="leftOut">As of <see cref="HostAddresses.Plan"/>.</param>
    public MeshIndex(MeshInputs inputs, MeshIndex? before, HostAddresses given, IReadOnlyList<Istio.ServiceEntry> leftOut)
    {
        Inputs = inputs;
        _answers = before is null ? [.. Enum.GetValues<Question>().Select(_ => new Dictionary<string, object[]>())] : [.. before._answers];
        var old = before?.Inputs;
        HostAddresses = old is not null && old.ServiceEntries == inputs.ServiceEntries ? before!.HostAddresses : HostAddresses.Plan(Ordered(inputs.ServiceEntries), inputs.Settings.ClusterDomain, given, leftOut);
        (Hosts, WildcardHosts) = old is not null && old.Services == inputs.Services && old.ServiceEntries == inputs.ServiceEntries ? (before!.Hosts, before.WildcardHosts) : IndexHosts();
        (VirtualServices, WildcardServices) = old is not null && old.VirtualServices == inputs.VirtualServices ? (before!.VirtualServices, before.WildcardServices) : IndexVirtualServices(before);
        (DestinationRules, WildcardRules) = old is not null && old.DestinationRules == inputs.DestinationRules ? (before!.DestinationRules, before.WildcardRules) : IndexDestinationRules();
        Workloads = old is not null && old.Workloads == inputs.Workloads ? before!.Workloads : IndexWorkloads();
        PeerAuthentications = old is not null && old.PeerAuthentications == inputs.PeerAuthentications && old.OldPolicies == inputs.OldPolicies ? before!.PeerAuthentications : IndexPeerAuthentications();
        Slices = old is not null && old.Slices == inputs.Slices ? before!.Slices : Ordered(inputs.Slices);
        if (old is null || old.Sidecars != inputs.Sidecars)
            Put(Question.Sidecars, Ordered(inputs.Sidecars), _ => "");
        // A list of its own each time, but where those for the mesh and what they delegate to are as they were.
        var hasRules = old is not null && ReferenceEquals(WildcardServices, before!.WildcardServices);
        MeshRules = hasRules ? before!.MeshRules : [.. SizedRules()];
        if (!hasRules || !ReferenceEquals(Hosts, before!.Hosts) || old!.DestinationRules != inputs.DestinationRules || old.Sidecars != inputs.Sidecars)
            PutRulesEach();
        if (old is null || old.Gateways != inputs.Gateways)
            Put(Question.Gateways, Ordered(inputs.Gateways), _ => "");
        if (old is null || old.WorkloadEntries != inputs.WorkloadEntries)
            Put(Question.WorkloadEntries, Ordered(inputs.WorkloadEntries), OwnNamespace);
        if (old is null || old.AuthorizationPolicies != inputs.AuthorizationPolicies)
            Put(Question.Policies, Ordered(inputs.AuthorizationPolicies), OwnNamespace);
        if (old is null || old.RequestAuthentications != inputs.RequestAuthentications)
            Put(Question.Tokens, Ordered(inputs.RequestAuthentications), OwnNamespace);
        if (old is null || old.Telemetries != inputs.Telemetries)
            Put(Question.Telemetries, Ordered(inputs.Telemetries), OwnNamespace);
        if (old is null || old.IngressClasses != inputs.IngressClasses)
            Put(Question.DoorClasses, Ordered(inputs.IngressClasses.Where(IngressClasses.IsOurs)), _ => "");
        var hasIngresses = old is not null && old.Ingresses == inputs.Ingresses && old.IngressClasses == inputs.IngressClasses;
        (Ingresses, StrayIngresses) = hasIngresses ? (before!.Ingresses, before.StrayIngresses) : IndexIngresses(old is not null && old.IngressClasses == inputs.IngressClasses ? before : null);
        DoorPolicies = old is not null && old.RateLimitPolicies == inputs.RateLimitPolicies && old.ApiKeyPolicies == inputs.ApiKeyPolicies && old.BasicAuthPolicies == inputs.BasicAuthPolicies && old.JwtPolicies == inputs.JwtPolicies
            ? before!.DoorPolicies : IndexDoorPolicies();
        if (old is null || old.Secrets != inputs.Secrets)
            Put(Question.DoorSecret, inputs.Secrets, secret => $"{secret.Namespace}/{secret.Name}");
    }

    /// <param name="before">With the same classes; null: there is none.</param>
    private (IReadOnlyList<Ingress>, IReadOnlyList<Ingress>) IndexIngresses(MeshIndex? before)
    {
        var ours = (before is null ? null : Reordered(before.Ingresses, Ours(before.Inputs.Ingresses), Ours(Inputs.Ingresses), out _)) ?? Ordered(Ours(Inputs.Ingresses));
        _answers[(int)Question.Ingresses] = ours.Count == 0 ? [] : new() { [""] = [.. ours] };
        return (ours, [.. Ordered(IngressClasses.Strays(Inputs.Ingresses, Inputs.IngressClasses))]);
    }

    private List<Ingress> Ours(ImmutableArray<Ingress> all) => [.. IngressClasses.Ours(all, Inputs.IngressClasses)];

    private List<IObject> IndexDoorPolicies()
    {
        List<IObject> all = [.. Ordered(Inputs.ApiKeyPolicies).Cast<IObject>().Concat(Ordered(Inputs.BasicAuthPolicies)).Concat(Ordered(Inputs.JwtPolicies)).Concat(Ordered(Inputs.RateLimitPolicies))];
        Put(Question.DoorPolicies, all.SelectMany(policy => DoorTargets.TargetsOf(policy).Select(target => target.ToString()).Distinct().Select(target => (Target: target, Policy: policy))), pair => pair.Target, pair => pair.Policy);
        return all;
    }

    private (IReadOnlyList<MeshHost>, IReadOnlyList<MeshHost>) IndexHosts()
    {
        var services = Ordered(Inputs.Services).Select(service => MeshHost.Of(service, Inputs.Settings.ClusterDomain));
        List<MeshHost> hosts = [.. services.Concat(Ordered(Inputs.ServiceEntries).SelectMany(entry => MeshHost.Of(entry, HostAddresses.Held))).DistinctBy(host => host.Name)];
        Put(Question.Host, hosts, host => host.Name);
        Put(Question.ServiceEntry, Ordered(Inputs.ServiceEntries), Name);
        PutAddresses(Question.ServicesAt, hosts.Where(host => host.Source is Service), host => host.Addresses);
        return (hosts, [.. hosts.Where(host => HostNames.IsWildcard(host.Name)).OrderByDescending(host => HostNames.Rank(host.Name))]);
    }

    // What is for gateways alone is of no host of the mesh. One without hosts is a delegate, whose rules stand wherever another has them.
    private static bool IsOfGateways(Istio.VirtualService value) => value.Spec.Hosts.Count > 0 && !GatewaysOf(value).Contains(Mesh);

    private List<Istio.VirtualService> ChangeGatewayRoutes(List<Istio.VirtualService> all, ListChange<Istio.VirtualService> change)
    {
        var byName = new Dictionary<string, object[]>(_answers[(int)Question.VirtualService]);
        foreach (var gone in change.Gone)
            byName.Remove(Name(gone));
        foreach (var come in change.Come)
            byName[Name(come)] = [come];
        _answers[(int)Question.VirtualService] = byName;
        var routes = Reordered([.. Get(Question.GatewayRoutes, "").Cast<Istio.VirtualService>()], change);
        _answers[(int)Question.GatewayRoutes] = routes.Count == 0 ? [] : new() { [""] = [.. routes] };
        return all;
    }

    private (IReadOnlyList<Istio.VirtualService>, IReadOnlyList<(string, Istio.VirtualService)>) IndexVirtualServices(MeshIndex? before)
    {
        if (before is not null && Reordered(before.VirtualServices, before.Inputs.VirtualServices, Inputs.VirtualServices, out var change) is { } next && change.Gone.Concat(change.Come).All(IsOfGateways))
            return (ChangeGatewayRoutes(next, change), before.WildcardServices);
        var all = Ordered(Inputs.VirtualServices);
        Put(Question.VirtualService, all, value => Name(value));
        var routed = all.Where(value => GatewaysOf(value).Contains(Mesh)).SelectMany(value => Names(value).Select(host => (Host: host, Rules: value))).ToList();
        Put(Question.VirtualServices, routed.Where(pair => !HostNames.IsWildcard(pair.Host)), pair => pair.Host, pair => pair.Rules);
        Put(Question.GatewayRoutes, all.Where(value => GatewaysOf(value).Any(gateway => gateway != Mesh)), _ => "");
        return (all, [.. routed.Where(pair => HostNames.IsWildcard(pair.Host))]);
    }

    // Those for clients in the mesh, with the parts of their rules.
    private IEnumerable<(Istio.VirtualService Rules, long Parts)> SizedRules()
    {
        var sizes = new Dictionary<object, long>(ReferenceEqualityComparer.Instance);
        return VirtualServices.Where(value => value.Spec.Hosts is { Count: > 0 } && GatewaysOf(value).Contains(Mesh)).Select(value => (value, RuleLimits.Of(value.Spec, route => SizeOf(value, route.Delegate!))));

        long SizeOf(Istio.VirtualService root, Istio.Delegate to)
        {
            if (Get(Question.VirtualService, $"{to.Namespace ?? root.Metadata.Namespace}/{to.Name}") is not [Istio.VirtualService { Spec.Hosts.Count: 0 } found])
                return 1;
            if (!sizes.TryGetValue(found, out var size))
                sizes[found] = size = RuleLimits.Size(found.Spec);
            return size;
        }
    }

    // Of those alone that may have more: of most the answer is the same however many tables there are.
    private void PutRulesEach()
    {
        var next = new Dictionary<string, object[]>();
        if (MeshRules.Count > 0)
        {
            var tables = new RuleTables(this);
            foreach (var (rules, parts) in MeshRules)
            {
                if (RuleLimits.MayExceed(parts, RuleLimits.Each(tables.MostOf(rules))) && RuleLimits.Each(tables.Of(rules)) is var each && RuleLimits.MayExceed(parts, each))
                    next[Name(rules)] = [each];
            }
        }

        var last = _answers[(int)Question.RulesEach];
        if (next.Count != last.Count || next.Any(pair => !last.TryGetValue(pair.Key, out var each) || !each.SequenceEqual(pair.Value)))
            _answers[(int)Question.RulesEach] = next;
    }

    private (IReadOnlyList<Istio.DestinationRule>, IReadOnlyList<(string, Istio.DestinationRule)>) IndexDestinationRules()
    {
        var all = Ordered(Inputs.DestinationRules);
        var ruled = all.Select(value => (Host: HostNames.Whole(value.Spec.Host, value.Metadata.Namespace ?? "", Inputs.Settings.ClusterDomain), Rule: value)).ToList();
        Put(Question.DestinationRules, ruled.Where(pair => !HostNames.IsWildcard(pair.Host)), pair => pair.Host, pair => pair.Rule);
        return (all, [.. ruled.Where(pair => HostNames.IsWildcard(pair.Host))]);
    }

    private List<MeshWorkload> IndexWorkloads()
    {
        List<MeshWorkload> all = [.. Inputs.Workloads.OrderBy(workload => workload.Namespace, StringComparer.Ordinal).ThenBy(workload => workload.Name, StringComparer.Ordinal).DistinctBy(workload => (workload.Namespace, workload.Name))];
        Put(Question.Workload, all, workload => $"{workload.Namespace}/{workload.Name}");
        Put(Question.Workloads, all, workload => workload.Namespace);
        PutAddresses(Question.WorkloadsAt, all, workload => workload.Addresses);
        return all;
    }

    private List<IObject> IndexPeerAuthentications()
    {
        List<IObject> all = [.. Ordered(Inputs.PeerAuthentications).Cast<IObject>().Concat(Ordered(Inputs.OldPolicies))];
        Put(Question.PeerAuthentications, all, OwnNamespace);
        return all;
    }

    public MeshInputs Inputs { get; }

    private IReadOnlyList<MeshHost> WildcardHosts { get; }

    private IReadOnlyList<(string Host, Istio.VirtualService Rules)> WildcardServices { get; }

    private IReadOnlyList<(string Host, Istio.DestinationRule Rule)> WildcardRules { get; }

    private IReadOnlyList<(Istio.VirtualService Rules, long Parts)> MeshRules { get; }

    public IReadOnlyList<MeshHost> Hosts { get; }

    /// <summary>What hosts have been given, and are to be given.</summary>
    public HostAddresses HostAddresses { get; }

    public IReadOnlyList<Istio.VirtualService> VirtualServices { get; }

    public IReadOnlyList<Istio.DestinationRule> DestinationRules { get; }

    public IReadOnlyList<MeshWorkload> Workloads { get; }

    public IReadOnlyList<IObject> PeerAuthentications { get; }

    public IReadOnlyList<EndpointSlice> Slices { get; }

    /// <summary>Those of our classes.</summary>
    public IReadOnlyList<Ingress> Ingresses { get; }

    /// <summary>Those of a class that there is not.</summary>
    public IReadOnlyList<Ingress> StrayIngresses { get; }

    /// <summary>Policies of our own kinds.</summary>
    public IReadOnlyList<IObject> DoorPolicies { get; }

    public static string Name(IObject value) => $"{value.Metadata.Namespace}/{value.Metadata.Name}";

    /// <summary>The oldest first.</summary>
    public static List<T> Ordered<T>(IEnumerable<T> objects) where T : IObject =>
    [
        .. objects.Order(Comparer<T>.Create((one, other) => Compare(one, other))).DistinctBy(value => (value.Metadata.Namespace, value.Metadata.Name)),
    ];

    /// <summary>As <see cref="Ordered"/>, at the cost of what is different.</summary>
    /// <param name="ordered">Of <paramref name="before"/>.</param>
    /// <returns>Null: two have one name, or much is different.</returns>
    private static List<T>? Reordered<T>(IReadOnlyList<T> ordered, IReadOnlyList<T> before, IReadOnlyList<T> now, out ListChange<T> change) where T : class, IObject
    {
        change = ListChange<T>.Of(before, now);
        if (ordered.Count != before.Count || change.Gone.Count + change.Come.Count > MostChanges)
            return null;
        var next = Reordered([.. ordered], change);
        // Also at another age.
        foreach (var come in change.Come)
        {
            if (next.FindAll(value => value.Metadata.Name == come.Metadata.Name && value.Metadata.Namespace == come.Metadata.Namespace).Count > 1)
                return null;
        }

        return next;
    }

    private static List<T> Reordered<T>(List<T> ordered, ListChange<T> change) where T : class, IObject
    {
        var order = Comparer<T>.Create((one, other) => Compare(one, other));
        foreach (var gone in change.Gone)
            ordered.RemoveAt(ordered.BinarySearch(gone, order));
        foreach (var come in change.Come)
            ordered.Insert(ordered.BinarySearch(come, order) is var at && at < 0 ? ~at : at, come);
        return ordered;
    }

    /// <summary>Below 0: the first one is older, or of the same age and before the other by its name.</summary>
    public static int Compare(IObject one, IObject other) => (one.Metadata, other.Metadata) switch
    {
        var (a, b) when (a.CreationTimestamp ?? DateTimeOffset.MinValue).CompareTo(b.CreationTimestamp ?? DateTimeOffset.MinValue) is not 0 and var age => age,
        var (a, b) when string.CompareOrdinal(a.Namespace, b.Namespace) is not 0 and var place => place,
        var (a, b) => string.CompareOrdinal(a.Name, b.Name),
    };

    /// <summary>`mesh` or `namespace/name`.</summary>
    public static IReadOnlyList<string> GatewaysOf(Istio.VirtualService value) => GatewayNames(value.Spec.Gateways, value.Metadata.Namespace ?? "") is { Count: > 0 } names ? names : [Mesh];

    public static IReadOnlyList<string> GatewayNames(IReadOnlyList<string> gateways, string @namespace)
        => [.. gateways.Select(gateway => gateway == Mesh || gateway.Contains('/') ? gateway : $"{@namespace}/{gateway}")];

    public object[] Answer(Question question, string key) => question switch
    {
        Question.Host => Get(question, key) is { Length: > 0 } exact ? exact : HostNames.IsWildcard(key) ? None : [.. WildcardHosts.Where(host => HostNames.Covers(host.Name, key)).Take(1)],
        Question.VirtualServices => [.. Get(question, key).Concat(WildcardServices.Where(pair => HostNames.Covers(pair.Host, key)).Select(pair => pair.Rules)).Distinct()],
        Question.DestinationRules => [.. Get(question, key).Concat(WildcardRules.Where(pair => HostNames.Covers(pair.Host, key)).Select(pair => pair.Rule)).Distinct()],
        Question.ServicesAt or Question.WorkloadsAt when IPNetwork.TryParse(key, out var range) => [.. _answers[(int)question].Where(pair => range.Contains(IPAddress.Parse(pair.Key))).SelectMany(pair => pair.Value)],
        _ => Get(question, key),
    };

    /// <summary>Whole names of a virtual service's hosts.</summary>
    public IEnumerable<string> Names(Istio.VirtualService value)
        => value.Spec.Hosts.Take(Istio.VirtualServiceSpec.MostHosts).Where(HostNames.IsHost).Select(host => HostNames.Whole(host, value.Metadata.Namespace ?? "", Inputs.Settings.ClusterDomain)).Distinct();

    /// <summary>Whether a question may have another answer than it had there.</summary>
    public bool MayDiffer(Question question, MeshIndex other) => !ReferenceEquals(_answers[(int)question], other._answers[(int)question]);

    private static string OwnNamespace(IObject value) => value.Metadata.Namespace ?? "";

    private object[] Get(Question question, string key) => _answers[(int)question].GetValueOrDefault(key, None);

    private void PutAddresses<T>(Question question, IEnumerable<T> values, Func<T, IEnumerable<string>> addresses) where T : notnull
        => Put(question, values.SelectMany(value => addresses(value).Select(AddressClaims.Key).OfType<string>().Select(key => (Key: key, Value: value))), pair => pair.Key, pair => pair.Value);

    private void Put<T>(Question question, IEnumerable<T> values, Func<T, string> key) where T : notnull => Put(question, values, key, value => value);

    // A dictionary of its own each time: that of an earlier index stays as it is.
    private void Put<T>(Question question, IEnumerable<T> values, Func<T, string> key, Func<T, object> answer)
        => _answers[(int)question] = values.GroupBy(key, answer).ToDictionary(group => group.Key, group => group.ToArray());
}
