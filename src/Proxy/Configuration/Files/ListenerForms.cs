using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Configuration.Files;

/// <summary>Listeners with their hosts and routes inside, or with `to` for connections.</summary>
internal static class ListenerForms
{
    public static object? Listener(FileBinder binder, FileNode node, string path)
    {
        if (binder.Record(typeof(ListenerConfig), node, path, "hosts", "routes", "to", "servers") is not ListenerConfig listener)
            return null;
        var fields = node.Fields.ToDictionary(f => f.Key, f => f.Value);
        foreach (var hidden in new[] { "routeTable", "connectionRoutes", "defaultCluster" }.Where(fields.ContainsKey))
            binder.Error($"{path}.{hidden}", fields[hidden], "in a file this is one of hosts, routes, servers, to");
        if (listener.Name.Length == 0)
            listener = listener with { Name = $"{(listener.Kind == ListenerKind.Udp ? "udp" : "port")}-{listener.Port}" };
        if (fields.TryGetValue("to", out var to))
            listener = listener with { DefaultCluster = ClusterForms.Named(binder, to, $"{path}.to") };
        if (fields.TryGetValue("servers", out var servers))
            listener = listener with { ConnectionRoutes = binder.Bind<ValueList<ConnectionRoute>>(servers, $"{path}.servers") };
        if (fields.ContainsKey("hosts") && fields.ContainsKey("routes"))
            binder.Error($"{path}.routes", fields["routes"], "stands in one of the hosts, or there are no hosts");
        var table = $"routeTables[{binder.Extras.RouteTables.Count}]";
        if (fields.TryGetValue("hosts", out var hosts))
        {
            binder.Extras.Places.Add((table, path));
            binder.Extras.RouteTables.Add(new() { Name = listener.Name, Hosts = binder.Bind<ValueList<VirtualHostConfig>>(hosts, $"{path}.hosts") });
        }
        else if (fields.TryGetValue("routes", out var routes))
        {
            binder.Extras.Places.Add(($"{table}.hosts[0]", path));
            binder.Extras.RouteTables.Add(new() { Name = listener.Name, Hosts = [new() { Name = "*", Domains = ["*"], Routes = binder.Bind<ValueList<RouteConfig>>(routes, $"{path}.routes") }] });
        }
        else
        {
            return listener;
        }

        return listener with { RouteTable = listener.Name };
    }

    public static object? Host(FileBinder binder, FileNode node, string path)
        => binder.Record(typeof(VirtualHostConfig), node, path) is VirtualHostConfig host ? host.Name.Length > 0 ? host : host with { Name = host.Domains.FirstOrDefault() ?? "" } : null;

    /// <summary>`servers`: `names`, `to`, and the conditions of the model.</summary>
    public static object? Connection(FileBinder binder, FileNode node, string path)
    {
        if (binder.Record(typeof(ConnectionRoute), node, path, "names", "to") is not ConnectionRoute route)
            return null;
        var fields = node.Fields.ToDictionary(f => f.Key, f => f.Value);
        if (fields.TryGetValue("names", out var names))
            route = route with { ServerNames = binder.Bind<ValueList<string>>(names, $"{path}.names") };
        if (fields.TryGetValue("to", out var to))
            route = route with { Clusters = binder.Bind<ValueList<WeightedCluster>>(to, $"{path}.to") };
        return route;
    }

    /// <summary>`cert` and `key`: files of the only certificate. Otherwise `certificates` has the names of those at the top.</summary>
    public static object? Tls(FileBinder binder, FileNode node, string path)
    {
        if (binder.Record(typeof(ListenerTls), node, path, "cert", "key") is not ListenerTls tls)
            return null;
        var fields = node.Fields.ToDictionary(f => f.Key, f => f.Value);
        var (hasCert, hasKey) = (fields.TryGetValue("cert", out var cert), fields.TryGetValue("key", out var key));
        if (!hasCert && !hasKey)
            return tls;
        if (!hasCert || !hasKey)
        {
            binder.Error(path, node, "needs both, cert and key");
            return tls;
        }

        binder.Extras.Places.Add(($"certificates[+{binder.Extras.Certificates.Count}]", path));
        binder.Extras.Certificates.Add(new() { Name = path, Chain = binder.Bind<DataSource>(cert!, $"{path}.cert"), Key = binder.Bind<DataSource>(key!, $"{path}.key") });
        return tls with { Certificates = [.. tls.Certificates, path] };
    }
}
