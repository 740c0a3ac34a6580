using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.Control.Mesh.Inputs;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Telemetries;

/// <param name="Settings">Null: the text cannot be used, and what held before it goes on.</param>
/// <param name="Problems">Each with its field and what to do.</param>
public sealed record TelemetryConfigResult(TelemetrySettings? Settings, IReadOnlyList<string> Problems);

/// <summary>
/// Istio's mesh configuration, key `mesh` of the ConfigMap `istio` in the root namespace: what it says of telemetry. The rest is read elsewhere (<see cref="MeshConfigReader"/>). Pure.
/// </summary>
public static class TelemetryConfigReader
{
    public const string ConfigMap = "istio", Key = "mesh";

    // A few providers are some kilobytes.
    private const int LongestText = 256 * 1024;

    public static TelemetryConfigResult Read(string text)
    {
        if (text.Length > LongestText)
            return new(null, [$"is longer than {LongestText} characters"]);
        if (!MeshConfigText.TryParse(text, out var tree, out var problem))
            return new(null, [$"is no YAML: {problem}"]);
        if (tree is not (null or JsonObject))
            return new(null, ["is no YAML map"]);
        var root = tree as JsonObject ?? [];

        var (errors, notes) = (new List<string>(), new List<string>());
        var providers = Providers(root["extensionProviders"], errors, notes);
        var settings = new TelemetrySettings
        {
            Providers = providers.ToValueList(),
            Tracing = Tracing(root, providers, errors, notes),
            Sampling = Sampling(root, errors),
            Logged = root["accessLogFile"] is not JsonValue file || file.GetValueKind() != JsonValueKind.String || file.GetValue<string>().Length > 0 || Names(root, "accessLogging", errors).Count > 0,
        };
        foreach (var name in Names(root, "accessLogging", errors).Where(name => settings.Find(name)?.Kind != ProviderKind.Log))
            errors.Add($"defaultProviders.accessLogging: '{name}' is no provider of access logs");
        foreach (var name in Names(root, "metrics", errors).Where(name => settings.Find(name)?.Kind != ProviderKind.Metrics))
            errors.Add($"defaultProviders.metrics: '{name}' is no provider of metrics");
        return new(errors.Count == 0 ? settings : null, [.. errors, .. notes]);
    }

    private static List<TelemetryProvider> Providers(JsonNode? list, List<string> errors, List<string> notes)
    {
        var providers = new List<TelemetryProvider>();
        if (list is not null and not JsonArray)
            errors.Add("extensionProviders: is no list");
        foreach (var (i, node) in (list as JsonArray ?? []).Index())
        {
            var at = $"extensionProviders[{i}]";
            if (node is not JsonObject item || item["name"].AsText() is not { Length: > 0 } name)
                errors.Add($"{at}.name: is missing");
            else if (providers.Exists(known => known.Name == name))
                errors.Add($"{at}.name: '{name}' is there twice");
            else
                providers.Add(Provider(name, item, at, errors, notes));
        }

        return providers;
    }

    private static TelemetryProvider Provider(string name, JsonObject item, string at, List<string> errors, List<string> notes)
    {
        if (item["opentelemetry"] is JsonObject collector)
            return new TelemetryProvider(name, ProviderKind.Spans, Collector(name, collector, at + ".opentelemetry", errors, notes));
        if (item["prometheus"] is not null)
            return new TelemetryProvider(name, ProviderKind.Metrics);
        if (item["envoyFileAccessLog"] is { } file)
        {
            if (file.At("path").AsText() is { } path && path is not ("/dev/stdout" or ""))
                notes.Add($"{at}.envoyFileAccessLog.path: {path} is not written; access logs of all workloads are in state/access.log of their node's proxy");
            if (file.At("logFormat") is not null)
                notes.Add($"{at}.envoyFileAccessLog.logFormat: the log has the fields of its JSON form only");
            return new TelemetryProvider(name, ProviderKind.Log);
        }

        var kind = item.Select(member => member.Key).FirstOrDefault(key => key != "name") ?? "empty";
        return new TelemetryProvider(name, ProviderKind.Other, Why: kind == "zipkin"
            ? "of the kind zipkin, which is not spoken; Zipkin's collector and others take OTLP: write opentelemetry"
            : $"of the kind {kind}, which is not done; what is: opentelemetry, prometheus, envoyFileAccessLog");
    }

    private static CollectorConfig Collector(string name, JsonObject item, string at, List<string> errors, List<string> notes)
    {
        var host = item["service"].AsText() ?? "";
        // `namespace/host`, where several services have the name.
        if (host.IndexOf('/') is >= 0 and var slash)
            host = host[(slash + 1)..];
        var port = item["port"] is JsonValue { } number && number.GetValueKind() == JsonValueKind.Number && long.TryParse(number.ToJsonString(), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;
        if (host.Length == 0)
            errors.Add($"{at}.service: is missing; the collector's host, otel-collector.observability.svc.cluster.local");
        if (port is < 1 or > 65_535)
            errors.Add($"{at}.port: is no port; 1 to 65535");
        var path = item["http"] is JsonObject http ? http["path"].AsText() ?? "/v1/traces" : null;
        if (path is not (null or ['/', ..]))
            errors.Add($"{at}.http.path: begins with /");
        foreach (var member in item.Select(member => member.Key).Where(key => key is not ("service" or "port" or "http")))
            notes.Add($"{at}.{member}: is not done, and has no effect");
        foreach (var member in (item["http"] as JsonObject ?? []).Select(member => member.Key).Where(key => key != "path"))
            notes.Add($"{at}.http.{member}: is not done, and has no effect");
        return new CollectorConfig(name) { Host = host, Port = (int)Math.Clamp(port, 0, 65_535), Path = path };
    }

    private static string? Tracing(JsonObject root, List<TelemetryProvider> providers, List<string> errors, List<string> notes)
    {
        if (root["enableTracing"] is JsonValue { } enabled && enabled.GetValueKind() == JsonValueKind.False)
            return null;
        var names = Names(root, "tracing", errors);
        if (names is not [var name, ..])
        {
            if (root["enableTracing"]?.GetValueKind() == JsonValueKind.True)
                notes.Add("enableTracing: there are no spans without a provider: defaultProviders.tracing");
            return null;
        }

        if (names.Count > 1)
            notes.Add("defaultProviders.tracing[1]: spans go to one provider; the first counts");
        if (providers.Find(provider => provider.Name == name) is { Kind: ProviderKind.Spans })
            return name;
        errors.Add($"defaultProviders.tracing[0]: '{name}' is {providers.Find(provider => provider.Name == name)?.Why ?? "no provider of spans in extensionProviders"}");
        return null;
    }

    private static double Sampling(JsonObject root, List<string> errors)
    {
        if (root.At("defaultConfig", "tracing", "sampling") is not { } node)
            return 1;
        if (node.GetValueKind() == JsonValueKind.Number && double.TryParse(node.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var percent) && percent is >= 0 and <= 100)
            return percent;
        errors.Add($"defaultConfig.tracing.sampling: '{node.ToJsonString()}' is no share in percent; 0 to 100");
        return 1;
    }

    private static IReadOnlyList<string> Names(JsonObject root, string of, List<string> errors)
    {
        var names = root.At("defaultProviders", of);
        if (names is not (null or JsonArray) && !errors.Contains($"defaultProviders.{of}: is no list"))
            errors.Add($"defaultProviders.{of}: is no list");
        return [.. (names as JsonArray ?? []).Select(name => name.AsText() ?? "")];
    }
}
