using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.FrontDoor;
using Weft.Control.Mesh.Hosts;

namespace Weft.Control.Mesh.Routes;

/// <summary>What is wrong with a virtual service by itself, also where none of its hosts exists.</summary>
internal static class VirtualServiceCheck
{
    public static void Check(VirtualService rules, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        var problems = Problems.Of(rules, diagnostics);
        var spec = rules.Spec;
        foreach (var (i, host) in spec.Hosts.Take(VirtualServiceSpec.MostHosts).Index().Where(item => !HostNames.IsHost(item.Item)))
            problems.Error($"spec.hosts[{i}]", $"'{host}' is neither a name, nor *.name, nor *");
        if (spec.Hosts.Count > VirtualServiceSpec.MostHosts)
            problems.Error($"spec.hosts[{VirtualServiceSpec.MostHosts}]", $"is one too many: an object has {VirtualServiceSpec.MostHosts} hosts at most, and the others of these {spec.Hosts.Count} are left out; write a wildcard, or several objects");
        if (spec.Http.Count + spec.Tls.Count + spec.Tcp.Count == 0)
            problems.Error("spec", "has no rules; write http, tls or tcp");
        if (spec.Hosts.Count == 0)
            AsDelegate(rules, problems);
        Unreachable(rules, problems);
        Gateways(rules, lookups, problems);
        HostNames.CheckExports(spec.ExportTo, problems);
        var gateways = MeshIndex.GatewaysOf(rules);
        // At gateways hosts share the rules, and all hold that are left out in the mesh; what is wrong in both is said once.
        if (gateways.Any(gateway => gateway != RouteJobs.Mesh))
            Rules(rules, RuleLimits.Most, inMesh: false, lookups, diagnostics);
        if (gateways.Contains(RouteJobs.Mesh))
        {
            Rules(rules, lookups.RulesEach(rules), inMesh: true, lookups, diagnostics);
            Hosts(rules, lookups, problems);
        }
    }

    private static void AsDelegate(VirtualService rules, Problems problems)
    {
        if (rules.Spec.Gateways.Count > 0)
            problems.Error("spec.gateways", "an object without hosts is a delegate, and has the gateways of its root; leave them out, or name hosts");
        if (rules.Spec.Tls.Count + rules.Spec.Tcp.Count > 0)
            problems.Error("spec.hosts", "is missing: a delegate has http rules only");
    }

    private static void Unreachable(VirtualService rules, Problems problems)
    {
        var all = rules.Spec.Http.Index().Where(item => item.Item.Delegate is null && (item.Item.Match.Count == 0 || item.Item.Match.Any(match => match == new HTTPMatchRequest()))).Select(item => (int?)item.Index).FirstOrDefault();
        if (all is { } at && at < rules.Spec.Http.Count - 1)
            problems.Warn($"spec.http[{at + 1}]", $"no request comes here: spec.http[{at}] takes all; put that one last");
    }

    private static void Rules(VirtualService rules, int most, bool inMesh, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        Connections(rules, most, inMesh, Problems.Of(rules, diagnostics));
        foreach (var rule in RouteJobs.Rules(rules, lookups, diagnostics, most, inMesh))
        {
            // The port is that of no request: a destination with several ports is looked at where requests have one.
            foreach (var target in rule.Targets.Select(target => (target.Destination, target.Field)).Concat(rule.Mirrors.Select(mirror => (mirror.Destination, mirror.Field))))
                Exists(rule.Owner, target.Destination, target.Field, lookups, diagnostics);
        }
    }

    private static void Connections(VirtualService rules, int most, bool inMesh, Problems problems)
    {
        var (tls, tcp) = RuleLimits.Kept(rules.Spec, most, inMesh);
        if (tls < rules.Spec.Tls.Count)
            problems.Error($"spec.tls[{tls}]", RuleLimits.Why(rules, most));
        else if (tcp < rules.Spec.Tcp.Count)
            problems.Error($"spec.tcp[{tcp}]", RuleLimits.Why(rules, most));
    }

    private static void Gateways(VirtualService rules, MeshLookups lookups, Problems problems)
    {
        var known = lookups.Gateways().ToDictionary(MeshIndex.Name);
        foreach (var (i, name) in MeshIndex.GatewayNames(rules.Spec.Gateways, rules.Metadata.Namespace ?? "").Index())
        {
            if (name == RouteJobs.Mesh)
                continue;
            if (!known.TryGetValue(name, out var gateway))
                problems.Error($"spec.gateways[{i}]", $"there is no Gateway {name}; create it, or name another as namespace/name");
            else if (!gateway.Spec.Servers.Any(server => GatewayHosts.Domains(gateway, server, rules, lookups).Any()))
                problems.Error($"spec.gateways[{i}]", $"Gateway {name} takes none of spec.hosts from namespace {rules.Metadata.Namespace}; its hosts are {Listing.Of(gateway.Spec.Servers.SelectMany(server => server.Hosts).Distinct())}");
        }
    }

    private static void Hosts(VirtualService rules, MeshLookups lookups, Problems problems)
    {
        foreach (var (i, host) in rules.Spec.Hosts.Take(VirtualServiceSpec.MostHosts).Index().Where(item => HostNames.IsHost(item.Item) && !HostNames.IsWildcard(item.Item)))
        {
            var name = HostNames.Whole(host, rules.Metadata.Namespace ?? "", lookups.Settings.ClusterDomain);
            var known = lookups.Host(name);
            if (known is not null && known.Name != name)
                problems.Unsupported($"spec.hosts[{i}]", $"ServiceEntry {MeshIndex.Name(known.Source)} knows '{known.Name}' as a whole; rules for '{name}' need a ServiceEntry of that name");
            else if (known is null)
                problems.Warn($"spec.hosts[{i}]", $"no client in the mesh reaches '{name}': there is neither a Service nor a ServiceEntry of that name");
        }
    }

    private static void Exists(VirtualService owner, Destination destination, string field, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        if (destination.Host.Length > 0 && lookups.Host(HostNames.Whole(destination.Host, owner.Metadata.Namespace ?? "", lookups.Settings.ClusterDomain)) is { Ports.Length: > 1 } && destination.Port is null)
            return;
        new TargetResolver(lookups, diagnostics, owner.Metadata.Namespace, 0).Resolve(owner, destination, field);
    }
}
