using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Cli.Objects;
using Weft.Client;
using Weft.Proxy.Config.Inspection;

namespace Weft.Cli.Observing;

/// <summary>mesh.weft.dev/v1 of a cluster, as the user of the kubeconfig.</summary>
public sealed class MeshObserver(HttpClient http) : IDisposable
{
    private const string Root = "apis/mesh.weft.dev/v1/";

    public static MeshObserver Connect(ClusterAccess access)
    {
        var http = access.CreateHttpClient();
        http.Timeout = Timeout.InfiniteTimeSpan; // requests are watched for hours
        return new(http);
    }

    /// <summary>The last requests, or those that end from now on.</summary>
    /// <param name="namespace">Null: of all, for which the user needs the right in the whole cluster.</param>
    public IAsyncEnumerable<InspectionLine> RequestsAsync(string? @namespace, RequestFilter filter, bool watch, int limit, CancellationToken cancellationToken)
    {
        var query = new List<string>();
        foreach (var (name, value) in new[] { ("target", filter.Target), ("from", filter.From), ("to", filter.To), ("home", filter.Home), ("method", filter.Method), ("path", filter.Path), ("status", filter.Status), ("id", filter.Id) })
        {
            if (value is not null)
                query.Add($"{name}={Uri.EscapeDataString(value)}");
        }

        if (filter.Failed)
            query.Add("failed=true");
        query.Add(watch ? "watch=true" : FormattableString.Invariant($"limit={limit}"));
        return LinesAsync($"{Place(@namespace)}requests?{string.Join('&', query)}", cancellationToken);
    }

    public IAsyncEnumerable<InspectionLine> MetricsAsync(string? @namespace, CancellationToken cancellationToken) => LinesAsync($"{Place(@namespace)}metrics", cancellationToken);

    public async Task<Explanation> ExplainAsync(ExplainQuestion question, CancellationToken cancellationToken)
    {
        using var body = new StringContent(JsonSerializer.Serialize(question, InspectionJson.Default.ExplainQuestion), Encoding.UTF8, "application/json");
        using var response = await http.PostAsync($"{Place(question.Namespace)}explanations", body, cancellationToken);
        await RefuseAsync(response, cancellationToken);
        return JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(cancellationToken), InspectionJson.Default.InspectionLine)?.Explanation ?? throw new CommandException("the server answered nothing");
    }

    private async IAsyncEnumerable<InspectionLine> LinesAsync(string path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await RefuseAsync(response, cancellationToken);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (JsonSerializer.Deserialize(line, InspectionJson.Default.InspectionLine) is { } read)
                yield return read;
        }
    }

    private static string Place(string? @namespace) => @namespace is null ? Root : $"{Root}namespaces/{Uri.EscapeDataString(@namespace)}/";

    private static async Task RefuseAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode)
            return;
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        string? message = null;
        try
        {
            message = (string?)(JsonNode.Parse(text) as JsonObject)?["message"];
        }
        catch (JsonException)
        {
            // Not of this server.
        }

        throw new CommandException(response.StatusCode == HttpStatusCode.NotFound && message is null or "the server could not find the requested resource"
            ? "the cluster's server knows nothing of requests: is it Weft's, and as new as this program?"
            : message ?? $"the server answered {(int)response.StatusCode}");
    }

    public void Dispose() => http.Dispose();
}
