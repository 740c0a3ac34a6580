using System.Globalization;
using System.Net;
using Weft.Api.Discovery;
using Weft.Api.Istio;
using Weft.Balancing;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Control.Mesh.Inputs;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Endpoint = Weft.Api.Discovery.Endpoint;

namespace Weft.Control.Mesh.Backends;

/// <summary>Endpoints: a unit for each slice of a service, and one for each host of a service entry that has endpoints.</summary>
internal static class BackendJobs
{
    /// <summary>The label by which a slice names its service.</summary>
    private const string ServiceName = "kubernetes.io/service-name";

    /// <summary>Label of an endpoint of a service entry, a number: those with less are asked first, and it takes over when they are out. As the priorities of SRV records, for which Istio has no field.</summary>
    public const string PriorityLabel = "weft.dev/priority";

    // An order of a few levels: each is a step of what the balancer counts with.
    private const int MostPriority = 100;

    public static IEnumerable<Job> Of(MeshIndex index)
    {
        foreach (var slice in index.Slices.Where(slice => slice.AddressType != "FQDN" && slice.Metadata.Labels.ContainsKey(ServiceName)))
            yield return new($"slice {MeshIndex.Name(slice)}", slice, (lookups, _) => Slice(slice, lookups));
        foreach (var entry in MeshIndex.Ordered(index.Inputs.ServiceEntries))
        {
            yield return new($"serviceentry {MeshIndex.Name(entry)}", entry, (lookups, problems) => { ServiceEntryCheck.Check(entry, lookups, problems); return []; });
            foreach (var host in index.Hosts.Where(host => ReferenceEquals(host.Source, entry) && host.Resolution != Resolution.Original))
                yield return new($"backends {MeshIndex.Name(entry)}/{host.Name}", host, (lookups, _) => Entry(host, entry, lookups));
        }
    }

    private static IEnumerable<ConfigUnit> Slice(EndpointSlice slice, MeshLookups lookups)
    {
        var @namespace = slice.Metadata.Namespace ?? "";
        var name = $"{slice.Metadata.Labels[ServiceName]}.{@namespace}.svc.{lookups.Settings.ClusterDomain}";
        if (lookups.Host(name) is not { Resolution: Resolution.Static } host || host.Name != name)
            return [];
        var ports = new List<BackendPort>();
        foreach (var port in host.Ports)
        {
            if (slice.Ports.FirstOrDefault(other => (other.Name ?? "") == port.EndpointName && other.Protocol is null or "TCP")?.Port is { } number)
                ports.Add(new(port.Number, slice.Endpoints.SelectMany(endpoint => Endpoints(endpoint, number, @namespace, host, lookups)).DistinctBy(endpoint => endpoint.Address).ToValueList()));
        }

        return [UnitCodec.Backends($"slice/{MeshIndex.Name(slice)}", new() { Host = host.Name, ByEndpoint = host.IsHeadless, Ports = ports.ToValueList() })];
    }

    private static IEnumerable<EndpointConfig> Endpoints(Endpoint endpoint, int port, string @namespace, MeshHost host, MeshLookups lookups)
    {
        // Not said means ready; one that terminates may finish what it has, while it serves.
        var isReady = endpoint.Conditions?.Ready != false;
        if (!isReady && !(endpoint.Conditions?.Serving == true && endpoint.Conditions.Terminating == true))
            yield break;
        var workload = endpoint.TargetRef is { Kind: "Pod" or null, Name: { } name } target ? lookups.Workload(target.Namespace ?? @namespace, name) : null;
        foreach (var address in endpoint.Addresses.Take(1).Where(address => IPAddress.TryParse(address, out _)))
        {
            yield return new()
            {
                Address = address, Port = port, Draining = !isReady,
                Labels = workload?.Labels ?? default, Locality = workload?.Locality ?? new(null, endpoint.Zone, null),
                Node = host.CountsNodes ? workload?.Node ?? endpoint.NodeName : null,
                Identity = workload?.IdentityIn(lookups.Settings.TrustDomain), HostName = string.IsNullOrEmpty(endpoint.Hostname) ? null : endpoint.Hostname,
            };
        }
    }

    private static IEnumerable<ConfigUnit> Entry(MeshHost host, ServiceEntry entry, MeshLookups lookups)
    {
        var ports = host.Ports.Select(port => new BackendPort(port.Number, Sources(host, entry, lookups).SelectMany(source => source(port)).DistinctBy(endpoint => $"{endpoint.Address}:{endpoint.Port}").Take(EntryLimits.EndpointsOf(entry)).ToValueList())).ToValueList();
        return ports.All(port => port.Endpoints.IsEmpty) ? [] : [UnitCodec.Backends($"entry/{MeshIndex.Name(entry)}/{host.Name}", new() { Host = host.Name, Ports = ports })];
    }

