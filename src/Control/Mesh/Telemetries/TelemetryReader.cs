using Weft.Api.Istio;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Mesh.Security;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Telemetries;

/// <summary>
/// What a workload tells: by the mesh's settings, then the Telemetry of the root namespace, the one of its own namespace, and the one that selects it. Of several on one level the oldest counts. The nearer one has the
/// last word, field by field; of metrics it changes what is left by those before.
/// </summary>
internal static class TelemetryReader
{
    /// <returns>Null: as by default.</returns>
    public static WorkloadTelemetry? Of(string @namespace, ValueMap labels, MeshLookups lookups)
    {
        var levels = Levels(@namespace, labels, lookups);
        var telemetry = new WorkloadTelemetry { Client = Side(levels, lookups.Settings.Telemetry, client: true), Server = Side(levels, lookups.Settings.Telemetry, client: false) };
        return telemetry == new WorkloadTelemetry() ? null : telemetry;
    }

    /// <summary>The oldest of its level in its namespace.</summary>
    public static Telemetry? First(string @namespace, MeshLookups lookups) => lookups.Telemetries(@namespace).FirstOrDefault(telemetry => !Selects(telemetry));

    public static bool Selects(Telemetry telemetry) => telemetry.Spec.Selector is { MatchLabels.Count: > 0 } || PolicyScope.Of(telemetry).HasTargets;

    private static List<Telemetry> Levels(string @namespace, ValueMap labels, MeshLookups lookups)
    {
        var root = lookups.Settings.RootNamespace;
        var selected = lookups.Telemetries(@namespace).FirstOrDefault(telemetry => Selects(telemetry) && Selection.IsFor(PolicyScope.Of(telemetry), @namespace, labels, lookups));
        return [.. new[] { First(root, lookups), @namespace == root ? null : First(@namespace, lookups), selected }.OfType<Telemetry>()];
    }

    private static SideTelemetry Side(List<Telemetry> levels, TelemetrySettings settings, bool client) => new()
    {
        Trace = Trace(levels.SelectMany(level => level.Spec.Tracing).Where(tracing => IsFor(tracing.Match, client)), settings),
        Logged = Log(levels.SelectMany(level => level.Spec.AccessLogging).Where(log => IsFor(log.Match, client)), settings, out var rule),
        Log = rule,
        Metrics = levels.SelectMany(level => level.Spec.Metrics).Where(metrics => metrics.Providers.Count == 0 || metrics.Providers.Any(provider => settings.Find(provider.Name)?.Kind == ProviderKind.Metrics))
            .SelectMany(metrics => MetricReader.Changes(metrics, client)).ToValueList(),
    };

    private static TraceSettings? Trace(IEnumerable<Tracing> levels, TelemetrySettings settings)
    {
        var (provider, percent, isOff) = (settings.Tracing, settings.Sampling, false);
        IReadOnlyDictionary<string, CustomTag> tags = new Dictionary<string, CustomTag>();
        foreach (var level in levels)
        {
            provider = level.Providers.Count > 0 ? level.Providers[0].Name : provider;
            percent = level.RandomSamplingPercentage ?? percent;
            isOff = level.DisableSpanReporting ?? isOff;
            tags = level.CustomTags.Count > 0 ? level.CustomTags : tags;
        }

        return isOff || provider is null || settings.Find(provider) is not { Kind: ProviderKind.Spans } ? null : new TraceSettings(provider)
        {
            Percent = percent,
            Tags = tags.OrderBy(tag => tag.Key, StringComparer.Ordinal).Select(tag => TagOf(tag.Key, tag.Value)).OfType<SpanTag>().ToValueList(),
        };
    }

    private static SpanTag? TagOf(string name, CustomTag tag) => tag switch
    {
        { Literal: { } literal } => new SpanTag(name) { Value = literal.Value },
        { Header: { } header } => new SpanTag(name) { Header = header.Name.ToLowerInvariant(), Value = header.DefaultValue },
        // The proxy of a node has no environment of a workload's.
        { Environment.DefaultValue: { } value } => new SpanTag(name) { Value = value },
        _ => null,
    };

    private static bool Log(IEnumerable<AccessLogging> levels, TelemetrySettings settings, out LogRule? rule)
    {
        var logged = settings.Logged;
        rule = null;
        foreach (var level in levels)
        {
            if (level.Providers.Count > 0)
                logged = level.Providers.Any(provider => settings.Find(provider.Name)?.Kind == ProviderKind.Log);
            if (level.Disabled is { } off)
                logged = !off;
            // One that cannot be asked leaves out nothing: a line too much is no harm.
            if (level.Filter?.Expression is { Length: > 0 } expression)
                rule = LogRules.Read(expression, out _);
        }

        rule = logged ? rule : null;
        return logged;
    }

    private static bool IsFor(TelemetryMode? match, bool client) => match?.Mode is null or "CLIENT_AND_SERVER" || match.Mode == (client ? "CLIENT" : "SERVER");
}
