using System.Text.Json.Nodes;
using static Weft.ApiServer.Tables.Cells;

namespace Weft.ApiServer.Tables;

internal static class PolicyColumns
{
    internal static ColumnList NetworkPolicy() => new()
    {
        ColumnList.NameColumn,
        { "Pod-Selector", "The pods", p => Selector(Object(p, "spec", "podSelector")) },
        ColumnList.AgeColumn,
    };

    internal static ColumnList Ingress() => new()
    {
        ColumnList.NameColumn,
        { "Class", "Class that carries it out", i => Text(Object(i, "spec"), "ingressClassName", None) },
        { "Hosts", "Hosts of the rules", Hosts },
        { "Address", "Where it is reached", i => string.Join(',', Objects(Object(i, "status", "loadBalancer"), "ingress").Select(a => Text(a, "ip", Text(a, "hostname")))) },
        { "Ports", "Ports", i => Objects(Object(i, "spec"), "tls").Count > 0 ? "80, 443" : "80" },
        ColumnList.AgeColumn,
    };

    internal static ColumnList IngressClass() => new()
    {
        ColumnList.NameColumn,
        { "Controller", "Who carries it out", c => Text(Object(c, "spec"), "controller") },
        { "Parameters", "An object with settings", c => Object(c, "spec", "parameters") is { } p ? $"{Text(p, "kind")}{(Text(p, "apiGroup") is { Length: > 0 } g ? "." + g : "")}/{Text(p, "name")}" : None },
        ColumnList.AgeColumn,
    };

    private static string Hosts(JsonObject ingress)
    {
        var hosts = Objects(Object(ingress, "spec"), "rules").Select(rule => Text(rule, "host", "*")).ToList();
        return hosts.Count == 0 ? "*" : Some(hosts, "*");
    }
}
