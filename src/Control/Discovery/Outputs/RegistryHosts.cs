using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Weft.Api.Istio;
using Weft.Control.Discovery.Model;
using Weft.Control.Mesh.Backends;
using Weft.Control.Mesh.Feed;

namespace Weft.Control.Discovery.Outputs;

/// <summary>
/// The table's names as hosts of the mesh: for each a service entry `NAME.service.consul` with the instances that pass, so that routes, balancing and outlier rules apply
/// to it as to any other. Pure, but for what it remembers: a name that did not change gives the same object, which the compiler takes for unchanged.
/// </summary>
/// <param name="namespace">That the entries are in, and whose rules for them count where a client's namespace has none.</param>
public sealed class RegistryHosts(string @namespace)
{
    /// <summary>Where HTTP clients go that name no port.</summary>
    private const int Http = 80;

    private const string PortName = "port";

    private ImmutableDictionary<string, (long Index, ServiceEntry? Entry)> _known = ImmutableDictionary.Create<string, (long, ServiceEntry?)>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Call it from one place.</summary>
    public ImmutableArray<ServiceEntry> Of(RegistryState state)
    {
        var next = ImmutableDictionary.CreateBuilder<string, (long, ServiceEntry?)>(StringComparer.OrdinalIgnoreCase);
        // A Service is a host already, by its own name.
        foreach (var group in state.Names.Values.Where(group => group.Winner != NameSource.Kubernetes))
        {
            next[group.Name] = _known.TryGetValue(group.Name, out var known) && known.Index == group.Index ? known
                : (group.Index, Same(known.Entry, Compile(group.Name, state.Entries(group))));
        }

        _known = next.ToImmutable();
        return [.. state.Names.Keys.Select(name => _known.GetValueOrDefault(name).Entry).OfType<ServiceEntry>()];
    }

    /// <summary>Null: no host can have this name, or nobody has a port.</summary>
    internal ServiceEntry? Compile(string name, IEnumerable<Entry> entries)
    {
        var host = name.ToLowerInvariant();
        if (host.Length > 63 || !host.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') || host[0] == '-' || host[^1] == '-')
            return null;
        var usable = entries.Where(entry => entry.Instance.Port > 0 && IPAddress.TryParse(entry.Address, out _)).ToList();
        if (usable.Count == 0)
            return null;
        // The port that DNS tells clients, and 80 for those who go by the name alone; both lead to each instance's own.
        var ports = usable.Select(entry => entry.Instance.Port).Append(Http).Distinct().Order().ToList();
        var protocol = usable.Select(entry => entry.Instance.Meta.GetValueOrDefault("protocol")).FirstOrDefault(text => !string.IsNullOrEmpty(text)) ?? "";
        return new ServiceEntry
        {
            ApiVersion = "networking.istio.io/v1", Kind = "ServiceEntry",
            Metadata = new() { Name = $"registry.{host}", Namespace = @namespace, Uid = IHostSource.Uid, Labels = new Dictionary<string, string> { ["weft.dev/source"] = SourceText(usable[0].Instance.Source) } },
            Spec = new()
            {
                Hosts = [$"{host}.service.consul"], Location = "MESH_EXTERNAL", Resolution = "STATIC",
                Ports = [.. ports.Select(port => new ServiceEntryPort { Number = port, Name = $"{PortName}-{port}", Protocol = protocol.ToUpperInvariant() })],
                Endpoints = [.. usable.Where(entry => entry.Status == CheckStatus.Passing).Select(entry => new WorkloadEntrySpec
                {
                    Address = entry.Address, Weight = entry.Instance.PassingWeight,
                    Ports = ports.ToDictionary(port => $"{PortName}-{port}", _ => entry.Instance.Port, StringComparer.Ordinal),
                    Labels = Labels(entry.Instance),
                })],
            },
        };
    }

    private static string SourceText(NameSource source) => source switch { NameSource.File => "file", NameSource.Dns => "dns", _ => "registry" };

    // Subsets select by labels: metadata are labels, and each tag is one.
    private static SortedDictionary<string, string> Labels(Instance instance)
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in instance.Meta)
            labels[key] = value;
        foreach (var tag in instance.Tags)
            labels.TryAdd(tag, "true");
        if (instance.Priority > 0)
            labels[BackendJobs.PriorityLabel] = instance.Priority.ToString(CultureInfo.InvariantCulture);
        return labels;
    }

    // A change of a check's output, or of an instance that does not pass, is none for the mesh.
    private static ServiceEntry? Same(ServiceEntry? old, ServiceEntry? next) => old is not null && next is not null && Text(old) == Text(next) ? old : next;

    private static string Text(ServiceEntry entry) => string.Join('\n', entry.Spec.Ports.Select(port => $"{port.Number} {port.Protocol}")
        .Concat(entry.Spec.Endpoints.Select(endpoint => $"{endpoint.Address} {endpoint.Weight} {string.Join(',', endpoint.Ports.Values)} {string.Join(',', endpoint.Labels)}")));
}
