using System.Text.Json.Nodes;

namespace Weft.ApiServer.Strategies.Networking;

internal static class ServiceDefaults
{
    // Kubernetes' three hours.
    private const int AffinitySeconds = 10800;

    public static void Apply(JsonObject spec)
    {
        spec.Default("sessionAffinity", "None");
        spec.Default("type", IsNodePortWithoutType(spec) ? "NodePort" : "ClusterIP");
        var type = spec.TextAt("type");

        if (spec.TextAt("sessionAffinity") == "ClientIP")
            spec.Ensure("sessionAffinityConfig")?.Ensure("clientIP")?.Default("timeoutSeconds", AffinitySeconds);
        else
            spec.Remove("sessionAffinityConfig");

        foreach (var port in spec.Objects("ports"))
        {
            port.Default("protocol", "TCP");
            if (port["port"] is { } number && (port["targetPort"] is null || new Field(port["targetPort"], "") is { Number: 0 } or { Text.Length: 0 }))
                port["targetPort"] = number.DeepClone();
        }

        if (type is "NodePort" or "LoadBalancer")
            spec.Default("externalTrafficPolicy", "Cluster");
        if (type == "LoadBalancer")
            spec.Default("allocateLoadBalancerNodePorts", true);
        if (type == "ExternalName")
            return;
        spec.Default("internalTrafficPolicy", "Cluster");
        Families(spec);
    }

    /// <summary>A form that manifests of old have and today's Kubernetes refuses: a node port, and no word of the type.</summary>
    public static bool IsNodePortWithoutType(JsonObject spec) =>
        spec["type"] is null && spec.TextAt("clusterIP") != "None" && spec.Objects("ports").Any(port => port.NumberAt("nodePort") is > 0);

    /// <summary>What the server gave stays given when an update does not name it; what a change of type frees is dropped.</summary>
    public static void KeepAllocated(JsonObject spec, JsonObject old)
    {
        var (needsAddress, hadAddress) = (spec.TextAt("type") != "ExternalName", old.TextAt("type") != "ExternalName");
        if (needsAddress && hadAddress && spec.TextAt("clusterIP").Length == 0)
        {
            spec.TakeFrom(old, "clusterIP");
            spec.TakeFrom(old, "clusterIPs");
        }
        else if (!needsAddress && hadAddress && spec.TextAt("clusterIP") == old.TextAt("clusterIP"))
        {
            foreach (var name in (string[])["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"])
                spec.Remove(name);
        }

        var (needsPorts, hadPorts) = (HasNodePorts(spec), HasNodePorts(old));
        if (!needsPorts && hadPorts && SameNodePorts(spec, old))
        {
            foreach (var port in spec.Objects("ports"))
                port.Remove("nodePort");
            if (spec["externalTrafficPolicy"].SameAs(old["externalTrafficPolicy"]))
                spec.Remove("externalTrafficPolicy");
        }
        else if (needsPorts && hadPorts)
        {
            foreach (var port in spec.Objects("ports").Where(port => port.NumberAt("nodePort") is null or 0))
            {
                var same = old.Objects("ports").FirstOrDefault(other => other["port"].SameAs(port["port"]) && other.TextAt("protocol") == port.TextAt("protocol"));
                if (same?["nodePort"] is not null && !spec.Objects("ports").Any(other => other["nodePort"].SameAs(same["nodePort"])))
                    port.TakeFrom(same, "nodePort");
            }
        }
        if (spec.TextAt("type") != "LoadBalancer" && old.TextAt("type") == "LoadBalancer"
            && spec["allocateLoadBalancerNodePorts"].SameAs(old["allocateLoadBalancerNodePorts"]))
            spec.Remove("allocateLoadBalancerNodePorts");
        if (spec.TextAt("type") != "LoadBalancer" && old.TextAt("type") == "LoadBalancer" && spec["loadBalancerClass"].SameAs(old["loadBalancerClass"]))
            spec.Remove("loadBalancerClass");
    }

    private static bool HasNodePorts(JsonObject spec) => spec.TextAt("type") is "NodePort" or "LoadBalancer";

    private static bool SameNodePorts(JsonObject spec, JsonObject old)
    {
        var before = old.Objects("ports").Select(port => port.NumberAt("nodePort")).ToHashSet();
        return spec.Objects("ports").All(port => port.NumberAt("nodePort") is null or 0 || before.Contains(port.NumberAt("nodePort")));
    }

    // clusterIP is the first of clusterIPs; either may be written.
    private static void Families(JsonObject spec)
    {
        var address = spec.TextAt("clusterIP");
        if (address.Length > 0 && spec["clusterIPs"] is null)
            spec["clusterIPs"] = new JsonArray(address);
        else if (address.Length == 0 && spec["clusterIPs"] is JsonArray { Count: > 0 } list && new Field(list[0], "").Text is { } first)
            spec["clusterIP"] = first;

        spec.Default("ipFamilyPolicy", "SingleStack");
        if (spec["ipFamilies"] is not (null or JsonArray { Count: 0 }))
            return;
        spec["ipFamilies"] = new JsonArray(spec.TextAt("clusterIP").Contains(':') ? "IPv6" : "IPv4");
    }
}