    private static IEnumerable<Func<HostPort, IEnumerable<EndpointConfig>>> Sources(MeshHost host, ServiceEntry entry, MeshLookups lookups)
    {
        if (entry.Spec.WorkloadSelector is not { } selector)
        {
            foreach (var endpoint in Asked(entry))
                yield return port => Of(endpoint, host, port, lookups);
            yield break;
        }

        foreach (var workload in Workloads(selector, host.Namespace, lookups))
            yield return port => Of(workload, port, lookups);
        foreach (var other in Entries(selector, host.Namespace, lookups))
            yield return port => Of(other.Spec, host, port, lookups);
    }

    /// <summary>How many pods and workload entries are endpoints by their labels.</summary>
    public static int Selected(WorkloadSelector selector, string @namespace, MeshLookups lookups) => Workloads(selector, @namespace, lookups).Count() + Entries(selector, @namespace, lookups).Count();

    private static IEnumerable<MeshWorkload> Workloads(WorkloadSelector selector, string @namespace, MeshLookups lookups)
    {
        var labels = new ValueMap(selector.Labels);
        return lookups.Workloads(@namespace).Where(workload => workload.IsReady && labels.IsSubsetOf(workload.Labels));
    }

    private static IEnumerable<WorkloadEntry> Entries(WorkloadSelector selector, string @namespace, MeshLookups lookups)
    {
        var labels = new ValueMap(selector.Labels);
        return lookups.WorkloadEntries(@namespace).Where(other => labels.IsSubsetOf(new ValueMap(other.Spec.Labels)));
    }

    private static IEnumerable<EndpointConfig> Of(MeshWorkload workload, HostPort port, MeshLookups lookups) => workload.Addresses.Take(1).Select(address => new EndpointConfig
    {
        Address = address, Port = port.TargetPort, Labels = workload.Labels, Locality = workload.Locality, Identity = workload.IdentityIn(lookups.Settings.TrustDomain),
    });

    private static IEnumerable<EndpointConfig> Of(WorkloadEntrySpec endpoint, MeshHost host, HostPort port, MeshLookups lookups)
    {
        if (IPAddress.TryParse(endpoint.Address, out var address) ? AddressClaims.OfEndpoint(address, host.Namespace, lookups) is not null : host.Resolution != Resolution.Dns || !IsName(endpoint))
            return [];
        return
        [
            new()
            {
                Address = endpoint.Address!, Port = endpoint.Ports.TryGetValue(port.EndpointName, out var own) ? own : port.TargetPort,
                Weight = Math.Clamp(endpoint.Weight is > 0 ? endpoint.Weight.Value : 1, 1, Balancing.Endpoint.MaxWeight), Labels = new ValueMap(endpoint.Labels), Locality = Place(endpoint.Locality), Priority = PriorityOf(endpoint),
                Identity = string.IsNullOrEmpty(endpoint.ServiceAccount) ? null : $"spiffe://{lookups.Settings.TrustDomain}/ns/{host.Namespace}/sa/{endpoint.ServiceAccount}",
            },
        ];
    }

    /// <summary>An address that DNS is asked for; each of its answers is such an endpoint.</summary>
    public static bool IsName(WorkloadEntrySpec endpoint) =>
        endpoint.Address is { } name && !IPAddress.TryParse(name, out _) && HostNames.IsHost(name) && !HostNames.IsWildcard(name) && !name[(name.LastIndexOf('.') + 1)..].All(char.IsAsciiDigit);

    // With DNS_ROUND_ROBIN a host is one name, of which Istio takes whatever address comes first.
    private static IEnumerable<WorkloadEntrySpec> Asked(ServiceEntry entry)
    {
        var most = EntryLimits.WrittenOf(entry);
        var endpoints = entry.Spec.Endpoints.Count > most ? entry.Spec.Endpoints.Take(most) : entry.Spec.Endpoints;
        if (entry.Spec.Resolution != "DNS_ROUND_ROBIN")
            return endpoints;
        var name = endpoints.FirstOrDefault(IsName);
        return endpoints.Where(endpoint => !IsName(endpoint) || ReferenceEquals(endpoint, name));
    }

    private static int PriorityOf(WorkloadEntrySpec endpoint) =>
        endpoint.Labels.TryGetValue(PriorityLabel, out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? Math.Min(number, MostPriority) : 0;

    private static Locality Place(string? text)
    {
        var parts = (text ?? "").Split('/');
        return new(Part(0), Part(1), Part(2));

        string? Part(int i) => parts.Length > i && parts[i].Length > 0 ? parts[i] : null;
    }
}
