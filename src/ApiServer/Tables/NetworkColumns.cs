using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;
using static Weft.ApiServer.Tables.Cells;

namespace Weft.ApiServer.Tables;

internal static class NetworkColumns
{
    internal static ColumnList Service() => new()
    {
        ColumnList.NameColumn,
        { "Type", "How the service is exposed", s => Text(Object(s, "spec"), "type") },
        { "Cluster-IP", "Address inside the cluster", ClusterIp },
        { "External-IP", "Addresses outside", ExternalIp },
        { "Port(s)", "Ports, with their node ports", s => Joined(Objects(Object(s, "spec"), "ports").Select(Port)) },
        ColumnList.AgeColumn,
        new Wide("Selector", "Labels of the pods behind it", s => Labels(Object(s, "spec", "selector"))),
    };

    internal static ColumnList Endpoints() => new()
    {
        ColumnList.NameColumn,
        { "Endpoints", "Addresses and ports", EndpointsText },
        ColumnList.AgeColumn,
    };

    internal static ColumnList EndpointSlice() => new()
    {
        ColumnList.NameColumn,
        { "AddressType", "Kind of the addresses", s => Text(s, "addressType") },
        { "Ports", "Ports of all endpoints", s => Some([.. Objects(s, "ports").Select(p => p["port"] is { } port ? Scalar(port) : "*")], "<unset>") },
        { "Endpoints", "Addresses", s => Some([.. Objects(s, "endpoints").SelectMany(e => Metadata.Strings(e, "addresses"))], "<unset>") },
        ColumnList.AgeColumn,
    };

    private static string ClusterIp(JsonObject service) =>
        Metadata.Strings(Object(service, "spec"), "clusterIPs") is [var first, ..] ? first : Text(Object(service, "spec"), "clusterIP", None);

    private static string ExternalIp(JsonObject service)
    {
        var spec = Object(service, "spec");
        var external = Metadata.Strings(spec, "externalIPs");
        switch (Text(spec, "type"))
        {
            case "LoadBalancer":
                var given = Objects(Object(service, "status", "loadBalancer"), "ingress").Select(i => Text(i, "ip", Text(i, "hostname"))).Where(t => t.Length > 0).Distinct();
                return Joined(given.Concat(external), "<pending>");
            case "ExternalName":
                return Text(spec, "externalName");
            default:
                return Joined(external);
        }
    }

    private static string Port(JsonObject port)
    {
        var nodePort = Number(port, "nodePort");
        var protocol = Text(port, "protocol", "TCP");
        return nodePort > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{Number(port, "port")}:{nodePort}/{protocol}")
            : string.Create(CultureInfo.InvariantCulture, $"{Number(port, "port")}/{protocol}");
    }

    private static string EndpointsText(JsonObject endpoints)
    {
        var all = new List<string>();
        foreach (var subset in Objects(endpoints, "subsets"))
        {
            var addresses = Objects(subset, "addresses").Select(a => Text(a, "ip")).ToList();
            var ports = Objects(subset, "ports");
            if (ports.Count == 0)
                all.AddRange(addresses);
            foreach (var port in ports)
                all.AddRange(addresses.Select(a => HostPort(a, Number(port, "port"))));
        }

        return Some(all, None);
    }

    private static string HostPort(string address, long port) =>
        string.Create(CultureInfo.InvariantCulture, $"{(address.Contains(':') ? $"[{address}]" : address)}:{port}");
}
