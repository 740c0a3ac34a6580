using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Mesh.Security;

namespace Weft.Control.Mesh.Telemetries;

/// <summary>What is wrong with a Telemetry.</summary>
internal static class TelemetryCheck
{
    public static void Check(Telemetry telemetry, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        var (problems, spec, settings) = (Problems.Of(telemetry, diagnostics), telemetry.Spec, lookups.Settings.Telemetry);
        Selection.Check(PolicyScope.Of(telemetry), lookups, problems);
        Older(telemetry, lookups, problems);
        foreach (var (i, tracing) in spec.Tracing.Index())
            Tracing(tracing, $"spec.tracing[{i}]", settings, problems);
        foreach (var (i, metrics) in spec.Metrics.Index())
        {
            Providers(metrics.Providers, $"spec.metrics[{i}].providers", ProviderKind.Metrics, settings, problems);
            MetricReader.Check(metrics, $"spec.metrics[{i}]", problems);
        }

        foreach (var (i, log) in spec.AccessLogging.Index())
        {
            Providers(log.Providers, $"spec.accessLogging[{i}].providers", ProviderKind.Log, settings, problems);
            if (log.Filter?.Expression is { Length: > 0 } expression && LogRules.Read(expression, out var why) is null)
                problems.Unsupported($"spec.accessLogging[{i}].filter.expression", $"{why}; every request is logged");
        }
    }

    // Of several on one level the oldest counts, as in Istio.
    private static void Older(Telemetry telemetry, MeshLookups lookups, Problems problems)
    {
        if (PolicyScope.Of(telemetry).HasTargets)
            return;
        var @namespace = telemetry.Metadata.Namespace ?? "";
        if (!TelemetryReader.Selects(telemetry))
        {
            if (TelemetryReader.First(@namespace, lookups) is { } first && !ReferenceEquals(first, telemetry))
                problems.Warn("spec", $"{Problems.RefOf(first)} is older and holds for the namespace; delete one");
            return;
        }

        var same = lookups.Telemetries(@namespace).TakeWhile(other => !ReferenceEquals(other, telemetry))
            .FirstOrDefault(other => !PolicyScope.Of(other).HasTargets && TelemetryReader.Selects(other) && other.Spec.Selector!.MatchLabels.OrderBy(pair => pair.Key).SequenceEqual(telemetry.Spec.Selector!.MatchLabels.OrderBy(pair => pair.Key)));
        if (same is not null)
            problems.Warn("spec.selector", $"{Problems.RefOf(same)} is older and selects the same; delete one");
    }

    private static void Tracing(Tracing tracing, string field, TelemetrySettings settings, Problems problems)
    {
        Providers(tracing.Providers, field + ".providers", ProviderKind.Spans, settings, problems);
        if (tracing.Providers.Count > 1)
            problems.Unsupported(field + ".providers[1]", "spans go to one provider; the first counts");
        if (tracing.Providers.Count == 0 && settings.Tracing is null && tracing.DisableSpanReporting != true)
            problems.Warn(field + ".providers", "no provider is named here or by the mesh's settings (defaultProviders.tracing); without one of an outer Telemetry there are no spans");
        problems.UnsupportedIf(tracing.UseRequestIdForTraceSampling == true, field + ".useRequestIdForTraceSampling", "the trace's own flag decides, or else chance; x-request-id does not");
        foreach (var (name, tag) in tracing.CustomTags.OrderBy(tag => tag.Key, StringComparer.Ordinal))
        {
            var at = $"{field}.customTags.{name}";
            var kinds = new object?[] { tag.Literal, tag.Header, tag.Environment }.Count(kind => kind is not null);
            if (kinds != 1)
                problems.Error(at, "needs one of literal, header, environment");
            else if (tag.Environment is { } variable)
                problems.Unsupported($"{at}.environment", $"a node's proxy has no environment of the workload's, so {(variable.DefaultValue is null ? "the tag is left out" : "its default is set")}");
        }
    }

    private static void Providers(IReadOnlyList<ProviderRef> providers, string field, ProviderKind kind, TelemetrySettings settings, Problems problems)
    {
        foreach (var (i, reference) in providers.Index())
        {
            var at = $"{field}[{i}].name";
            if (settings.Find(reference.Name) is not { } provider)
                problems.Error(at, $"the mesh's settings have no provider '{reference.Name}': extensionProviders of the ConfigMap istio in istio-system");
            else if (provider.Kind != kind)
                problems.Unsupported(at, provider.Why is { } why ? $"'{provider.Name}' is {why}" : $"'{provider.Name}' takes {Name(provider.Kind)}, not {Name(kind)}");
        }
    }

    private static string Name(ProviderKind kind) => kind switch { ProviderKind.Spans => "spans", ProviderKind.Metrics => "metrics", ProviderKind.Log => "access logs", _ => "something else" };
}
