using System.Net;
using Weft.Api;

namespace Weft.ApiServer.Strategies.Networking;

internal static class ServiceValidation
{
    private const string Headless = "None";

    public static IEnumerable<FieldError> Validate(Field spec)
    {
        var type = spec["type"].TextOrEmpty;
        foreach (var error in Addresses(spec, type).Concat(Ports(spec, type)).Concat(ObjectMetaValidation.Labels(spec["selector"])).Concat(Policies(spec, type)))
            yield return error;
    }

    public static IEnumerable<FieldError> Update(Field spec, Field? old)
    {
        if (old is not { } before || spec["type"].Text == "ExternalName" || before["type"].Text == "ExternalName")
            yield break;
        var (now, was) = (spec["clusterIP"], before["clusterIP"]);
        if (was.TextOrEmpty.Length > 0 && now.Text != was.Text)
            yield return now.Invalid("field is immutable");
        var (nowClass, wasClass) = (spec["loadBalancerClass"], before["loadBalancerClass"]);
        if (spec["type"].Text == "LoadBalancer" && before["type"].Text == "LoadBalancer" && nowClass.Text != wasClass.Text)
            yield return nowClass.Invalid("may not change once set");
    }

    private static IEnumerable<FieldError> Addresses(Field spec, string type)
    {
        var (address, list) = (spec["clusterIP"], spec["clusterIPs"]);
        if (type == "ExternalName")
        {
            if (address.TextOrEmpty.Length > 0)
                yield return address.Forbidden("may not be set when `type` is 'ExternalName'");
            var name = spec["externalName"];
            if (name.TextOrEmpty.Length == 0)
                yield return name.Required();
            else if (NameRules.DnsSubdomain(name.TextOrEmpty.TrimEnd('.')) is { } wrong)
                yield return name.Invalid(wrong);
            yield break;
        }

        if (address.Text == Headless && type is ("NodePort" or "LoadBalancer"))
            yield return address.Invalid($"may not be set to 'None' for {type} services");
        else if (address.TextOrEmpty is { Length: > 0 } and not Headless && !Rules.IsAddress(address.TextOrEmpty))
            yield return address.Invalid("must be empty, 'None', or a valid IP address");
        if (list.Count > 2)
            yield return list.Invalid("may only hold up to 2 values");
        if (list.Count > 0 && address.Exists && list.Items.First().Text != address.Text)
            yield return list.Invalid("first value must match `clusterIP`");

        foreach (var external in spec["externalIPs"].Items)
        {
            foreach (var error in Rules.Address(external))
                yield return error;
            foreach (var error in EndpointAddresses.Usable(external))
                yield return error;
        }
        foreach (var family in spec["ipFamilies"].Items)
        {
            if (family.Text is not ("IPv4" or "IPv6"))
                yield return family.Unsupported(["IPv4", "IPv6"]);
            else if (family.Text == "IPv6" && address.Text != Headless)
                yield return family.Invalid("not configured on this cluster: it has IPv4 addresses");
        }
        if (spec["ipFamilyPolicy"].Text == "RequireDualStack")
            yield return spec["ipFamilyPolicy"].Invalid("this cluster is not configured for dual-stack services");
    }

    private static IEnumerable<FieldError> Ports(Field spec, string type)
    {
        var ports = spec["ports"];
        if (ports.Count == 0)
        {
            if (type != "ExternalName" && spec["clusterIP"].Text != Headless)
                yield return ports.Required();
            yield break;
        }
        foreach (var error in Rules.Unique(ports, "name"))
            yield return error;

        var seen = new HashSet<(long?, string?)>();
        var nodePorts = new HashSet<(long?, string?)>();
        foreach (var port in ports.Items)
        {
            if (ports.Count > 1 && port["name"].TextOrEmpty.Length == 0)
                yield return port["name"].Required();
            foreach (var error in Rules.Optional(port["name"], NameRules.DnsLabel)
                .Concat(Rules.Port(port["port"]))
                .Concat(Rules.PortNumberOrName(port["targetPort"]))
                .Concat(Rules.Optional(port["appProtocol"], NameRules.QualifiedName)))
                yield return error;
            if (port["protocol"].Text == "SCTP")
                yield return port["protocol"].Invalid("SCTP is not supported by this cluster: use TCP or UDP");
            if (!seen.Add((port["port"].Number, port["protocol"].Text)))
                yield return FieldError.Duplicate(port.Path, port.Shown);

            var node = port["nodePort"];
            if (node.Number is null or 0)
                continue;
            if (type is "ClusterIP" or "ExternalName")
                yield return node.Forbidden($"may not be used when `type` is '{type}'");
            else
            {
                foreach (var error in Rules.Port(node))
                    yield return error;
                if (!nodePorts.Add((node.Number, port["protocol"].Text)))
                    yield return node.Duplicate();
            }
        }
    }

    private static IEnumerable<FieldError> Policies(Field spec, string type)
    {
        var outside = type is "NodePort" or "LoadBalancer" || type == "ClusterIP" && spec["externalIPs"].Count > 0;
        if (spec["externalTrafficPolicy"].TextOrEmpty.Length > 0 && !outside)
            yield return spec["externalTrafficPolicy"].Invalid("may only be set for externally-accessible services");
        var health = spec["healthCheckNodePort"];
        if (health.Number is > 0 && (type != "LoadBalancer" || spec["externalTrafficPolicy"].Text != "Local"))
            yield return health.Invalid("may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
        if (spec["loadBalancerIP"].TextOrEmpty is { Length: > 0 } wanted && type == "LoadBalancer" && !Rules.IsAddress(wanted))
            yield return spec["loadBalancerIP"].Invalid("must be a valid IP address");
        if (spec["sessionAffinity"].Text == "ClientIP")
        {
            // At most a day.
            foreach (var error in Rules.Between(spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"], 1, 86400))
                yield return error;
        }
        if (type != "LoadBalancer")
        {
            foreach (var name in (string[])["loadBalancerSourceRanges", "loadBalancerClass", "allocateLoadBalancerNodePorts"])
            {
                if (spec[name].Exists && !spec[name].IsBlank)
                    yield return spec[name].Forbidden("may only be used when `type` is 'LoadBalancer'");
            }
        }
        foreach (var range in spec["loadBalancerSourceRanges"].Items)
        {
            if (!IPNetwork.TryParse(range.TextOrEmpty.Trim(), out _))
                yield return range.Invalid("must be a valid CIDR value, (e.g. 10.9.8.0/24)");
        }
        foreach (var error in Rules.Optional(spec["loadBalancerClass"], NameRules.QualifiedName))
            yield return error;
    }
}
