using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Dns.Names;

/// <summary>Addresses as octets, one after the other: copied into answers as they are.</summary>
/// <param name="V4">Four octets each.</param>
/// <param name="V6">Sixteen octets each.</param>
internal sealed record AddressSet(byte[] V4, byte[] V6)
{
    public static AddressSet Of(IEnumerable<string> addresses)
    {
        var (v4, v6) = (new List<byte>(), new List<byte>());
        foreach (var text in addresses)
        {
            // What is no address has no place in an answer; an FQDN endpoint has none either.
            if (IPAddress.TryParse(text, out var address))
                (address.AddressFamily == AddressFamily.InterNetwork ? v4 : v6).AddRange(address.GetAddressBytes());
        }

        return new([.. v4], [.. v6]);
    }
}

/// <param name="Target">Octets of the name that the port is at.</param>
/// <param name="Addresses">Of the target, which go with it unasked.</param>
internal sealed record ServiceTarget(ushort Port, byte[] Target, AddressSet Addresses);

/// <summary>All that the names of one service answer: the compiled form, made once at a change (the DNS specification of Kubernetes, 1.1.0).</summary>
internal sealed record ServiceNames
{
    /// <summary>Of the service's own name.</summary>
    public required AddressSet Addresses { get; init; }

    /// <summary>Octets of the name that this one stands for.</summary>
    public byte[]? Alias { get; init; }

    public string? AliasText { get; init; }

    /// <summary>Below the name of a headless service: `web-0`, `10-244-0-7`.</summary>
    public required FrozenDictionary<string, AddressSet> Hosts { get; init; }

    /// <summary>`_http._tcp`.</summary>
    public required FrozenDictionary<string, ImmutableArray<ServiceTarget>> Ports { get; init; }

    /// <summary>`_tcp`: exists because something below it does.</summary>
    public required FrozenSet<string> Protocols { get; init; }

    /// <summary>Which names an address leads back to.</summary>
    public required ImmutableArray<(string Address, string Name)> Reverse { get; init; }

    /// <summary>Null when the service itself is not known: its endpoints alone are no name.</summary>
    public static ServiceNames? Compile(string @namespace, string name, string domain, ServiceUnit? unit, IEnumerable<EndpointsUnit> slices)
    {
        if (unit is null)
            return null;
        var fullName = $"{name}.{@namespace}.svc.{domain}";
        if (unit.ExternalName is { } external)
        {
            var alias = external.TrimEnd('.').ToLowerInvariant();
            return Empty() with { Alias = DnsName.IsName(alias) ? DnsName.ToWire(alias) : null, AliasText = alias };
        }

        return unit.Headless ? Headless(fullName, [.. slices]) : WithAddress(fullName, unit);
    }

    private static ServiceNames WithAddress(string fullName, ServiceUnit unit)
    {
        var addresses = AddressSet.Of(unit.Addresses);
        var target = DnsName.ToWire(fullName);
        var ports = unit.Ports.Where(port => port.Name.Length > 0)
            .ToLookup(PortName, port => new ServiceTarget((ushort)port.Port, target, addresses), StringComparer.Ordinal);
        return Of(addresses, FrozenDictionary<string, AddressSet>.Empty, ports, [.. unit.Addresses.Select(address => (address, fullName))]);
    }

    private static ServiceNames Headless(string fullName, List<EndpointsUnit> slices)
    {
        var hosts = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var reverse = ImmutableArray.CreateBuilder<(string, string)>();
        var ready = new List<(EndpointsUnit Slice, string Host)>();
        foreach (var slice in slices)
        {
            foreach (var endpoint in slice.Endpoints.Where(endpoint => endpoint.Ready))
            {
                foreach (var address in endpoint.Addresses)
                {
                    // Several endpoints may share a host name; without one the address is the name.
                    var host = endpoint.Hostname is { Length: > 0 } named ? named.ToLowerInvariant() : Dashed(address);
                    if (!hosts.TryGetValue(host, out var list))
                        hosts[host] = list = [];
                    if (list.Contains(address))
                        continue;
                    list.Add(address);
                    ready.Add((slice, host));
                    reverse.Add((address, $"{host}.{fullName}"));
                }
            }
        }

        var sets = hosts.ToDictionary(host => host.Key, host => AddressSet.Of(host.Value), StringComparer.Ordinal);
        var targets = hosts.Keys.ToDictionary(host => host, host => DnsName.ToWire($"{host}.{fullName}"), StringComparer.Ordinal);
        var ports = ready.SelectMany(entry => entry.Slice.Ports.Where(port => port.Name.Length > 0).Select(port => (Name: PortName(port), Number: port.Port, entry.Host))).Distinct()
            .ToLookup(entry => entry.Name, entry => new ServiceTarget((ushort)entry.Number, targets[entry.Host], sets[entry.Host]), StringComparer.Ordinal);
        return Of(AddressSet.Of(hosts.Values.SelectMany(list => list).Distinct(StringComparer.Ordinal)), sets.ToFrozenDictionary(StringComparer.Ordinal), ports, reverse.ToImmutable());
    }

    private static ServiceNames Of(
        AddressSet addresses, FrozenDictionary<string, AddressSet> hosts, ILookup<string, ServiceTarget> ports, ImmutableArray<(string, string)> reverse) => new()
    {
        Addresses = addresses,
        Hosts = hosts,
        Ports = ports.ToFrozenDictionary(group => group.Key, group => group.ToImmutableArray(), StringComparer.Ordinal),
        Protocols = ports.Select(group => group.Key[(group.Key.IndexOf('.') + 1)..]).ToFrozenSet(StringComparer.Ordinal),
        Reverse = reverse,
    };

    private static ServiceNames Empty() => Of(new([], []), FrozenDictionary<string, AddressSet>.Empty, Array.Empty<ServiceTarget>().ToLookup(_ => ""), []);

    private static string PortName(UnitPort port) => string.Create(CultureInfo.InvariantCulture, $"_{port.Name.ToLowerInvariant()}._{port.Protocol}");

    /// <summary>`10-244-0-7`, `fd00--7`.</summary>
    public static string Dashed(string address) => address.Replace('.', '-').Replace(':', '-');
}
