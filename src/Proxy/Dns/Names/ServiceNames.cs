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

/// <param name="Name">Where the address leads back to.</param>
internal sealed record ReverseEntry(string Address, string Name);

/// <summary>
/// All that the names of one service answer: the compiled form, made once at a change (the DNS specification of Kubernetes, 1.1.0). Plain collections of
/// classes: thousands of these are made when a proxy starts, and .NET has the code for them compiled.
/// </summary>
internal sealed record ServiceNames
{
    /// <summary>Of the service's own name.</summary>
    public required AddressSet Addresses { get; init; }

    /// <summary>Octets of the name that this one stands for.</summary>
    public byte[]? Alias { get; init; }

    public string? AliasText { get; init; }

    /// <summary>Below the name of a headless service: `web-0`, `10-244-0-7`.</summary>
    public required Dictionary<string, AddressSet> Hosts { get; init; }

    /// <summary>`_http._tcp`.</summary>
    public required Dictionary<string, ServiceTarget[]> Ports { get; init; }

    /// <summary>`_tcp`: exists because something below it does.</summary>
    public required HashSet<string> Protocols { get; init; }

    /// <summary>Which names an address leads back to.</summary>
    public required IReadOnlyList<ReverseEntry> Reverse { get; init; }

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
        var ports = new Dictionary<string, HashSet<ServiceTarget>>(StringComparer.Ordinal);
        foreach (var port in unit.Ports)
            Put(ports, port, target, addresses);
        return Of(addresses, new(StringComparer.Ordinal), ports, [.. unit.Addresses.Select(address => new ReverseEntry(address, fullName))]);
    }

    private static ServiceNames Headless(string fullName, List<EndpointsUnit> slices)
    {
        var hosts = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var all = new List<string>();
        var reverse = new List<ReverseEntry>();
        foreach (var endpoint in slices.SelectMany(slice => slice.Endpoints).Where(endpoint => endpoint.Ready))
        {
            foreach (var address in endpoint.Addresses)
            {
                var host = HostOf(endpoint, address);
                if (!hosts.TryGetValue(host, out var list))
                    hosts[host] = list = [];
                if (list.Contains(address))
                    continue;
                list.Add(address);
                all.Add(address);
                reverse.Add(new(address, $"{host}.{fullName}"));
            }
        }

        var sets = hosts.ToDictionary(host => host.Key, host => AddressSet.Of(host.Value), StringComparer.Ordinal);
        var targets = hosts.Keys.ToDictionary(host => host, host => DnsName.ToWire($"{host}.{fullName}"), StringComparer.Ordinal);
        var ports = new Dictionary<string, HashSet<ServiceTarget>>(StringComparer.Ordinal);
        foreach (var slice in slices)
        {
            foreach (var host in slice.Endpoints.Where(endpoint => endpoint.Ready).SelectMany(endpoint => endpoint.Addresses.Select(address => HostOf(endpoint, address))))
            {
                foreach (var port in slice.Ports)
                    Put(ports, port, targets[host], sets[host]);
            }
        }

        return Of(AddressSet.Of(all.Distinct(StringComparer.Ordinal)), sets, ports, reverse);
    }

    // Several endpoints may share a host name; without one the address is the name.
    private static string HostOf(UnitEndpoint endpoint, string address) => endpoint.Hostname is { Length: > 0 } named ? named.ToLowerInvariant() : Dashed(address);

    // The same host at the same port is one target, in however many slices it is.
    private static void Put(Dictionary<string, HashSet<ServiceTarget>> ports, UnitPort port, byte[] target, AddressSet addresses)
    {
        if (port.Name.Length == 0)
            return;
        var name = PortName(port);
        if (!ports.TryGetValue(name, out var targets))
            ports[name] = targets = [];
        targets.Add(new((ushort)port.Port, target, addresses));
    }

    private static ServiceNames Of(AddressSet addresses, Dictionary<string, AddressSet> hosts, Dictionary<string, HashSet<ServiceTarget>> ports, IReadOnlyList<ReverseEntry> reverse)
    {
        var targets = new Dictionary<string, ServiceTarget[]>(ports.Count, StringComparer.Ordinal);
        foreach (var (name, some) in ports)
            targets[name] = [.. some];
        return new()
        {
            Addresses = addresses,
            Hosts = hosts,
            Ports = targets,
            Protocols = ports.Keys.Select(name => name[(name.IndexOf('.') + 1)..]).ToHashSet(StringComparer.Ordinal),
            Reverse = reverse,
        };
    }

    private static ServiceNames Empty() => Of(new([], []), new(StringComparer.Ordinal), new(StringComparer.Ordinal), []);

    private static string PortName(UnitPort port) => string.Create(CultureInfo.InvariantCulture, $"_{port.Name.ToLowerInvariant()}._{port.Protocol}");

    /// <summary>`10-244-0-7`, `fd00--7`.</summary>
    public static string Dashed(string address) => address.Replace('.', '-').Replace(':', '-');
}
