using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.Api.Streams;
using Weft.Api.Streams.Tunnels;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Observing;

/// <summary>
/// mesh.weft.dev/v1: what the nodes' proxies see and decide. `requests` can be listed (the last ones) and watched (as they end), `metrics` listed, `explanations` created; each is
/// authorized by RBAC as a resource of that name, in a namespace or for all. Nothing is stored.
/// </summary>
/// <param name="localNode">That is asked what concerns no node in particular.</param>
public sealed class MeshObservations(IPodStreams streams, Func<IReadOnlyCollection<string>> reachable, string localNode, StoredObjects objects, TimeProvider time) : IPathHandler
{
    public const string Group = "mesh.weft.dev", Version = "v1";

    private static readonly JsonSerializerOptions Lines = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string[] Filters = ["target", "from", "to", "home", "method", "path", "status", "id"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // What a proxy takes as a question, and some room for what is put around it.
    private const int MostBody = 60 << 10;

    // Of a question as a text within an order; what is around it is far shorter.
    private const int MostText = TunnelSocket.MaxText - 1024;

    private readonly NodeInspections _nodes = new(streams, reachable, time);

    public bool ServesResources => true;

    public bool Matches(RequestInfo request) => request is { Group: Group, Version: Version, Resource: "requests" or "metrics" or "explanations" };

    public async Task HandleAsync(HttpContext context, RequestInfo request, CancellationToken cancellationToken)
    {
        // A right on one name would be asked for here, and nothing here has a name.
        if (request.Name.Length > 0 || request.Subresource.Length > 0)
            throw Statuses.NoSuchPath();
        switch (request.Resource, request.Verb)
        {
            case ("requests", "watch"):
                await WriteAsync(context, _nodes.FollowAsync(Question("tap", context, request), cancellationToken), cancellationToken);
                break;
            case ("requests", "list"):
                await WriteAsync(context, _nodes.AskAsync(Question("records", context, request), cancellationToken), cancellationToken);
                break;
            case ("metrics", "list"):
                await WriteAsync(context, Own(_nodes.AskAsync("""{"do":"metrics"}""", cancellationToken), request.Namespace), cancellationToken);
                break;
            case ("explanations", "create"):
                await ExplainAsync(context, request, cancellationToken);
                break;
            default:
                throw Statuses.MethodNotAllowed();
        }
    }

    private static string Question(string what, HttpContext context, RequestInfo request)
    {
        var query = context.Request.Query;
        var filter = new JsonObject();
        foreach (var name in Filters)
        {
            if (query[name].LastOrDefault() is { Length: > 0 } value)
                filter[name] = value;
        }

        if (query["failed"].LastOrDefault() is "true" or "1" or "")
            filter["failed"] = true;
        // From the path, by which the caller was authorized.
        if (request.Namespace.Length > 0)
            filter["namespace"] = request.Namespace;
        var order = new JsonObject { ["do"] = what, ["filter"] = filter };
        if (query["limit"].LastOrDefault() is { } text)
            order["limit"] = int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var limit) && limit > 0 ? limit : throw Statuses.BadRequest("limit must be a number above 0");
        return order.ToJsonString(Lines);
    }

    // Who may look into one namespace sees the series that have it on either side.
    private static async IAsyncEnumerable<JsonObject> Own(IAsyncEnumerable<JsonObject> lines, string ns)
    {
        await foreach (var line in lines)
        {
            if (ns.Length > 0 && (string?)line["metrics"] is { } text)
            {
                var label = $"_namespace=\"{ns}\"";
                line["metrics"] = string.Join('\n', text.Split('\n').Where(one => one.StartsWith('#') || one.Contains(label, StringComparison.Ordinal))) + "\n";
            }

            yield return line;
        }
    }

    private async Task ExplainAsync(HttpContext context, RequestInfo request, CancellationToken cancellationToken)
    {
        if (context.Request.ContentLength > MostBody)
            throw Statuses.TooLarge(MostBody);
        var body = await BodyReader.ReadAsync(context.Request, cancellationToken);
        if (body.Length > MostBody)
            throw Statuses.TooLarge(MostBody);
        JsonObject question;
        try
        {
            question = JsonNode.Parse(body.Span) as JsonObject ?? throw Statuses.BadRequest("the question must be an object");
        }
        catch (JsonException bad)
        {
            throw Statuses.BadRequest($"the question is not JSON: {bad.Message}");
        }

        var node = localNode;
        question["namespace"] = request.Namespace;
        question.Remove("address");
        if (question["from"].AsText() is null or "pod")
        {
            var name = question["pod"].AsText() ?? "";
            var pod = objects.Get("", "pods", request.Namespace, name) ?? throw Statuses.NotFound(new("", "v1", "pods"), name);
            node = pod.At("spec", "nodeName").AsText() is { Length: > 0 } own ? own : throw Statuses.BadRequest($"pod {name} has no node yet: it sends nothing");
            if (pod.At("status", "podIP").AsText() is { Length: > 0 } address && pod.At("spec", "hostNetwork") is null)
                question["address"] = address;
        }

        var order = new JsonObject { ["do"] = "explain", ["question"] = question }.ToJsonString(Lines);
        // Quotes and such take up to six bytes each there.
        if (JsonSerializer.SerializeToUtf8Bytes(order).Length > MostText)
            throw Statuses.TooLarge(MostText);
        JsonObject? answer = null;
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            await using var lines = new NodeLines(node, NodeInspections.LongestLine, (line, _) =>
            {
                answer ??= line;
                return ValueTask.CompletedTask;
            });
            await streams.InspectAsync(node, order, lines, either.Token);
        }
        catch (Exception failed) when (failed is PodStreamException or IOException || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw Statuses.Unavailable($"node {node}: {(failed is OperationCanceledException ? "its proxy does not answer in time" : failed.Message)}");
        }

        if (answer?["explanation"] is null)
            throw Statuses.BadRequest((string?)answer?["error"] ?? $"node {node} did not answer");
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(answer.ToJsonString(Lines) + "\n", cancellationToken);
    }

    private static async Task WriteAsync(HttpContext context, IAsyncEnumerable<JsonObject> lines, CancellationToken cancellationToken)
    {
        context.Response.ContentType = "application/x-ndjson";
        context.Response.Headers.CacheControl = "no-cache, private";
        await context.Response.StartAsync(cancellationToken);
        await foreach (var line in lines.WithCancellation(cancellationToken))
        {
            await context.Response.WriteAsync(line.ToJsonString(Lines) + "\n", cancellationToken);
            await context.Response.Body.FlushAsync(cancellationToken);
        }
    }
}
