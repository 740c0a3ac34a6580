using System.Collections.Immutable;
using System.Net;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Mesh.State;

/// <summary>Keeps the view up to date: a change costs what it touches.</summary>
internal sealed class MeshIndexes
{
    private static readonly ImmutableSortedDictionary<string, MeshHost> NoHosts = ImmutableSortedDictionary.Create<string, MeshHost>(StringComparer.Ordinal);

    private readonly Dictionary<string, MeshHost> _hosts = [];
    private readonly Dictionary<string, MeshWorkload> _workloads = [];
    private readonly Dictionary<string, List<(IPEndPoint At, DialledHost Host)>> _dialled = []; // by unit
    private readonly Dictionary<(IPEndPoint At, DialledHost Host), int> _slicesAt = [];
    private MeshView _view = MeshView.Empty;

    /// <summary>Read by others than whoever changes it, too.</summary>
    public MeshView View { get => Volatile.Read(ref _view); private set => Volatile.Write(ref _view, value); }

    public IReadOnlyDictionary<string, MeshHost> Hosts => _hosts;

    public IReadOnlyDictionary<string, MeshWorkload> Workloads => _workloads;

    /// <param name="units">By host; null: it is gone.</param>
    public void SetHosts(IReadOnlyCollection<(string Name, DestinationUnit? Unit)> units)
    {
        var addresses = View.Hosts.ToBuilder();
        var shared = View.Shared.ToBuilder();
        var named = View.Named.ToBuilder();
        var kept = View.Kept.ToBuilder();
        var ranges = false;
        // All that go before any that comes: an address may change hands in one step.
        foreach (var (name, _) in units)
        {
            if (!_hosts.Remove(name, out var before))
                continue;
            ranges |= Ranges(before.Unit).Any();
            kept.Remove(name);
            foreach (var address in Addresses(before.Unit).Where(address => addresses.TryGetValue(address, out var owner) && owner.Name == name))
                addresses.Remove(address);
            foreach (var at in Shared(before.Unit))
            {
                if (shared.GetValueOrDefault(at, NoHosts).Remove(Claim(name, before.Unit)) is { IsEmpty: false } left)
                    shared[at] = left;
                else
                    shared.Remove(at);
            }

            foreach (var port in before.Unit.Ports)
            {
                if (named.TryGetValue(port.Port, out var hosts))
                    named[port.Port] = hosts.Remove(name);
            }
        }

        foreach (var (name, unit) in units)
        {
            if (unit is null)
                continue;
            var host = _hosts[name] = new MeshHost(name, unit);
            ranges |= Ranges(unit).Any();
            if (unit.Declared || !unit.Namespaces.Contains("*"))
                kept[name] = unit;
            foreach (var address in Addresses(unit))
                addresses[address] = host;
            foreach (var at in Shared(unit))
                shared[at] = shared.GetValueOrDefault(at, NoHosts).SetItem(Claim(name, unit), host);
            // Whom a client of a headless service means says the address alone.
            if (!unit.Addresses.IsEmpty || unit.ByEndpoint)
                continue;
            foreach (var port in unit.Ports)
                named[port.Port] = named.GetValueOrDefault(port.Port, NoHosts).SetItem(name, host);
        }

        View = View with
        {
            Hosts = addresses.ToImmutable(), Shared = shared.ToImmutable(), Named = named.ToImmutable(), Kept = kept.ToImmutable(),
            Ranges = ranges ? [.. _hosts.Values.SelectMany(host => Ranges(host.Unit).Select(range => (range, host))).OrderByDescending(pair => pair.range.PrefixLength).ThenBy(pair => pair.host.Name, StringComparer.Ordinal)] : View.Ranges,
        };
    }

    /// <param name="name">Of the unit.</param>
    public void SetBackends(string name, BackendsUnit? unit)
    {
        _dialled.Remove(name, out var before);
        var now = unit is { ByEndpoint: true }
            ? unit.Ports.SelectMany(port => port.Endpoints.Where(endpoint => IPAddress.TryParse(endpoint.Address, out _))
                .Select(endpoint => (At: new IPEndPoint(IPAddress.Parse(endpoint.Address).Plain(), endpoint.Port), Host: new DialledHost(unit.Host, port.Port)))).Distinct().ToList()
            : [];
        if (now.Count > 0)
            _dialled.Add(name, now);
        if (before is null && now.Count == 0)
            return;
        var dialled = View.Dialled.ToBuilder();
        // Two slices of a service may have an endpoint at once, for the moment of a move.
        foreach (var one in now)
        {
            _slicesAt[one] = _slicesAt.GetValueOrDefault(one) + 1;
            if (_slicesAt[one] == 1)
                dialled[one.At] = [.. dialled.GetValueOrDefault(one.At, []).Append(one.Host).OrderBy(host => host.Name, StringComparer.Ordinal).ThenBy(host => host.Port)];
        }

        foreach (var one in before ?? [])
        {
            if (--_slicesAt[one] > 0)
                continue;
            _slicesAt.Remove(one);
            if (dialled[one.At].Remove(one.Host) is { IsEmpty: false } left)
                dialled[one.At] = left;
            else
                dialled.Remove(one.At);
        }

        View = View with { Dialled = dialled.ToImmutable() };
    }

    public void SetWorkloads(IReadOnlyCollection<(string Key, WorkloadUnit? Unit)> units)
    {
        var owners = View.Workloads.ToBuilder();
        var restricted = View.Restricted;
        foreach (var (key, unit) in units)
        {
            if (_workloads.Remove(key, out var before))
            {
                restricted -= before.Unit.KnownHostsOnly ? 1 : 0;
                foreach (var address in Addresses(before.Unit.Addresses).Where(owners.ContainsKey))
                {
                    var left = owners[address].RemoveAll(one => one.Key == key);
                    if (left.IsEmpty)
                        owners.Remove(address);
                    else
                        owners[address] = left;
                }
            }

            if (unit is null)
                continue;
            var workload = _workloads[key] = new MeshWorkload(key, unit);
            restricted += unit.KnownHostsOnly ? 1 : 0;
            foreach (var address in Addresses(unit.Addresses))
                owners[address] = owners.TryGetValue(address, out var others) ? others.Add(workload) : [workload];
        }

        View = View with { Workloads = owners.ToImmutable(), Restricted = restricted };
    }

    private static string Claim(string name, DestinationUnit unit) => $"{unit.Age} {name}";

    private static IEnumerable<IPEndPoint> Shared(DestinationUnit unit) => Addresses(unit.Shared).SelectMany(address => unit.Ports.Select(port => new IPEndPoint(address, port.Port)));

    private static IEnumerable<IPAddress> Addresses(DestinationUnit unit) => Addresses(unit.Answer is { Allocated: true } answer ? unit.Addresses.Concat(answer.Addresses) : unit.Addresses);

    private static IEnumerable<IPAddress> Addresses(IEnumerable<string> texts) => texts.Where(text => !text.Contains('/')).Select(text => IPAddress.Parse(text).Plain());

    private static IEnumerable<IPNetwork> Ranges(DestinationUnit unit) => unit.Addresses.Where(text => text.Contains('/')).Select(RangeOf);

    // Bits below the prefix do not count, and the type does not take them.
    internal static IPNetwork RangeOf(string text)
    {
        var slash = text.IndexOf('/');
        var (bytes, bits) = (IPAddress.Parse(text[..slash]).GetAddressBytes(), int.Parse(text.AsSpan(slash + 1), provider: null));
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] &= (byte)(0xFF << Math.Clamp(((i + 1) * 8) - bits, 0, 8));
        return new IPNetwork(new IPAddress(bytes), bits);
    }
}
