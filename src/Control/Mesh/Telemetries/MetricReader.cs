using System.Collections.Frozen;
using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Telemetries;

/// <summary>Changes of Istio's standard metrics.</summary>
internal static class MetricReader
{
    private static readonly FrozenDictionary<string, string> Names = new Dictionary<string, string>
    {
        ["REQUEST_COUNT"] = "istio_requests_total",
        ["REQUEST_DURATION"] = "istio_request_duration_milliseconds",
        ["REQUEST_SIZE"] = "istio_request_bytes",
        ["RESPONSE_SIZE"] = "istio_response_bytes",
        ["TCP_OPENED_CONNECTIONS"] = "istio_tcp_connections_opened_total",
        ["TCP_CLOSED_CONNECTIONS"] = "istio_tcp_connections_closed_total",
        ["TCP_SENT_BYTES"] = "istio_tcp_sent_bytes_total",
        ["TCP_RECEIVED_BYTES"] = "istio_tcp_received_bytes_total",
        ["GRPC_REQUEST_MESSAGES"] = "istio_request_messages_total",
        ["GRPC_RESPONSE_MESSAGES"] = "istio_response_messages_total",
    }.ToFrozenDictionary();

    /// <param name="client">Which side of the workload is asked for.</param>
    public static IEnumerable<MetricChange> Changes(TelemetryMetrics metrics, bool client) => metrics.Overrides.Where(change => string.IsNullOrEmpty(change.Match?.CustomMetric) && IsFor(change.Match?.Mode, client)).Select(change => new MetricChange
    {
        Metric = Names.GetValueOrDefault(change.Match?.Metric ?? ""), Disabled = change.Disabled,
        Labels = change.TagOverrides.OrderBy(tag => tag.Key, StringComparer.Ordinal).Where(tag => IsLabel(tag.Key) && (Removes(tag.Value) || Literal(tag.Value.Value) is not null))
            .Select(tag => new LabelChange(tag.Key, Removes(tag.Value) ? null : Literal(tag.Value.Value))).ToValueList(),
    });

    public static void Check(TelemetryMetrics metrics, string field, Problems problems)
    {
        problems.UnsupportedIf(!string.IsNullOrEmpty(metrics.ReportingInterval), field + ".reportingInterval", "bytes of connections count as they pass, so nothing waits for an interval");
        foreach (var (i, change) in metrics.Overrides.Index())
        {
            problems.UnsupportedIf(!string.IsNullOrEmpty(change.Match?.CustomMetric), $"{field}.overrides[{i}].match.customMetric", "there are Istio's standard metrics only, so nothing is changed");
            foreach (var (name, tag) in change.TagOverrides.OrderBy(tag => tag.Key, StringComparer.Ordinal))
            {
                var at = $"{field}.overrides[{i}].tagOverrides.{name}";
                if (!IsLabel(name))
                    problems.Error(at, "is no name of a label: letters, digits and _, not beginning with a digit or __");
                else if (Removes(tag))
                    problems.UnsupportedIf(!string.IsNullOrEmpty(tag.Value), at + ".value", "REMOVE needs none");
                else if (string.IsNullOrEmpty(tag.Value))
                    problems.Error(at + ".value", "UPSERT needs a value");
                else if (Literal(tag.Value) is null)
                    problems.Unsupported(at + ".value", $"'{tag.Value}' is an expression; a literal in quotes is set ('\"blue\"'), other values are not, and the label stays as it is");
            }
        }
    }

    private static bool IsFor(string? mode, bool client) => mode is null or "CLIENT_AND_SERVER" || mode == (client ? "CLIENT" : "SERVER");

    private static bool Removes(TagOverride tag) => tag.Operation == "REMOVE";

    // CEL's literals of texts, as far as a label needs them.
    private static string? Literal(string? value) =>
        value is [('"' or '\'') and var quote, .. var text, var end] && end == quote && !text.Contains(quote) && !text.Contains('\\') ? text : null;

    private static bool IsLabel(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && !name.StartsWith("__", StringComparison.Ordinal) && name != "le" && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
