using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Networking;

internal sealed class EndpointSliceStrategy : DefaultStrategy
{
    // Kubernetes' limits.
    private const int MaxEndpoints = 1000;
    private const int MaxAddresses = 100;
    private const int MaxPorts = 20000;

    public override bool HasStatus => false;

    public override void Default(JsonObject tree)
    {
        foreach (var port in tree.Objects("ports"))
        {
            port.Default("name", "");
            port.Default("protocol", "TCP");
        }
    }

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        var (endpoints, ports) = (root["endpoints"], root["ports"]);
        if (endpoints.Count > MaxEndpoints)
            yield return new FieldError(FieldErrorKind.TooMany, endpoints.Path, $"{endpoints.Count}", $"must have at most {MaxEndpoints} items");
        if (ports.Count > MaxPorts)
            yield return new FieldError(FieldErrorKind.TooMany, ports.Path, $"{ports.Count}", $"must have at most {MaxPorts} items");

        foreach (var error in endpoints.Each(endpoint => Endpoint(endpoint, root["addressType"].TextOrEmpty)).Concat(ports.Each(Port)))
            yield return error;
        var names = new HashSet<string>();
        foreach (var port in ports.Items)
        {
            if (!names.Add(port["name"].TextOrEmpty))
                yield return port["name"].Duplicate();
        }
    }

    private static IEnumerable<FieldError> Port(Field port) => Rules.Optional(port["name"], NameRules.DnsLabel).Concat(Rules.Port(port["port"]));

    private static IEnumerable<FieldError> Endpoint(Field endpoint, string type)
    {
        var addresses = endpoint["addresses"];
        if (addresses.IsBlank)
            yield return addresses.Required("must contain at least 1 address");
        if (addresses.Count > MaxAddresses)
            yield return new FieldError(FieldErrorKind.TooMany, addresses.Path, $"{addresses.Count}", $"must have at most {MaxAddresses} items");
        foreach (var address in addresses.Items)
        {
            foreach (var error in Address(address, type))
                yield return error;
        }
        foreach (var error in Rules.Optional(endpoint["hostname"], NameRules.DnsLabel).Concat(Rules.Optional(endpoint["nodeName"], NameRules.DnsSubdomain)))
            yield return error;
    }

    private static IEnumerable<FieldError> Address(Field address, string type)
    {
        var text = address.TextOrEmpty;
        if (type == "FQDN")
            return Rules.Named(address, NameRules.DnsSubdomain);
        if (!Rules.IsAddress(text) || text.Contains(':') != (type == "IPv6"))
            return [address.Invalid($"must be a valid {type} address")];
        return EndpointAddresses.Usable(address);
    }
}
