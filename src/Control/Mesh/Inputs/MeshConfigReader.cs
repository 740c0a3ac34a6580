using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Control.Mesh.Texts;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Inputs;

/// <summary>
/// Istio's MeshConfig, as the entry `mesh` of the ConfigMap istio-system/istio has it: `outboundTrafficPolicy`, `localityLbSetting.enabled`, and of `extensionProviders` those that decide about
/// requests. Pure.
/// </summary>
internal static class MeshConfigReader
{
    // An authorizer is asked by name, and a list that long is a mistake.
    private const int MostProviders = 100;

    // With those that are read for telemetry (TelemetryConfigReader).
    private static readonly string[] Known = ["outboundTrafficPolicy", "localityLbSetting", "extensionProviders", "enableTracing", "accessLogFile", "defaultProviders", "defaultConfig"];
    private static readonly string[] OfTelemetry = ["opentelemetry", "prometheus", "envoyFileAccessLog"];

    /// <param name="usual">Where nothing is said.</param>
    /// <param name="problems">What has no effect, with its place.</param>
    /// <returns>Null: it cannot be read at all.</returns>
    public static MeshSettings? Read(MeshSettings usual, string yaml, List<string> problems)
    {
        if (!MeshConfigText.TryParse(yaml, out var tree, out var problem))
        {
            problems.Add($"cannot be read, and what held before stays: {problem}");
            return null;
        }

        if (tree is null)
            return usual;
        if (tree is not JsonObject config)
        {
            problems.Add("is no object, and what held before stays; write it as key: value");
            return null;
        }

        problems.AddRange(config.Select(member => member.Key).Except(Known).Order(StringComparer.Ordinal).Select(name => $"{name} has no effect"));
        var settings = usual;
        if (Text(config["outboundTrafficPolicy"], "mode") is { } mode)
        {
            settings = settings with { AllowAny = mode == "ALLOW_ANY" };
            if (mode is not ("ALLOW_ANY" or "REGISTRY_ONLY"))
                problems.Add($"outboundTrafficPolicy.mode: '{mode}' is counted as REGISTRY_ONLY; write ALLOW_ANY or REGISTRY_ONLY");
        }

        if (Text(config["localityLbSetting"], "enabled") is { } enabled)
            settings = settings with { LocalityFailover = enabled == "true" };
        return settings with { Authorizers = [.. usual.Authorizers, .. Providers(config["extensionProviders"] as JsonArray ?? [], problems)] };
    }

    private static List<AuthorizerSettings> Providers(JsonArray providers, List<string> problems)
    {
        var read = new List<AuthorizerSettings>();
        foreach (var (i, provider) in providers.Take(MostProviders).Index())
        {
            var field = $"extensionProviders[{i}]";
            if (Text(provider, "name") is not { Length: > 0 } name || read.Exists(other => other.Name == name))
                problems.Add($"{field}.name is missing, or another provider's");
            else if (provider!["envoyExtAuthzHttp"] is JsonObject http)
                read.AddRange(Authorizer(name, AuthorizerProtocol.Http, http, $"{field}.envoyExtAuthzHttp", problems));
            else if (provider["envoyExtAuthzGrpc"] is JsonObject grpc)
                read.AddRange(Authorizer(name, AuthorizerProtocol.Grpc, grpc, $"{field}.envoyExtAuthzGrpc", problems));
            else if (!OfTelemetry.Any(kind => provider[kind] is not null))
                problems.Add($"{field} has no effect: of providers envoyExtAuthzHttp, envoyExtAuthzGrpc, opentelemetry, prometheus and envoyFileAccessLog are known");
        }

        return read;
    }

    private static IEnumerable<AuthorizerSettings> Authorizer(string name, AuthorizerProtocol protocol, JsonObject from, string field, List<string> problems)
    {
        // By gRPC an authorizer sees all fields, as in Istio.
        var usual = protocol == AuthorizerProtocol.Grpc ? new AuthorizerSettings { RequestHeaders = ["*"] } : new AuthorizerSettings();
        if (Text(from, "service") is not { Length: > 0 } service || !int.TryParse(Text(from, "port"), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is 0 or > 65_535)
        {
            // Policies that name it refuse.
            problems.Add($"{field} needs service and port");
            yield break;
        }

        var timeout = usual.Timeout;
        if (Text(from, "timeout") is { } text && !(Durations.TryParse(text, out timeout) && timeout > TimeSpan.Zero))
        {
            problems.Add($"{field}.timeout: '{text}' is no duration above zero; write it as 5s or 100ms");
            timeout = usual.Timeout;
        }

        var status = usual.ErrorStatus;
        if (Text(from, "statusOnError") is { } code && !(int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out status) && status is >= 400 and < 600))
        {
            problems.Add($"{field}.statusOnError: '{code}' is no status of an error; 400 to 599");
            status = usual.ErrorStatus;
        }

        if (from["includeRequestBodyInCheck"] is not null)
            problems.Add($"{field}.includeRequestBodyInCheck has no effect: the authorizer sees the head of a request alone");
        yield return usual with
        {
            // Istio also takes namespace/host.
            Name = name, Service = service[(service.IndexOf('/') + 1)..], Port = port, Protocol = protocol, PathPrefix = Text(from, "pathPrefix") ?? "", Timeout = timeout, ErrorStatus = status,
            FailOpen = Text(from, "failOpen") == "true",
            RequestHeaders = Texts(from, "includeRequestHeadersInCheck") ?? usual.RequestHeaders, UpstreamHeaders = Texts(from, "headersToUpstreamOnAllow") ?? usual.UpstreamHeaders,
            ClientHeaders = Texts(from, "headersToDownstreamOnDeny") ?? usual.ClientHeaders,
        };
    }

    private static string? Text(JsonNode? from, string name) => from is JsonObject members && members[name] is JsonValue value ? value.ToString() : null;

    private static ValueList<string>? Texts(JsonObject from, string name) => from[name] is JsonArray list ? list.OfType<JsonValue>().Select(value => value.ToString()).ToValueList() : null;
}
