using System.Text.RegularExpressions;
using Weft.Api.Networking;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.FrontDoor;
using Weft.Control.Mesh.FrontDoor.Policies;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Ingresses;

/// <summary>A path of an Ingress at a host.</summary>
internal sealed record IngressEntry(Ingress Ingress, IngressSettings Settings, PathMatch Path, IngressBackend Backend, string Field, string Name);

/// <summary>The routes that Ingresses have for one host at one port, the one that Kubernetes lets win first.</summary>
internal sealed class IngressRoutes(int port, string host, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
{
    private static readonly DirectResponse Refused = new() { Status = 500, Body = "the rule for this request is not valid\n" };

    private static readonly NamedMatch NotHttps = new("x-forwarded-proto", StringMatch.Exact("https"), Invert: true);

    /// <param name="ingresses">The oldest first.</param>
    /// <param name="fallback">Whose default backend is for hosts without one.</param>
    public IEnumerable<RouteConfig> Of(IEnumerable<Ingress> ingresses, Ingress? fallback)
    {
        var parts = ingresses.Select(ingress => (Ingress: ingress, Settings: IngressSettings.Read(ingress, lookups, diagnostics))).ToList();
        var (entries, canaries) = Sorted(parts.SelectMany(part => Entries(part.Ingress, part.Settings)));
        if (parts.Find(part => HasRoot(part.Ingress, part.Settings, entries)) is { Settings: { } settings } root)
            yield return AppRoot(root.Ingress, settings);
        foreach (var route in entries.SelectMany(entry => Routes(entry, canaries.Where(canary => IsOf(canary, entry)))))
            yield return route;
        foreach (var (ingress, own) in parts.Where(part => part.Ingress.Spec.DefaultBackend is not null && part.Settings.Canary is null).Take(1))
        {
            foreach (var route in Routes(Default(ingress, own), []))
                yield return route;
        }

        if (fallback is not null && (IsOneLabel || !parts.Exists(part => part.Ingress.Spec.DefaultBackend is not null && part.Settings.Canary is null)))
        {
            foreach (var route in Routes(Default(fallback, IngressSettings.Read(fallback, lookups, diagnostics)), []))
                yield return route with { Name = route.Name + "/fallback", Matches = route.Matches.Select(match => match with { Authority = null }).ToValueList() };
        }
    }

    private bool IsOneLabel => HostNames.IsWildcard(host) && host != "*";

    private static IngressEntry Default(Ingress ingress, IngressSettings settings)
        => new(ingress, settings, new(PathMatchKind.Prefix, "/"), ingress.Spec.DefaultBackend!, "spec.defaultBackend", $"{MeshIndex.Name(ingress)}/default");

    private IEnumerable<IngressEntry> Entries(Ingress ingress, IngressSettings settings)
    {
        foreach (var (i, rule) in ingress.Spec.Rules.Index())
        {
            var name = IngressHosts.NameOf(rule);
            if (name != host && !(name != "*" && settings.Aliases.Contains(host)))
                continue;
            foreach (var (j, path) in (rule.Http?.Paths ?? []).Index())
            {
                var field = $"spec.rules[{i}].http.paths[{j}]";
                if (IngressPaths.Read(path, settings, field) is { } match)
                    yield return new(ingress, settings, match, path.Backend, $"{field}.backend", $"{MeshIndex.Name(ingress)}/{i}/{j}");
            }
        }
    }

    // A path that two have is the older's.
    private (List<IngressEntry> Entries, List<IngressEntry> Canaries) Sorted(IEnumerable<IngressEntry> all)
    {
        var (entries, canaries) = (new List<IngressEntry>(), new List<IngressEntry>());
        foreach (var entry in all)
        {
            var list = entry.Settings.Canary is null ? entries : canaries;
            if (list.Find(other => other.Path == entry.Path && (entry.Settings.Canary is null || IsOf(entry, other))) is { } first)
            {
                if (first.Ingress != entry.Ingress || first.Backend != entry.Backend)
                    entry.Settings.Problems.Error(entry.Field.Replace(".backend", ".path", StringComparison.Ordinal), $"{Shown(entry.Path)} of host '{host}' is that of {Problems.RefOf(first.Ingress)}, which {(first.Ingress == entry.Ingress ? "has it before" : "is older")}; it is not served from here");
                continue;
            }

            list.Add(entry);
        }

        foreach (var canary in canaries.Where(canary => !entries.Exists(entry => IsOf(canary, entry))))
            canary.Settings.Problems.Error(canary.Field.Replace(".backend", ".path", StringComparison.Ordinal), $"no other Ingress of the namespace has {Shown(canary.Path)} of host '{host}', so there is nothing to take a part of; it is not served");
        return ([.. entries.OrderBy(entry => IngressPaths.Order(entry.Path))], canaries);
    }

    private static string Shown(PathMatch path) => $"{path.Kind} '{path.Value}'";

    // A part of somebody's requests is for those of the same namespace alone.
    private static bool IsOf(IngressEntry canary, IngressEntry entry) => canary.Path == entry.Path && canary.Ingress.Metadata.Namespace == entry.Ingress.Metadata.Namespace;

    // Whose path '/' is, says where it leads.
    private bool HasRoot(Ingress ingress, IngressSettings settings, List<IngressEntry> entries)
    {
        if (settings is not { AppRoot: not null, IsClosed: false, Canary: null })
            return false;
        if (entries.Find(entry => entry.Path is { Value: "/", Kind: PathMatchKind.Exact or PathMatchKind.Prefix }) is not { } owner || owner.Ingress == ingress)
            return true;
        settings.Problems.Error("metadata.annotations", $"app-root: path '/' of host '{host}' is that of {Problems.RefOf(owner.Ingress)}");
        return false;
    }

    private RouteConfig AppRoot(Ingress ingress, IngressSettings settings) => new()
    {
        Name = $"{MeshIndex.Name(ingress)}/app-root", Matches = [Match(new(PathMatchKind.Exact, "/"))], Action = new RedirectAction { Path = settings.AppRoot, Status = 302, DropQuery = true },
    };

    private IEnumerable<RouteConfig> Routes(IngressEntry entry, IEnumerable<IngressEntry> canaries)
    {
        var settings = entry.Settings;
        var match = Match(entry.Path);
        if (settings.IsClosed)
        {
            yield return new() { Name = entry.Name, Matches = [match], Action = Refused };
            yield break;
        }

        if (port == DoorPort.Http && (settings.RedirectsAlways || (settings.RedirectsToTls && IngressHosts.HasTls(entry.Ingress, host))))
        {
            // A proxy in front that ends TLS says so, and is believed where it is trusted: sent to https again, its clients would go round for ever.
            var isBehind = DoorPort.Proxies(lookups).Any();
            yield return new()
            {
                Name = $"{entry.Name}/https", Matches = [isBehind ? match with { Headers = [NotHttps] } : match], Action = new RedirectAction { Scheme = "https", Status = settings.TlsRedirectStatus },
            };
            if (!isBehind)
                yield break;
        }

        foreach (var route in Served(entry, match, canaries.FirstOrDefault(canary => !canary.Settings.IsClosed)))
            yield return route;
    }

    private IEnumerable<RouteConfig> Served(IngressEntry entry, RouteMatch match, IngressEntry? canary)
    {
        var settings = entry.Settings;
        if (settings.Redirect is { } redirect)
        {
            yield return new() { Name = entry.Name, Matches = [match], Action = redirect, Filters = Filters(entry, null) };
            yield break;
        }

        if (IngressBackends.Cluster(entry.Ingress, entry.Backend, settings.Traits, entry.Field, lookups, settings.Problems) is not { } cluster)
        {
            yield return new() { Name = entry.Name, Matches = [match], Action = Refused };
            yield break;
        }

        var forward = settings.Forward with { Rewrite = IngressPaths.Rewrite(settings.Forward.Rewrite, entry.Path, settings.RewriteTarget) };
        var main = new RouteConfig { Name = entry.Name, Matches = [match], Action = forward with { Clusters = [new() { Cluster = cluster }] }, Filters = Filters(entry, entry.Backend) };
        if (canary is not { Settings.Canary: { } share } || IngressBackends.Cluster(canary.Ingress, canary.Backend, canary.Settings.Traits, canary.Field, lookups, canary.Settings.Problems) is not { } other)
        {
            yield return main;
            yield break;
        }

        // The first that is there decides: field before cookie, and of each always before never.
        for (var i = 0; i < share.Always.Count; i++)
        {
            yield return main with { Name = $"{entry.Name}/canary{i}", Matches = [match with { Headers = [share.Always[i]] }], Action = forward with { Clusters = [new() { Cluster = other }] } };
            if (i < share.Never.Count)
                yield return main with { Name = $"{entry.Name}/never{i}", Matches = [match with { Headers = [share.Never[i]] }] };
        }

        yield return share.Weight == 0 ? main : main with
        {
            Action = forward with { Clusters = [.. new WeightedCluster[] { new() { Cluster = cluster, Weight = share.Total - share.Weight }, new() { Cluster = other, Weight = share.Weight } }.Where(part => part.Weight > 0)] },
        };
    }

    private ValueList<FilterConfig> Filters(IngressEntry entry, IngressBackend? backend)
    {
        List<ObjectRef> targets = [.. entry.Settings.JwtPolicy is { } named ? [named] : Array.Empty<ObjectRef>(), Problems.RefOf(entry.Ingress)];
        if (backend?.Service is { } service)
            targets.Add(new("Service", entry.Ingress.Metadata.Namespace ?? "", service.Name));
        return [.. entry.Settings.Before, .. DoorPolicies.Filters(targets, lookups, diagnostics), .. entry.Settings.After];
    }

    private RouteMatch Match(PathMatch path) => new()
    {
        Path = path,
        Authority = IsOneLabel ? StringMatch.Regex($@"[^.:]+{Regex.Escape(host[1..])}(:[0-9]+)?") : null,
    };
}
