using System.Globalization;
using Weft.Api.Istio;
using Weft.Balancing.Health;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Clusters;

/// <summary>What a destination rule says beyond Istio's fields, for all ports and subsets of its host.</summary>
internal sealed class RuleAnnotations(DestinationRule rule, MeshLookups lookups, Problems problems)
{
    /// <inheritdoc cref="RuledHosts.BackupAnnotation"/>
    public const string Backup = RuledHosts.BackupAnnotation;

    /// <summary>Weights fall with the success ratio: `true`, or `steepness=20, threshold=0.7`.</summary>
    public const string HealthWeight = "weft.dev/health-weight";

    // Each is a priority of its own, and a list that long is a mistake.
    private const int MostBackups = 8;

    public ClusterUnit Apply(ClusterUnit unit) => unit with
    {
        Backups = [.. Backups(unit.Host, unit.Port)],
        Cluster = unit.Cluster with { HealthWeight = Weight() },
    };

    private IEnumerable<BackupHost> Backups(string host, int port)
    {
        var texts = Texts(Backup);
        if (texts.Length > MostBackups)
            problems.Error(Field(Backup), $"names {texts.Length} hosts; the first {MostBackups} count");
        foreach (var text in texts.Take(MostBackups))
        {
            var colon = text.LastIndexOf(':');
            var named = colon >= 0 && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : (int?)null;
            var name = HostNames.Whole(colon < 0 ? text : text[..colon], rule.Metadata.Namespace ?? "", lookups.Settings.ClusterDomain);
            if (colon >= 0 && named is not (> 0 and < 65_536))
                problems.Error(Field(Backup), $"'{text}' is no host:port");
            else if (name == host)
                problems.Error(Field(Backup), $"'{text}' is the host itself");
            else if (lookups.Host(name) is not { } backup || !HostNames.IsExported(backup.ExportTo, backup.Namespace, rule.Metadata.Namespace))
                problems.Error(Field(Backup), $"there is neither a Service nor a ServiceEntry '{name}'");
            else if (backup.Resolution == Resolution.Original || backup.DnsName is not null)
                problems.Unsupported(Field(Backup), $"'{name}' has no endpoints that are listed; name a Service with a selector, or a ServiceEntry that has endpoints");
            else if ((named is { } own ? backup.Port(own) : backup.Port(port) ?? (backup.Ports.Length == 1 ? backup.Ports[0] : null)) is { } to)
                yield return new(backup.Name, to.Number);
            else
                problems.Error(Field(Backup), $"'{name}' has no port {named ?? port}; write {name}:PORT");
        }
    }

    private HealthWeight? Weight()
    {
        var texts = Texts(HealthWeight);
        if (texts is [] or ["false"])
            return null;
        var (weight, before) = (Balancing.Health.HealthWeight.Default, problems.Errors);
        foreach (var text in texts.Where(text => texts is not ["true"]))
        {
            var parts = text.Split('=', StringSplitOptions.TrimEntries);
            var number = parts.Length == 2 && double.TryParse(parts[1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var read) ? read : double.NaN;
            if (parts[0] == "steepness" && number is > 0 and <= 1000)
                weight = weight with { Steepness = number };
            else if (parts[0] == "threshold" && number is > 0 and < 1)
                weight = weight with { Threshold = number };
            else
                problems.Error(Field(HealthWeight), $"'{text}' is none of: true, steepness=20 (above 0, at most 1000), threshold=0.7 (between 0 and 1)");
        }

        return problems.Errors > before ? null : weight;
    }

    private string[] Texts(string name) => (rule.Metadata.Annotations.GetValueOrDefault(name) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static string Field(string name) => $"metadata.annotations[{name}]";
}
