using System.Net;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Networking;

internal sealed class EndpointsStrategy : DefaultStrategy
{
    public override bool HasStatus => false;

    public override void Default(JsonObject tree)
    {
        foreach (var port in tree.Objects("subsets").SelectMany(subset => subset.Objects("ports")))
            port.Default("protocol", "TCP");
    }

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        foreach (var subset in root["subsets"].Items)
        {
            if (subset["addresses"].Count == 0 && subset["notReadyAddresses"].Count == 0)
                yield return subset.Required("must specify `addresses` or `notReadyAddresses`");
            foreach (var error in subset["addresses"].Items.Concat(subset["notReadyAddresses"].Items).SelectMany(Address))
                yield return error;
            foreach (var port in subset["ports"].Items)
            {
                if (subset["ports"].Count > 1 && port["name"].TextOrEmpty.Length == 0)
                    yield return port["name"].Required();
                foreach (var error in Rules.Optional(port["name"], NameRules.DnsLabel).Concat(Rules.Port(port["port"])))
                    yield return error;
            }
        }
    }

    private static IEnumerable<FieldError> Address(Field address)
    {
        foreach (var error in Rules.Address(address["ip"]).Concat(Rules.Optional(address["hostname"], NameRules.DnsLabel)).Concat(EndpointAddresses.Usable(address["ip"])))
            yield return error;
    }
}

internal static class EndpointAddresses
{
    /// <summary>Addresses that mean another machine on every machine would lead a client astray.</summary>
    public static IEnumerable<FieldError> Usable(Field field)
    {
        if (!IPAddress.TryParse(field.Text, out var address))
            yield break;
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            yield return field.Invalid("may not be unspecified");
        if (IPAddress.IsLoopback(address))
            yield return field.Invalid("may not be in the loopback range (127.0.0.0/8, ::1/128)");
        if (address.IsIPv6LinkLocal || address.GetAddressBytes() is [169, 254, _, _])
            yield return field.Invalid("may not be in the link-local range (169.254.0.0/16, fe80::/10)");
        if (address.IsIPv6Multicast || address.GetAddressBytes() is [>= 224 and < 240, _, _, _] or [255, 255, 255, 255])
            yield return field.Invalid("may not be a multicast or broadcast address");
    }
}
