using System.Net;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Configuration.Validation;

namespace Weft.Proxy.Configuration.Files;

internal static class ClusterForms
{
    /// <summary>`host:port`.</summary>
    public static object? Endpoint(FileBinder binder, FileNode node, string path)
    {
        if (node.Kind == NodeKind.Mapping)
            return binder.Record(typeof(EndpointConfig), node, path);
        if (HostPort(node) is var (host, port) && (IPAddress.TryParse(host.Trim('[', ']'), out _) || ClusterValidator.IsName(host)))
            return new EndpointConfig { Address = host.Trim('[', ']'), Port = port };
        binder.Error(path, node, $"'{node.Value}' is not an address or a name with its port, such as 10.0.0.7:8080");
        return null;
    }

    /// <summary>`name:port`.</summary>
    public static object? Dns(FileBinder binder, FileNode node, string path)
    {
        if (node.Kind == NodeKind.Mapping)
            return binder.Record(typeof(DnsDiscovery), node, path);
        if (HostPort(node) is var (host, port))
            return new DnsDiscovery(host, port);
        binder.Error(path, node, $"'{node.Value}' is not a name with its port, such as api.example:8080; for SRV records write name and srv: true");
        return null;
    }

    /// <summary>A cluster's name, or `http://host:port` for a cluster of its own.</summary>
    public static object? Target(FileBinder binder, FileNode node, string path)
    {
        if (node.Kind == NodeKind.Mapping)
            return binder.Record(typeof(WeightedCluster), node, path);
        if (node.Kind != NodeKind.Scalar || node.IsNull)
        {
            binder.Error(path, node, "must be the name of a cluster, or an address such as http://127.0.0.1:9000");
            return null;
        }

        return new WeightedCluster { Cluster = Named(binder, node, path) };
    }

    /// <summary>The name of the cluster that a text means.</summary>
    public static string Named(FileBinder binder, FileNode node, string path)
    {
        var text = node.Value;
        var scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
            return text;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https" or "h2c" or "tcp" or "udp") || uri.PathAndQuery is not ("/" or "") || uri.Port <= 0)
        {
            binder.Error(path, node, $"'{text}' is not an address such as http://127.0.0.1:9000, https://api.example:443, h2c://..., tcp://... or udp://...; a path goes to `rewrite`");
            return text;
        }

        if (binder.Extras.Clusters.Any(c => c.Name == text))
            return text;
        var isAddress = IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address);
        binder.Extras.Places.Add(($"clusters[+{binder.Extras.Clusters.Count}]", path));
        binder.Extras.Clusters.Add(new ClusterConfig
        {
            Name = text,
            Endpoints = isAddress ? [new() { Address = address!.ToString(), Port = uri.Port }] : [],
            Dns = isAddress ? null : new(uri.Host, uri.Port),
            Protocol = uri.Scheme == "h2c" ? UpstreamProtocol.Http2 : UpstreamProtocol.Auto,
            Tls = uri.Scheme == "https" ? new() { ServerName = isAddress ? null : uri.Host } : null,
        });
        return text;
    }

    private static (string Host, int Port)? HostPort(FileNode node)
    {
        var colon = node.Value.LastIndexOf(':');
        return node.Kind == NodeKind.Scalar && colon > 0 && int.TryParse(node.Value.AsSpan(colon + 1), out var port) && port is > 0 and < 65_536 ? (node.Value[..colon], port) : null;
    }
}
