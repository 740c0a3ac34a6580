using System.Net;
using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;

namespace Weft.Control.Mesh.Backends;

internal static class ServiceEntryCheck
{
    public static void Check(ServiceEntry entry, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        var (problems, spec) = (Problems.Of(entry, diagnostics), entry.Spec);
        Size(entry, lookups, problems);
        HostNames.CheckExports(spec.ExportTo, problems);
        if (spec.Hosts.Count == 0)
            problems.Error("spec.hosts", "is missing; name a host");
        foreach (var (i, host) in spec.Hosts.Take(ServiceEntrySpec.MostHosts).Index())
        {
            if (!HostNames.IsHost(host) || host == "*")
                problems.Error($"spec.hosts[{i}]", $"'{host}' is neither a name nor *.name");
            else if (lookups.Host(host.ToLowerInvariant()) is { } known && known.Name == host.ToLowerInvariant() && !ReferenceEquals(known.Source, entry))
                problems.Error($"spec.hosts[{i}]", $"'{host}' is that of {Problems.RefOf(known.Source)} already; use another name, or one object");
        }

        foreach (var (i, address) in spec.Addresses.Take(ServiceEntrySpec.MostAddresses).Index())
        {
            if (!MeshHost.IsRange(address))
                problems.Error($"spec.addresses[{i}]", $"'{address}' is neither an address nor a range such as 10.0.0.0/24");
            else if (AddressClaims.OfHost(address, entry.Metadata.Namespace ?? "", lookups) is { } why)
                problems.Error($"spec.addresses[{i}]", $"'{address}' {why}");
        }

        if (spec.Ports.Count == 0)
            problems.Error("spec.ports", "is missing; without a port nothing reaches the host");
        var numbers = new HashSet<int>();
        foreach (var (i, port) in spec.Ports.Take(EntryLimits.PortsOf(spec)).Index())
        {
            if (port.Number is <= 0 or > 65_535)
                problems.Error($"spec.ports[{i}].number", $"{port.Number} is no port; 1 to 65535");
            if (!numbers.Add(port.Number))
                problems.Error($"spec.ports[{i}].number", $"{port.Number} stands twice");
        }

        Resolution(spec, problems);
        Endpoints(entry, lookups, problems);
    }

    // The server's own definition bounds the lists; a user's in its place may not. What is beyond is not looked at.
    private static void Size(ServiceEntry entry, MeshLookups lookups, Problems problems)
    {
        var spec = entry.Spec;
        if (spec.Hosts.Count > ServiceEntrySpec.MostHosts)
            problems.Error($"spec.hosts[{ServiceEntrySpec.MostHosts}]", $"is one too many: an entry has {ServiceEntrySpec.MostHosts} hosts at most, and the others of these {spec.Hosts.Count} are left out; write several entries");
        if (spec.Addresses.Count > ServiceEntrySpec.MostAddresses)
            problems.Error($"spec.addresses[{ServiceEntrySpec.MostAddresses}]", $"is one too many: an entry has {ServiceEntrySpec.MostAddresses} addresses at most, and the others of these {spec.Addresses.Count} are left out; write ranges, or several entries");
        var (hosts, ports, most) = (EntryLimits.HostsOf(spec), EntryLimits.PortsOf(spec), EntryLimits.EndpointsOf(entry));
        if (spec.Ports.Count > ports)
            problems.Error($"spec.ports[{ports}]", $"is one too many: {hosts} hosts have {ports} ports each at most ({EntryLimits.Pairs} in all), and the others of these {spec.Ports.Count} are left out; write several entries");
        if (spec.WorkloadSelector is null && most == ServiceEntrySpec.MostEndpoints && spec.Endpoints.Count > most)
        {
            problems.Error($"spec.endpoints[{most}]", $"is one too many: an entry has {most} endpoints at most, and the others of these {spec.Endpoints.Count} are left out; write several entries");
            return;
        }

        var endpoints = spec.WorkloadSelector is { } selector ? BackendJobs.Selected(selector, entry.Metadata.Namespace ?? "", lookups) : spec.Endpoints.Count;
        if (endpoints > most)
        {
            problems.Error(spec.WorkloadSelector is null ? $"spec.endpoints[{most}]" : "spec.workloadSelector",
                $"is more than the entry may have: {hosts} hosts with {ports} ports have {most} endpoints each at most ({EntryLimits.Places} in all), and the others of these {endpoints} are left out; write several entries");
        }
    }

    private static void Resolution(ServiceEntrySpec spec, Problems problems)
    {
        var hasEndpoints = spec.Endpoints.Count > 0 || spec.WorkloadSelector is not null;
        switch (spec.Resolution)
        {
            case "STATIC" when !hasEndpoints:
                problems.Error("spec.endpoints", "is missing: with STATIC the addresses stand there or are found by workloadSelector");
                break;
            case "DNS" or "DNS_ROUND_ROBIN" when spec.WorkloadSelector is not null:
                problems.Error("spec.workloadSelector", "needs the resolution STATIC");
                break;
            case "DNS" or "DNS_ROUND_ROBIN" when spec.Endpoints.Count == 0 && spec.Hosts.Take(ServiceEntrySpec.MostHosts).Any(HostNames.IsWildcard):
                problems.Error("spec.hosts", "a wildcard is no name that DNS knows; add endpoints, or write the names");
                break;
            case "DYNAMIC_DNS":
                problems.Unsupported("spec.resolution", "DYNAMIC_DNS is not done; connections go to the address that they were meant for, as with NONE");
                break;
            case null or "NONE" when hasEndpoints:
                problems.Error("spec.endpoints", "has no effect with the resolution NONE; write STATIC or DNS");
                break;
            case not (null or "NONE" or "STATIC" or "DNS" or "DNS_ROUND_ROBIN"):
                problems.Error("spec.resolution", $"'{spec.Resolution}' is none of NONE, STATIC and DNS");
                break;
        }

        if (spec.Endpoints.Count > 0 && spec.WorkloadSelector is not null)
            problems.Error("spec.workloadSelector", "stands beside endpoints; keep one");
    }

    private static void Endpoints(ServiceEntry entry, MeshLookups lookups, Problems problems)
    {
        var (spec, @namespace, names) = (entry.Spec, entry.Metadata.Namespace ?? "", 0);
        foreach (var (i, endpoint) in spec.Endpoints.Take(EntryLimits.WrittenOf(entry)).Index())
        {
            var field = $"spec.endpoints[{i}]";
            if (IPAddress.TryParse(endpoint.Address, out var address))
            {
                if (AddressClaims.OfEndpoint(address, @namespace, lookups) is { } why)
                    problems.Error($"{field}.address", $"'{endpoint.Address}' {why}");
            }
            else if (string.IsNullOrEmpty(endpoint.Address))
                problems.Error($"{field}.address", "is missing");
            else if (endpoint.Address.StartsWith("unix://", StringComparison.Ordinal))
                problems.Unsupported($"{field}.address", "sockets of the machine are no endpoints");
            else if (spec.Resolution is not ("DNS" or "DNS_ROUND_ROBIN"))
                problems.Error($"{field}.address", $"'{endpoint.Address}' is no IP address; a name needs the resolution DNS");
            else if (!BackendJobs.IsName(endpoint))
                problems.Error($"{field}.address", $"'{endpoint.Address}' is neither an IP address nor a name that DNS could know");
            else if (spec.Resolution == "DNS_ROUND_ROBIN" && names++ > 0)
                problems.Error($"{field}.address", "with DNS_ROUND_ROBIN a host has one name, and the first is taken; write DNS for all of them");
        }
    }
}
